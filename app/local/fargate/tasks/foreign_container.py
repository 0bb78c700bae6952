"""The container that GuardDuty puts into tasks, of which their definitions know nothing. Pure.

https://docs.aws.amazon.com/guardduty/latest/ug/how-runtime-monitoring-works-ecs-fargate.html
"""

from typing import Final

from app.local.fargate.protocol.wire import Json

_IMAGE: Final = "593207742271.dkr.ecr.us-east-1.amazonaws.com/aws-guardduty-agent-fargate:v1.7.0"

_STATUS: Final = {
    "PROVISIONING": "PENDING",
    "PENDING": "PENDING",
    "ACTIVATING": "PENDING",
    "DEPROVISIONING": "STOPPED",
    "STOPPED": "STOPPED",
}


def name_in(task_id: str) -> str:
    """The name of the container that GuardDuty puts into a task."""
    return f"aws-guardduty-agent-{task_id[-7:]}"


def described(name: str, *, task: str, status: str) -> Json:
    """A container of AWS's own as DescribeTasks shows it; its `cpu` is the text `null`."""
    return {
        "containerArn": f"{task.replace(':task/', ':container/')}/{name}",
        "taskArn": task,
        "name": name,
        "image": _IMAGE,
        "lastStatus": _STATUS.get(status, "RUNNING"),
        "networkInterfaces": [],
        "healthStatus": "UNKNOWN",
        "cpu": "null",
    }
