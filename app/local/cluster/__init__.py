"""The embedded Kubernetes cluster: an API server over HTTPS on loopback, its controllers and its scheduler.

`cluster` is the whole as one thing to start, check and stop; `apiserver`, `streams` (exec, attach,
port-forward), `metrics` (for `kubectl top`), `controllers` and `scheduling` are its parts, each with an
`__init__` that says what belongs there.
It answers as a real 1.36 server does wherever it answers at all, and says so where it does not.
Never here: anything about Fargate or AWS, or a behaviour that a real API server does not have.
"""
