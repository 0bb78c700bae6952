"""Certificates: a self-signed CA, its leaves, and taking up a renewed pair in place.

Never here: serving (`app.serving`). Rotation inside a cluster comes with the chart.
"""
