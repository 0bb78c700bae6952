"""`kubectl exec`, `cp`, `attach`: commands inside a container, through one merged terminal.

Never here: how bytes reach AWS (`app.ports.sessions`), or how they leave for kubectl (`streaming`).
"""
