"""What users ask for in labels and annotations, as values.

A pod's word counts only where its namespace has the label, else any tenant could spend.
"""

import enum
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from app.model.names import DISABLED, ENABLED, MAX_WAIT, OVERFLOW, PERMITTED, REQUIRED


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
_DURATION: Final = re.compile(r"^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$")


def duration(text: str) -> timedelta:
    """A duration as people write it in annotations and settings: 90, 90s, 2m, 1h30m.

    Raises:
        PolicyError: it is none.
    """
    if text.isdecimal():
        return timedelta(seconds=int(text))
    match = _DURATION.match(text)
    if not text or match is None:
        raise PolicyError(f'"{text}" is not a duration; write for instance 90, 90s, 2m or 1h30m')
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


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
