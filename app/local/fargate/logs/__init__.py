"""CloudWatch Logs: groups, streams, events, their pages, and how a container's output becomes events.

Never here: whose output it is.
"""
