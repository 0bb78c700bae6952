"""The scheduler extender: the gate that lets a pod onto a virtual node only when it was granted a place.

Two halves share nothing but the grants on the Node. `server` answers kube-scheduler on every replica
(`wire` → `verdict`); `leader` runs on one of them and opens and closes the gate (`pressure` → `gate`,
which asks `hindrance` for each pod and keeps the `ledger`). These decide and are pure, as are
`affinity`, `allotment` and `decisions`.

Never here: what Fargate can run (`app.fargate`), how a pod becomes a task (`app.bridge`), or how Kubernetes
is spoken to (`app.kube`, behind `app.ports.kubernetes`).
"""
