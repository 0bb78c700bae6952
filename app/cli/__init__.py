"""The commands: parse, call the wiring, print. The only place that writes to standard output.

Never here: a decision, a loop, an adapter.
"""
