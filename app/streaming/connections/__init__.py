"""Protocols put to work: tasks that read and write a connection, and streams to await.

Never here: what is said on a stream.
"""
