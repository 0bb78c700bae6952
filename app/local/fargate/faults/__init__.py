"""What shall go wrong, on request: orders for trouble, RunTask's many answers by name, mishaps of a task.

An order says what, how often and to which call. Never here: carrying it out, which whoever it befalls does.
"""
