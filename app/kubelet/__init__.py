"""The node's HTTPS API, which the API server calls for `kubectl logs`, `exec`, `attach` and `port-forward`.

`access` says who may; `server` listens, and `resources` finds the part that answers. Never here: Kubernetes'
or AWS's own APIs (all of it comes through `app.ports`), or what a pod's status is.
"""
