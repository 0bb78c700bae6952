"""Containers: as processes of this host, with a root file system, volumes and images, or simulated.

It is told what to run (`workload`) and tells a listener what came of it. Never here: tasks, their states and
the order of their containers (`tasks`).
"""
