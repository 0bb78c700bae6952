"""What the node's pods use: counted up from what AWS measures, and kept for the node's HTTPS API.

Never here: the shapes in which it is told (`app.kubelet.usage`), or how AWS is asked (`app.ports.usage`).
"""
