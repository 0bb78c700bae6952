"""Structured logs, as every program writes them.

Never here: a component's own metrics; they stand beside what they count.
"""
