from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bridge.usage.counting import LEAST_SECONDS, Reading, counted, gained
from app.model.names import TaskArn
from app.model.usage import Sample
from tests.builders import NOON


def a_sample(minute: float, **fields: float) -> Sample:
    """A measurement so many minutes after the start."""
    return Sample(
        task=TaskArn("t"),
        container="main",
        at=NOON + timedelta(minutes=minute),
        cpu_seconds=fields.get("cpu_seconds"),
        cores=fields.get("cores"),
        working_set=int(fields.get("working_set", 1 << 20)),
    )


def after(*samples: Sample, run: str = "r1") -> Reading:
    """What is known after these, of a run that began at noon."""
    reading = None
    for each in samples:
        reading = counted(reading, each, run=run, started=NOON)
    assert reading is not None
    return reading


def test_cores_of_each_minute_are_counted_up() -> None:
    reading = after(a_sample(1, cores=0.5), a_sample(2, cores=2.0))
    assert (reading.cpu_seconds, reading.cores) == (0.5 * 60 + 2.0 * 60, 2.0)


def test_cpu_time_that_was_measured_is_taken_as_it_is() -> None:
    reading = after(a_sample(1, cpu_seconds=30.0), a_sample(2, cpu_seconds=90.0))
    assert (reading.cpu_seconds, reading.cores) == (90.0, 1.0)


def test_a_measurement_that_comes_again_counts_once() -> None:
    once, twice = a_sample(1, cores=1.0), a_sample(1, cores=1.0)
    assert after(once, twice) == after(once)


def test_another_run_begins_anew() -> None:
    before = after(a_sample(10, cores=4.0))
    begun = NOON + timedelta(minutes=10)
    reading = counted(before, a_sample(11, cores=1.0), run="r2", started=begun)
    assert (reading.cpu_seconds, gained(before, reading)) == (60.0, 60.0)


@pytest.mark.parametrize("sample", [a_sample(1, cores=0.0, working_set=0), a_sample(-1, cores=1.0)])
def test_nobody_has_used_nothing(sample: Sample) -> None:
    reading = after(sample)
    assert reading.cpu_seconds >= LEAST_SECONDS
    assert reading.working_set > 0


@given(
    st.lists(
        st.tuples(
            st.floats(0, 100),
            st.one_of(st.none(), st.floats(0, 16)),
            st.one_of(st.none(), st.floats(0, 1e6)),
        ),
        min_size=2,
    )
)
def test_cpu_time_never_falls_whatever_is_measured(
    measured: list[tuple[float, float | None, float | None]],
) -> None:
    samples = [
        Sample(
            task=TaskArn("t"),
            container="main",
            at=NOON + timedelta(minutes=minute),
            cores=cores,
            cpu_seconds=seconds,
        )
        for minute, cores, seconds in measured
    ]
    readings = [after(*samples[: count + 1]).cpu_seconds for count in range(len(samples))]
    assert readings == sorted(readings)
