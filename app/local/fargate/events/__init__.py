"""Task state changes on their way to a client: the event, the EventBridge rule, the queue, and SQS over it.

Never here: what changes a task; each change is published by its life cycle.
"""
