"""Certificates: a self-signed CA and its leaves, requests for the cluster to sign, taking up renewed ones.

Never here: serving (`app.serving`, `app.kubelet`), or how the cluster is asked (`app.ports.certificates`).
"""
