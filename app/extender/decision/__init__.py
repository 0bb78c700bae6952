"""Who bursts, waits or is refused, and how far each gate stands open: `gate.plan` is the whole of it.

Pure: facts, memory, time and policy go in; a `decisions.Plan` comes out. Never here: a clock, a write, or
what Fargate can run (`app.fargate.eligibility`).
"""
