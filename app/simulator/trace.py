"""A recorded workload: CSV, one pod a line, read into pods by age, or refused with every fault.

Times are seconds since the epoch, or since anything else; within, they are whole milliseconds. A pod runs for
as long as it did in the trace, whenever it starts.
"""

import csv
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from app.model.names import CAPACITY
from app.model.policy import PolicyError, capacity_of, duration

REQUIRED: Final = ("name", "cpu_milli", "memory_mib", "creation_time", "deletion_time")
OPTIONAL: Final = ("namespace", "max_wait", "capacity", "overflow")
RECORDED: Final = ("vcpu", "hourly")
"""What the gate writes down for people when it only observes; computed anew here."""

_LATEST: Final = 4_102_444_800
"""2100-01-01 in seconds; beyond it somebody wrote milliseconds."""

_MOST: Final = 2**40
"""Millicores, or MiB: more than there is."""

_DIGITS: Final = 20
"""Of an amount, leading zeros included; Python refuses to read thousands."""

_SHOWN_FAULTS: Final = 10


class TraceError(ValueError):
    """The text is no trace; one message for each fault."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


class TracedPod(msgspec.Struct, frozen=True, kw_only=True):
    """One pod of the workload.

    Attributes:
        created: when it was created, in milliseconds.
        lasts: how long it runs once it has started, in milliseconds.
        max_wait: its `spillway.dev/max-wait`; empty where it does not say.
        capacity: its `spillway.dev/capacity`; empty where it does not say.
        overflow: whether it may overflow at all.
    """

    name: str
    namespace: str = "default"
    cpu_milli: int
    memory_mib: int
    created: int
    lasts: int
    max_wait: str = ""
    capacity: str = ""
    overflow: bool = True


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """A workload: its pods, oldest first, and the span that it covers, in milliseconds.

    Attributes:
        ignored: columns that mean nothing here.
    """

    pods: tuple[TracedPod, ...]
    begin: int
    end: int
    ignored: tuple[str, ...] = ()


class _Fault(ValueError):
    """What is wrong with one value, and the mend."""


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    """A line as read; `deleted` is None for a pod that still ran when the recording ended."""

    pod: TracedPod
    deleted: int | None


def read_trace(lines: Iterable[str], *, source: str) -> Trace:
    """The trace in these lines.

    Args:
        lines: CSV with a header line; columns in any order.
        source: the file's name, for messages.

    Raises:
        TraceError: with every line that cannot be read, and how to mend it.
    """
    reader = csv.reader(lines, strict=True)
    rows: list[_Row] = []
    faults: list[str] = []
    try:
        columns = _columns(next(reader, []), source=source)
        for fields in reader:
            if not fields:
                continue
            try:
                rows.append(_row(_by_name(fields, columns)))
            except _Fault as fault:
                faults.append(f"{source}:{reader.line_num}: {fault}")
    except csv.Error as error:
        faults.append(f"{source}:{reader.line_num}: no CSV ({error}); write one pod a line, commas between")
    if faults:
        raise TraceError(_shortened(faults))
    if not rows:
        raise TraceError([f"{source}: no pod in it; write one a line below the header"])
    if columns.keys() >= set(RECORDED):
        rows = _followed(rows)
    return _trace(rows, ignored=tuple(name for name in columns if name not in _KNOWN))


_KNOWN: Final = frozenset({*REQUIRED, *OPTIONAL, *RECORDED})


def _columns(header: list[str], *, source: str) -> Mapping[str, int]:
    names = [name.strip() for name in header]
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise TraceError(
            [f"{source}:1: the header lacks {', '.join(missing)}; begin the file with {','.join(REQUIRED)}"]
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise TraceError([f"{source}:1: the header names {', '.join(twice)} twice; name each column once"])
    return {name: index for index, name in enumerate(names)}


def _shortened(faults: list[str]) -> list[str]:
    more = len(faults) - _SHOWN_FAULTS
    return faults if more <= 0 else [*faults[:_SHOWN_FAULTS], f"… and {more} more lines like these"]


def _by_name(fields: list[str], columns: Mapping[str, int]) -> Callable[[str], str]:
    if len(fields) != len(columns):
        raise _Fault(f"{len(fields)} fields where the header has {len(columns)}; write one for each column")

    def value(name: str) -> str:
        return fields[columns[name]].strip() if name in columns else ""

    return value


def _row(value: Callable[[str], str]) -> _Row:
    created, ended = _time(value, "creation_time"), value("deletion_time")
    deleted = _time(value, "deletion_time") if ended else None
    if deleted is not None and deleted < created:
        raise _Fault(
            "deletion_time is before creation_time; write the later one, or none for a pod that still runs"
        )
    pod = TracedPod(
        name=_name(value("name")),
        namespace=value("namespace") or "default",
        cpu_milli=_amount(value, "cpu_milli", "millicores, as 500"),
        memory_mib=_amount(value, "memory_mib", "MiB, as 512"),
        created=created,
        lasts=0 if deleted is None else deleted - created,
        max_wait=_max_wait(value("max_wait")),
        capacity=_capacity(value("capacity")),
        overflow=_overflow(value("overflow")),
    )
    return _Row(pod=pod, deleted=deleted)


def _followed(rows: list[_Row]) -> list[_Row]:
    """The rows of a recording, one for each pod.

    Whoever records writes a line without an end for each pod that outlives it. Where the next one followed
    that pod on, its line is the later one.
    """
    last = {(row.pod.namespace, row.pod.name, row.pod.created): row for row in rows}
    return [
        row
        for row in rows
        if row.deleted is not None or last[row.pod.namespace, row.pod.name, row.pod.created] is row
    ]


def _trace(rows: list[_Row], *, ignored: tuple[str, ...]) -> Trace:
    """The rows by age; who was not deleted runs until the last thing that the trace tells of."""
    begin = min(row.pod.created for row in rows)
    end = max(row.pod.created if row.deleted is None else row.deleted for row in rows)
    pods = [
        row.pod if row.deleted is not None else msgspec.structs.replace(row.pod, lasts=end - row.pod.created)
        for row in rows
    ]
    pods.sort(key=lambda pod: pod.created)
    return Trace(pods=tuple(pods), begin=begin, end=end, ignored=ignored)


def _name(text: str) -> str:
    if not text:
        raise _Fault("name is empty; write the pod's")
    return text


def _amount(value: Callable[[str], str], name: str, unit: str) -> int:
    text = value(name)
    if not (text.isascii() and text.isdecimal()) or len(text) > _DIGITS or int(text) > _MOST:
        raise _Fault(f'{name} is "{text}"; write a whole number of {unit}')
    return int(text)


def _time(value: Callable[[str], str], name: str) -> int:
    text = value(name)
    try:
        # Python reads its own way of writing numbers, too: 1_0, and every script's digits.
        seconds = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        seconds = math.nan
    if not seconds >= 0:
        raise _Fault(f'{name} is "{text}"; write seconds since the epoch, as 1767225600 or 12.5')
    if seconds > _LATEST:
        raise _Fault(f"{name} is {text}, after the year 2100; write seconds, not milliseconds")
    return round(seconds * 1000)


def _max_wait(text: str) -> str:
    if text:
        try:
            duration(text)
        except PolicyError as error:
            raise _Fault(f"max_wait: {error}") from error
    return text


def _capacity(text: str) -> str:
    if text:
        try:
            capacity_of({CAPACITY: text}, default="on-demand")
        except PolicyError as error:
            raise _Fault(f'capacity is "{text}"; write on-demand, spot or spot-first') from error
    return text


def _overflow(text: str) -> bool:
    if text not in {"", "enabled", "disabled"}:
        raise _Fault(f'overflow is "{text}"; write enabled or disabled')
    return text != "disabled"
