"""Secrets Manager and Parameter Store: their operations, and what Fargate reads of them for a task.

Never here: a secret's value in a log, an error or the journal.
"""
