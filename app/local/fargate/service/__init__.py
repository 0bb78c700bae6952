"""The embedded Fargate on a socket, and the way that every request takes through it.

Never here: what an operation does.
"""
