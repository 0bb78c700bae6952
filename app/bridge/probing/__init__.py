"""Probes: which containers are started, ready and alive.

`verdicts` decides (pure), `worker` asks, `prober` keeps the workers. Never here: what follows from a verdict
(`app.bridge.decision`), or the network (`app.probing`).
"""
