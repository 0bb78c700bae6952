"""Gathers what a pod refers to, and keeps in AWS what its tasks will read: the only shell that sees Secrets.

Never here: what a pod becomes as a task (`app.bridge.translation`, pure, which says what it needs).
"""
