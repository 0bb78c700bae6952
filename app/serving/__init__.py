"""Serving HTTP and HTTPS: uvicorn within bounds, request bodies and errors, and every program's probes.

Never here: what a program answers, or which certificate it shows (`app.tls`).
"""
