"""The scheduler extender: the gate that lets a pod onto a virtual node only when it was granted a place.

Rooms, each with an `__init__` that says what belongs there:

- `answer`: what kube-scheduler asks, on every replica: filter, prioritize, preempt.
- `cluster`: what the cluster shows, sorted as it changes, and gathered as frozen `Facts`.
- `decision`: who bursts, waits or is refused, and how far each gate stands open. Pure.
- `homing`: when and how overflow comes home. Pure.
- `insight`: what people ask of it all, for `spillway explain` and `spillway status`. Pure.

Beside them the shells, which alone touch the outside. `leader` runs the rest while its replica leads:
`decider` asks the pure decision, `gates` has a `gatekeeper` write each virtual node, `tolerator` gives
granted pods their toleration where that is the actuator, `announcer` tells people, `publisher` says what is
decided by, and `recorder` writes down what would have burst. Two are `chores`, which fail alone: `homecoming`
evicts, and `handover` asks for nodes; `controllers` tells both whose pods may go.

Never here: what Fargate can run or costs (`app.fargate`), how a pod becomes a task (`app.bridge`), or how
Kubernetes is spoken to (`app.kube`, behind `app.ports.kubernetes`).
"""
