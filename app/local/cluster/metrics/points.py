"""Two measurements of one thing, and what it used between them. Pure.

As metrics-server's storage: CPU is a counter, so usage takes two points; memory is the later one's.
"""

from typing import Final

import msgspec

_FRESH_FROM: Final = 10.0
_FRESH_BELOW: Final = 15.0
"""Seconds. So soon after its start a container's first point is enough: its counter began at nothing."""


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """Cumulative CPU in core seconds, memory in bytes, and seconds since 1970; `started` is 0 for nodes."""

    cpu: float
    memory: float
    at: float
    started: float = 0.0


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """CPU in billionths of a core, memory in bytes, at the end of a window of seconds."""

    cpu: int
    memory: int
    at: float
    window: float


def kept(points: tuple[Point, ...], point: Point) -> tuple[Point, ...]:
    """The last two points, now that one more is there; the same measurement again is none."""
    if points and point.at <= points[-1].at:
        return points
    if points and point.started <= points[-1].at:
        return (points[-1], point)
    if point.started and _FRESH_FROM <= point.at - point.started < _FRESH_BELOW:
        return (Point(cpu=0.0, memory=0.0, at=point.started, started=point.started), point)
    return (point,)


def usage_of(points: tuple[Point, ...]) -> Usage | None:
    """What was used between two points; None where there are not two, or the counter went back."""
    if len(points) < 2 or points[1].cpu < points[0].cpu:  # noqa: PLR2004  (a window has two ends)
        return None
    window = points[1].at - points[0].at
    cpu = (points[1].cpu - points[0].cpu) / window
    return Usage(cpu=round(cpu * 1e9), memory=int(points[1].memory), at=points[1].at, window=window)
