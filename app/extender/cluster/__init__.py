"""What the cluster shows: pods and nodes, sorted as the watches tell of them, frozen as `facts.Facts`.

State is held by those who follow the watches, in the event loop: `snapshot` with its `gauge` (the pressure),
and `outlook` with `history` and `claims` (what lies ahead). All else is pure: `reach` and `affinity` (which
nodes a pod could use), `watermark`, `coming`, `autoscaler_status`.

Never here: what ought to be done about it (`decision`, `homing`).
"""
