"""What kube-scheduler asks, and the answers, on every replica: `server` (HTTP) → `wire` → `verdict`.

They share nothing with the leader but the grants on the Node, read by `roster`, and the rules by which a
priority class evicts nobody (`preemption`). Hot: one call per pod and verb in the scheduler's serial loop.
Never here: a write, or a decision about who gets a grant.
"""
