"""Certificates and HTTPS serving: a self-signed CA, leaves, and uvicorn within bounds.

Never here: what is served. Rotation inside a cluster comes with the chart.
"""
