"""Frozen values that everyone shares: pods, nodes, tasks, quantities, grants and reasons.

Never here: I/O, a clock, async, or a decision that belongs to one program.
"""
