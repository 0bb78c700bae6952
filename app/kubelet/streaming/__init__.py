"""The streams of one request that is upgraded: its protocol, and stdin, stdout, stderr, error and resize.

Never here: what runs in a container, or AWS.
"""
