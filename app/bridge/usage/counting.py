"""Measurements of one container, counted up to CPU time as a kubelet tells it. Pure.

Container Insights tells how many cores were used in each minute; metrics-server wants the sum, which never
falls, and leaves a pod out of which any container has used nothing.
"""

from datetime import datetime
from typing import Final

import msgspec

from app.model.usage import Sample

LEAST_SECONDS: Final = 0.001
"""CPU time of whoever has begun: to start takes more."""

LEAST_BYTES: Final = 4096
"""A page of memory: nobody runs on less."""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one run of a container.

    Attributes:
        run: tells one start of the container from another.
        at: of the newest measurement.
        cpu_seconds: CPU time since the run began.
        cores: used on average lately; None before there are two measurements of CPU time.
        working_set: bytes.
    """

    run: str
    at: datetime
    cpu_seconds: float
    cores: float | None
    working_set: int


def counted(before: Reading | None, sample: Sample, *, run: str, started: datetime) -> Reading:
    """What is known after one more measurement; one that is no newer than the last changes nothing.

    Args:
        before: what was known, maybe of an earlier run.
        sample: what was measured.
        run: the run that it was measured of.
        started: when that began. The time until a first measurement of cores counts as it did.
    """
    if before is not None and before.run == run and sample.at <= before.at:
        return before
    last = before if before is not None and before.run == run else None
    since = started if last is None else last.at
    seconds = max((sample.at - since).total_seconds(), 0.0)
    known = 0.0 if last is None else last.cpu_seconds
    spent = sample.cpu_seconds if sample.cpu_seconds is not None else known + (sample.cores or 0.0) * seconds
    cores = sample.cores
    if cores is None and last is not None and seconds:
        cores = max(spent - known, 0.0) / seconds
    return Reading(
        run=run,
        at=sample.at,
        cpu_seconds=max(spent, known, LEAST_SECONDS),
        cores=cores,
        working_set=max(sample.working_set, LEAST_BYTES),
    )


def gained(before: Reading | None, after: Reading) -> float:
    """CPU seconds that came with the newest measurement."""
    same = before is not None and before.run == after.run
    return after.cpu_seconds - (before.cpu_seconds if before is not None and same else 0.0)
