"""Connections that stop being HTTP: SPDY and WebSocket, and the streams inside them.

Never here: what runs in a container, or AWS.
"""
