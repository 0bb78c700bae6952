"""What RunTask's faults hold in store for the task that it launches."""

from typing import Final

import msgspec

from app.local.fargate.faults.orders import FaultKind, Faults
from app.local.fargate.protocol.wire import Json

SPOT: Final = "FARGATE_SPOT"

ONLY_SPOT: Final[tuple[FaultKind, ...]] = ("no-spot-capacity", "spot-interruption")
ANY_TASK: Final[tuple[FaultKind, ...]] = (
    "termination-notice",
    "retirement",
    "infrastructure-health",
    "user-stop",
    "vanish",
    "foreign-container",
)

_FOREIGN_IMAGE: Final = "593207742271.dkr.ecr.us-east-1.amazonaws.com/aws-guardduty-agent-fargate:v1.7.0"

_FOREIGN_STATUS: Final = {
    "PROVISIONING": "PENDING",
    "PENDING": "PENDING",
    "ACTIVATING": "PENDING",
    "DEPROVISIONING": "STOPPED",
    "STOPPED": "STOPPED",
}


class Mishap(msgspec.Struct, frozen=True, kw_only=True):
    """One mishap that awaits a task, `seconds` after it began to run."""

    kind: FaultKind
    seconds: float = 0.0
    message: str = ""


def in_store(faults: Faults, *, subnet: str, provider: str) -> tuple[Mishap, ...]:
    """The mishaps of one launch; each kind at most once, and one of its order's times used up."""
    kinds = (*ONLY_SPOT, *ANY_TASK) if provider == SPOT else ANY_TASK
    orders = (faults.take("RunTask", kind, subnet=subnet, provider=provider) for kind in kinds)
    return tuple(
        Mishap(kind=order.kind, seconds=order.seconds, message=order.message)
        for order in orders
        if order is not None
    )


def foreign_name(task_id: str) -> str:
    """The name of the container that GuardDuty puts into a task."""
    return f"aws-guardduty-agent-{task_id[-7:]}"


def foreign_view(name: str, *, task: str, status: str) -> Json:
    """A container of AWS's own as DescribeTasks shows it; its `cpu` is the text `null`.

    https://docs.aws.amazon.com/guardduty/latest/ug/how-runtime-monitoring-works-ecs-fargate.html
    """
    return {
        "containerArn": f"{task.replace(':task/', ':container/')}/{name}",
        "taskArn": task,
        "name": name,
        "image": _FOREIGN_IMAGE,
        "lastStatus": _FOREIGN_STATUS.get(status, "RUNNING"),
        "networkInterfaces": [],
        "healthStatus": "UNKNOWN",
        "cpu": "null",
    }
