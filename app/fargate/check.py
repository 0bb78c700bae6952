"""What a rule about one field looks like: the field's value and path go in, reasons come out."""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

import msgspec

from app.model.reason import Reason

Check = Callable[[Any, str], Iterable[Reason]]
"""Takes a field's value and its path in the pod; tables pair it with the field that it is about."""


def is_set(value: object) -> bool:
    """Whether somebody asked for something: an object without a single value asks for nothing."""
    return bool(set_keys(value)) if isinstance(value, dict) else bool(value)


def set_keys(value: object) -> tuple[str, ...]:
    """The names of an object's values that are there and not empty; `false` and `0` are values."""
    if not isinstance(value, dict):
        return ()
    return tuple(sorted(name for name, each in value.items() if each not in (None, {}, [], "")))


def refused(code: str, message: str, *, when: Callable[[Any], bool] = is_set) -> Check:
    """The rule that refuses a field whose value meets `when`; by default, one that is set."""

    def check(value: object, path: str) -> tuple[Reason, ...]:
        return (Reason(code, message, path),) if when(value) else ()

    return check


def refused_keys(code: str, message: str) -> Check:
    """The rule that refuses each set value of an object by its own name."""

    def check(value: object, path: str) -> tuple[Reason, ...]:
        if is_set(value) and not isinstance(value, dict):
            return (Reason(code, message, path),)
        return tuple(Reason(code, message, f"{path}.{name}") for name in set_keys(value))

    return check


def examined(subject: msgspec.Struct, checks: Mapping[str, Check], path: str) -> Iterable[Reason]:
    """Every reason that a table of checks finds in a value's fields, in the table's order.

    Args:
        subject: the value whose fields (by their Python names) the table names.
        checks: one rule for each field.
        path: where the value stands in the pod.
    """
    wire = _wire_names(type(subject))
    for name, check in checks.items():
        yield from check(getattr(subject, name), f"{path}.{wire[name]}")


@cache
def _wire_names(kind: type[msgspec.Struct]) -> dict[str, str]:
    return {field.name: field.encode_name for field in msgspec.structs.fields(kind)}
