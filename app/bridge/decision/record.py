"""What we wrote on a pod about its attempts: the annotations that outlive this process."""

from datetime import UTC, datetime
from typing import Final, Literal

import msgspec

from app.model.names import ATTEMPT, ATTEMPT_OF, ATTEMPTED_AT, ATTEMPTED_ON, LOG_GROUP, TASK_ARN, TaskArn
from app.model.pod import Pod

_MOST_DIGITS: Final = 9
"""Of an attempt's number; more are nobody's that waits between attempts."""


def recorded_attempt(pod: Pod) -> int:
    """The attempt in the pod's annotation; 0 where there is none that we wrote."""
    text = _ours(pod, ATTEMPT)
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else 0


def recorded_capacity(pod: Pod) -> Literal["on-demand", "spot"] | None:
    """The capacity of the newest attempt, by the pod's annotation; None where it does not say."""
    match _ours(pod, ATTEMPTED_ON):
        case "spot":
            return "spot"
        case "on-demand":
            return "on-demand"
        case _:
            return None


def recorded_arn(pod: Pod) -> TaskArn | None:
    """The task in the pod's annotation."""
    text = _ours(pod, TASK_ARN)
    return TaskArn(text) if text else None


def recorded_log_group(pod: Pod) -> str:
    """The log group of the newest attempt's task; empty where nobody says."""
    return _ours(pod, LOG_GROUP)


def recorded_time(pod: Pod) -> datetime | None:
    """When the newest attempt was begun, in UTC; None where nobody we trust says."""
    try:
        return msgspec.convert(_ours(pod, ATTEMPTED_AT), datetime).astimezone(UTC)
    except (msgspec.ValidationError, OverflowError):
        # Somebody else's text: creation is earlier than any attempt, so it errs towards not launching.
        return None


def _ours(pod: Pod, name: str) -> str:
    """An annotation of ours; empty where the pod was made with it, as a copy of another pod is."""
    annotations = pod.metadata.annotations
    return annotations.get(name, "") if annotations.get(ATTEMPT_OF) == pod.uid else ""
