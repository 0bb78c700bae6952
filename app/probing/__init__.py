"""Probes over the network: HTTP, TCP and gRPC, made as a kubelet makes them (app.ports.probes).

Never here: when to probe, or what an answer means for the pod (`app.bridge.probing`).
"""
