"""Measurements of one container, counted up to CPU time as a kubelet tells it. Pure.

The helper tells the CPU time since a container's start, Container Insights how many cores were used in each
minute. metrics-server wants a sum that never falls, and leaves a pod out of which any container has used
nothing. It divides what the sum grew by through the time: how much is added for each measurement matters more
than the sum itself, and what happened before anybody counted must never be added at once.
"""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from app.model.usage import Sample

LEAST_SECONDS: Final = 0.001
"""CPU time of whoever has begun: to start takes more."""

LEAST_BYTES: Final = 4096
"""A page of memory: nobody runs on less."""

MINUTE: Final = timedelta(minutes=1)
"""What a measurement of cores is of, at most."""


MOST_LAG: Final = timedelta(minutes=3)
"""What is older tells nothing of the present."""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one run of a container.

    Attributes:
        run: tells one start of the container from another.
        started: when the counting of this run begins.
        at: of the newest measurement.
        cpu_seconds: CPU time since then.
        counter: what the container's own counter stood at; None where the newest measurement was of cores.
        cores: used on average lately; None before there are two measurements of CPU time.
        working_set: bytes.
    """

    run: str
    started: datetime
    at: datetime
    cpu_seconds: float
    counter: float | None
    cores: float | None
    working_set: int


def counted(before: Reading | None, sample: Sample, *, run: str, started: datetime) -> Reading:
    """What is known after one more measurement; one that is no newer than the last changes nothing.

    Args:
        before: what was known, maybe of an earlier run.
        sample: what was measured.
        run: the run that it was measured of.
        started: when its task began.
    """
    if before is not None and sample.at <= before.at:
        return before
    if before is None:
        return _first(sample, run=run, started=started)
    if before.run != run:
        # It began after the last measurement of the run before it.
        return _first(sample, run=run, started=max(started, before.at), earlier=before.counter)
    seconds = (sample.at - before.at).total_seconds()
    spent = _spent(before, sample, seconds=seconds)
    return Reading(
        run=run,
        started=before.started,
        at=sample.at,
        cpu_seconds=before.cpu_seconds + spent,
        counter=sample.cpu_seconds,
        cores=sample.cores if sample.cpu_seconds is None else spent / seconds,
        working_set=max(sample.working_set, LEAST_BYTES),
    )


def gained(before: Reading | None, after: Reading, *, since: datetime) -> float:
    """CPU seconds that came with the newest measurement.

    Of a run that began before `since`, of which this is the first measurement, as much as fell on average on
    the time after it.
    """
    if before is not None and before.run == after.run:
        return after.cpu_seconds - before.cpu_seconds
    whole = (after.at - after.started).total_seconds()
    part = (after.at - max(since, after.started)).total_seconds()
    return after.cpu_seconds * max(part, 0.0) / whole if whole > 0 else after.cpu_seconds


def ahead(reading: Reading, at: datetime) -> float:
    """CPU seconds that the container has probably used from its newest measurement until `at`.

    What all containers use together is told for the time of the newest measurement of any, and those of
    Container Insights lag minutes behind those of helpers.
    """
    lag = min((at - reading.at).total_seconds(), MOST_LAG.total_seconds())
    return (reading.cores or 0.0) * max(lag, 0.0)


def _first(sample: Sample, *, run: str, started: datetime, earlier: float | None = None) -> Reading:
    """The first measurement of a run; cores say nothing of what was before their minute.

    `earlier` is what the counter of the run before stood at: one that is beyond it may be that one still.
    """
    if sample.cpu_seconds is not None:
        spent = sample.cpu_seconds - (
            earlier if earlier is not None and earlier <= sample.cpu_seconds else 0.0
        )
    else:
        started = max(started, sample.at - MINUTE)
        spent = (sample.cores or 0.0) * max((sample.at - started).total_seconds(), 0.0)
    return Reading(
        run=run,
        started=min(started, sample.at),
        at=sample.at,
        cpu_seconds=max(spent, LEAST_SECONDS),
        counter=sample.cpu_seconds,
        cores=sample.cores,
        working_set=max(sample.working_set, LEAST_BYTES),
    )


def _spent(before: Reading, sample: Sample, *, seconds: float) -> float:
    """CPU seconds between two measurements of one run."""
    if sample.cpu_seconds is None:
        return (sample.cores or 0.0) * seconds
    if before.counter is None:
        # What the counter stood at before is not known: it went on as it did.
        return (before.cores or 0.0) * seconds
    if sample.cpu_seconds < before.counter:
        # ECS started the container again, and its counter with it.
        return sample.cpu_seconds
    return sample.cpu_seconds - before.counter
