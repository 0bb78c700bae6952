"""The embedded cluster's controllers: kube-controller-manager's behaviour as far as Spillway's users see it.

Each controller is level-triggered: an event names a key, and reconciling that key reads everything again.
Reads are consistent (the API is in the same process), so nothing is expected or remembered between rounds.
The deciding modules (`rollout`, `replicas`, `daemons`, `node_health`, `ownership`, `signing_rules`) are pure.
Never here: admission, defaults or storage, which are the API server's.

https://kubernetes.io/docs/concepts/architecture/controller/
"""
