"""Waiting and backing off, on the clock that a component was given.

Never here: what is waited for, or how long. Each caller names its own seconds.
"""
