"""`spillway local`: a cluster, a Fargate and the three programs on one machine: laptops, tests, benchmarks.

The programs run as processes with the flags that a chart would give them; the embedded parts run in this one.
`stack` brings all of it up and down. Its parts are `clusters`, `fargate`, `fake_nodes` and `processes`; what
the processes are given is in `programs` and `places`, what waits for them in `readiness`, and what starts
them again in `revival`.
"""
