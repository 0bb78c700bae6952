"""Several streams in one connection: SPDY/3.1 and WebSocket, first without I/O, then as streams to use.

Never here: what the streams of `kubectl exec` mean, Kubernetes, AWS, or who may connect.
"""
