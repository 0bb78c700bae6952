"""Containers' logs as `kubectl logs` asks for them: where to begin, what follows, when it is over.

Never here: AWS (pages come through `app.ports.logs`), or HTTP beyond the answers' bodies.
"""
