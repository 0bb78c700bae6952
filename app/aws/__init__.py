"""AWS as our ports see it: ECS tasks, definitions and sessions, CloudWatch Logs; alone in using boto3.

Never here: what a task should be, or what to do about a failure. Vendor errors and wire shapes end here.
"""
