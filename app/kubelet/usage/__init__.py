"""What pods use, in the shapes that metrics-server and people read.

Never here: where it is measured (`app.ports.usage`).
"""
