"""`spillway local`: a cluster, a Fargate and the three programs on one machine: laptops, tests, benchmarks.

The programs run as processes with the flags that a chart would give them; the embedded parts run in this one.
"""
