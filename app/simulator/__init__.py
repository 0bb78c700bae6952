"""`spillway simulate`: a recorded workload, replayed under virtual time through the extender's own decisions.

From `trace` (CSV to pods) through `replay` (one policy of `policies`, event by event) to `report` (figures)
and `plots` (pictures). Between them stand `rooms`, `backlog` and `machine` (real nodes and who waits for
them), `autoscaler`, `tasks` (what Fargate runs, when and for how much), `overflow` (Spillway: the gate's own
`plan`, asked about a `scene` of `stand_ins`) and `books` (what is written down).

Never here: a rule about who bursts (`app.extender.decision`) or what Fargate costs (`app.fargate`), a shell
of the extender, a clock, randomness, or a file other than the plots.
"""
