"""The ledger: every field of a pod in core/v1 1.36, and what becomes of it.

The one source of `docs/pod-support.md` and of every refusal: a pod is walked along the rows, so that the page
cannot say one thing and the programs do another. What depends on settings, or on objects that a pod names, is
refused by the translation (`app.bridge.translation`); the rows' words say so.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Final

import msgspec

from app.fargate import (
    container_fields,
    file_fields,
    pod_fields,
    probe_fields,
    scheduling_fields,
    security_fields,
    variable_fields,
    volume_fields,
)
from app.fargate.support import Row
from app.model.reason import Reason
from app.model.wire import Json

ROWS: Final[tuple[Row, ...]] = (
    *scheduling_fields.ROWS,
    *pod_fields.ROWS,
    *container_fields.ROWS,
    *variable_fields.ROWS,
    *probe_fields.ROWS,
    *security_fields.ROWS,
    *volume_fields.ROWS,
    *file_fields.ROWS,
)
"""Every row; the order of their reasons within one value."""


def _by_type(rows: Iterable[Row]) -> dict[str, dict[str, Row]]:
    types: dict[str, dict[str, Row]] = {}
    for row in rows:
        types.setdefault(row.type, {})[row.field] = row
    return types


TYPES: Final[Mapping[str, Mapping[str, Row]]] = _by_type(ROWS)
"""Type → field → row."""


class _Step(msgspec.Struct, frozen=True):
    """A row that something may be refused at or below, with the name of its field in our values."""

    row: Row
    attribute: str


def refusals_in(value: msgspec.Struct, kind: str, path: str) -> Iterator[Reason]:
    """Every reason that the rows find in a value and in what it contains, in the rows' order.

    Args:
        value: of `app.model`.
        kind: its type in core/v1.
        path: where it stands in the pod.
    """
    for step in _steps(kind, type(value)):
        item = getattr(value, step.attribute)
        where = f"{path}.{step.row.field}"
        if step.row.refuses is not None:
            yield from step.row.refuses(item, where)
        if step.row.of and item:
            for each, place in _each(item, where):
                yield from refusals_in(each, step.row.of, place)


def unknown_fields(value: Json, kind: str = "PodSpec", path: str = "spec") -> Iterator[str]:
    """The paths of what a value's JSON sets and no row knows: fields of a Kubernetes newer than the ledger.

    Decoding drops such fields, so this is asked wherever the JSON itself is at hand. Below a row that speaks
    for its whole value, nothing is unknown.
    """
    if not isinstance(value, dict):
        return
    rows = TYPES[kind]
    for name, item in value.items():
        where = f"{path}.{name}"
        row = rows.get(name)
        if row is None:
            if item is not None:
                yield where
        elif row.of:
            for each, place in _each_json(item, where):
                yield from unknown_fields(each, row.of, place)


def _each(item: object, path: str) -> Iterator[tuple[msgspec.Struct, str]]:
    """The values in a field with their paths; what is only recognised (JSON) has been judged whole."""
    if isinstance(item, msgspec.Struct):
        yield item, path
    elif isinstance(item, tuple):
        for index, each in enumerate(item):
            if isinstance(each, msgspec.Struct):
                yield each, f"{path}[{index}]"


def _each_json(item: Json, path: str) -> Iterator[tuple[Json, str]]:
    if isinstance(item, list):
        yield from ((each, f"{path}[{index}]") for index, each in enumerate(item))
    else:
        yield item, path


@cache
def _steps(kind: str, struct: type[msgspec.Struct]) -> tuple[_Step, ...]:
    attributes = {field.encode_name: field.name for field in msgspec.structs.fields(struct)}
    return tuple(
        _Step(row, attributes[row.field]) for row in TYPES[kind].values() if row.refuses or _judges(row.of)
    )


@cache
def _judges(kind: str) -> bool:
    """Whether anything can be refused in a value of the type."""
    return any(row.refuses is not None or _judges(row.of) for row in TYPES.get(kind, {}).values())
