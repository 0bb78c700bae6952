"""ECS Task State Change events, as EventBridge writes them. Pure.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html
https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
"""

from datetime import UTC, datetime
from typing import Final

from app.local.fargate.config import FargateConfig
from app.local.fargate.protocol.wire import Json

_NOT_TOLD: Final = ("tags", "healthStatus", "fargateEphemeralStorage")
_ATTACHMENT_TYPES: Final = {"ElasticNetworkInterface": "eni"}


def event_of(view: Json, *, config: FargateConfig, event_id: str, now: datetime) -> Json:
    """The event for a task's new version; `view` is the task as DescribeTasks shows it."""
    return {
        "version": "0",
        "id": event_id,
        "detail-type": "ECS Task State Change",
        "source": "aws.ecs",
        "account": config.account,
        "time": _iso(now.replace(microsecond=0)),
        "region": config.region,
        "resources": [view["taskArn"]],
        "detail": _detail(view, now=now),
    }


def _detail(view: Json, *, now: datetime) -> Json:
    detail = {
        name: _iso(datetime.fromtimestamp(value, tz=UTC)) if name.endswith("At") else value
        for name, value in view.items()
        if name not in _NOT_TOLD
    }
    detail["updatedAt"] = _iso(now)
    detail["overrides"] = {"containerOverrides": view["overrides"].get("containerOverrides", [])}
    detail["containers"] = [_container(each) for each in view["containers"]]
    detail["attachments"] = [
        each | {"type": _ATTACHMENT_TYPES.get(each["type"], each["type"])} for each in view["attachments"]
    ]
    if "connectivityAt" in view:
        detail["connectivity"] = "CONNECTED"
    return detail


def _container(view: Json) -> Json:
    return {name: value for name, value in view.items() if name not in _NOT_TOLD}


def _iso(moment: datetime) -> str:
    """As `2024-11-13T21:22:46.71Z`: UTC, milliseconds without the zeros at their end."""
    seconds, _, fraction = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f").partition(".")
    milliseconds = fraction[:3].rstrip("0")
    return f"{seconds}.{milliseconds}Z" if milliseconds else f"{seconds}Z"
