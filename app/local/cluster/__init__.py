"""The embedded Kubernetes cluster: an API server over HTTPS on loopback, its controllers and its scheduler.

It answers as a real 1.36 server does wherever it answers at all, and says so where it does not.
Never here: anything about Fargate or AWS, or a behaviour that a real API server does not have.
"""
