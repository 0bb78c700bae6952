"""Structured logs and the pieces of metrics that every program shares.

Never here: a component's own metrics; they stand beside what they count.
"""
