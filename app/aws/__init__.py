"""AWS as our ports see it: ECS tasks and definitions, CloudWatch Logs; the only package that uses boto3.

Never here: what a task should be, or what to do about a failure. Vendor errors and wire shapes end here.
"""
