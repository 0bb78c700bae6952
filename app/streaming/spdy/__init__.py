"""SPDY/3.1 without I/O: bytes in, events out.

https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/

Never here: sockets, tasks, or what a stream is for.
"""
