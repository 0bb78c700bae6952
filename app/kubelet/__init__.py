"""The node's HTTPS API, which the API server calls for `kubectl logs` and which probes call for its health.

Never here: Kubernetes' or AWS's own APIs (logs come through `app.ports.logs`), or what a pod's status is.
"""
