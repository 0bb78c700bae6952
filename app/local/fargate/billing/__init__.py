"""What AWS charges and allows: the Price List and Service Quotas, as far as Fargate goes.

Never here: what a task really costs; nobody is billed.
"""
