"""What a rule about one field looks like: the field's value and path go in, reasons come out."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from app.model.pod import Pod
from app.model.reason import Reason

Check = Callable[[Any, str], Iterable[Reason]]
"""Takes a field's value and its path in the pod."""

Rule = Callable[[Pod], Iterable[Reason]]
"""Takes the whole pod, for what several fields decide together."""


def is_set(value: object) -> bool:
    """Whether somebody asked for something: an object without a single value asks for nothing."""
    return bool(set_keys(value)) if isinstance(value, dict) else bool(value)


def set_keys(value: object) -> tuple[str, ...]:
    """The names of an object's values that are there and not empty; `false` and `0` are values."""
    if not isinstance(value, dict):
        return ()
    return tuple(sorted(name for name, each in value.items() if each not in (None, {}, [], "")))


class Refusal(msgspec.Struct, frozen=True):
    """The rule that refuses a field whose value meets `when`; by default, one that is set."""

    code: str
    message: str
    when: Callable[[Any], bool] = is_set

    def __call__(self, value: object, path: str) -> tuple[Reason, ...]:
        """The refusal, where the value meets it."""
        return (Reason(self.code, self.message, path),) if self.when(value) else ()
