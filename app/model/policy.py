"""What users ask for in labels and annotations, as values.

A pod's word counts only where its namespace has the label, else any tenant could spend.
"""

import enum
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final, Literal

from app.model.names import CAPACITY, DISABLED, ENABLED, MAX_WAIT, OVERFLOW, PERMITTED, REQUIRED


class Overflow(enum.Enum):
    """Whether a pod may, or must, run on Fargate."""

    NO = "no"
    ALLOWED = "allowed"
    REQUIRED = "required"


class PolicyError(ValueError):
    """A label or annotation has a value that means nothing; the message names the mend."""


def overflow_of(*, namespace: Mapping[str, str], pod: Mapping[str, str]) -> Overflow:
    """What the labels of namespace and pod say together.

    Raises:
        PolicyError: the pod's label has an unknown value, in a namespace where its word counts.
    """
    standing = namespace.get(OVERFLOW)
    if standing not in {ENABLED, PERMITTED}:
        return Overflow.NO
    asked = pod.get(OVERFLOW)
    if asked is None:
        return Overflow.ALLOWED if standing == ENABLED else Overflow.NO
    if asked not in _ANSWERS:
        raise PolicyError(f'label {OVERFLOW} is "{asked}"; write {ENABLED}, {DISABLED} or {REQUIRED}')
    return _ANSWERS[asked]


_ANSWERS: Final = {ENABLED: Overflow.ALLOWED, DISABLED: Overflow.NO, REQUIRED: Overflow.REQUIRED}
_DURATION: Final = re.compile(r"(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s?)?")
_SHOWN: Final = 24
"""Characters that are quoted of what somebody wrote: an annotation may be 256 KiB of it."""

LONGEST: Final = timedelta(days=365)
"""No duration is longer: adding one to a time must never leave the calendar."""


def duration(text: str) -> timedelta:
    """A duration as people write it in annotations and settings: 90, 90s, 2m, 1h30m; at most 365 days.

    Raises:
        PolicyError: it is none, or longer.
    """
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        raise PolicyError(f'"{text[:_SHOWN]}" is not a duration; write for instance 90, 90s, 2m or 1h30m')
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    value = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if value > LONGEST:
        raise PolicyError(f'"{text[:_SHOWN]}" is longer than a year; write at most 8760h')
    return value


def max_wait(annotations: Mapping[str, str], *, default: timedelta) -> timedelta:
    """How long the pod waits for a real node before it may burst.

    Raises:
        PolicyError: the annotation is not a duration.
    """
    text = annotations.get(MAX_WAIT)
    if text is None:
        return default
    try:
        return duration(text)
    except PolicyError as error:
        raise PolicyError(f"annotation {MAX_WAIT}: {error}") from error


Capacity = Literal["on-demand", "spot", "spot-first"]
"""What a pod's tasks run on."""


def capacity_of(annotations: Mapping[str, str], *, default: Capacity) -> Capacity:
    """The capacity that the pod asks for.

    Raises:
        PolicyError: the annotation has an unknown value.
    """
    match annotations.get(CAPACITY, default):
        case "on-demand":
            return "on-demand"
        case "spot":
            return "spot"
        case "spot-first":
            return "spot-first"
        case other:
            raise PolicyError(
                f'annotation {CAPACITY} is "{other[:_SHOWN]}"; write on-demand, spot or spot-first'
            )
