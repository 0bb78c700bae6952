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
    assert (reading.cpu_seconds, gained(before, reading, since=NOON)) == (60.0, 60.0)


def test_cores_say_nothing_of_the_time_before_their_minute() -> None:
    reading = after(a_sample(600, cores=2.0))
    assert (reading.cpu_seconds, reading.started) == (120.0, NOON + timedelta(minutes=599))


def test_a_container_that_ecs_starts_again_counts_on_from_where_it_was() -> None:
    reading = after(*(a_sample(n, cpu_seconds=each) for n, each in enumerate((50, 90, 10, 30), start=1)))
    assert (reading.cpu_seconds, reading.counter, reading.started) == (120.0, 30.0, NOON)


def test_another_run_begins_where_the_run_before_was_last_measured() -> None:
    before = after(a_sample(10, cpu_seconds=500))
    reading = counted(before, a_sample(10.5, cpu_seconds=3), run="r2", started=NOON)
    assert (reading.cpu_seconds, reading.started) == (3.0, NOON + timedelta(minutes=10))


def test_a_late_measurement_of_the_run_before_is_not_all_the_new_ones() -> None:
    before = after(a_sample(10, cpu_seconds=500))
    late = counted(before, a_sample(10.25, cpu_seconds=512), run="r2", started=NOON)
    then = counted(late, a_sample(10.5, cpu_seconds=3), run="r2", started=NOON)
    assert (late.cpu_seconds, then.cpu_seconds) == (12.0, 15.0)


def test_when_the_helper_speaks_again_what_was_estimated_goes_on_as_it_did() -> None:
    estimated = a_sample(2, cores=2.0)
    reading = after(a_sample(1, cpu_seconds=10.0), estimated, a_sample(3, cpu_seconds=500.0))
    assert (reading.cpu_seconds, reading.cores) == (10.0 + 120.0 + 120.0, 2.0)


def test_no_source_that_comes_later_adds_what_was_before_it_at_once() -> None:
    a_day_of_work = a_sample(1441, cpu_seconds=86_000.0)
    reading = after(a_sample(1440, cores=0.5), a_day_of_work, a_sample(1442, cpu_seconds=86_030.0))
    assert (reading.cpu_seconds, reading.cores) == (30.0 + 30.0 + 30.0, 0.5)


@pytest.mark.parametrize(
    ("since", "gain"),
    [
        pytest.param(-5, 600.0, id="began while we counted"),
        pytest.param(0, 600.0, id="with us"),
        pytest.param(90, 60.0, id="long before us"),
        pytest.param(120, 0.0, id="measured before us"),
    ],
)
def test_of_what_ran_before_us_only_our_share_is_a_gain(since: float, gain: float) -> None:
    reading = after(a_sample(100, cpu_seconds=600.0))
    assert gained(None, reading, since=NOON + timedelta(minutes=since)) == gain


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
    assert readings[0] > 0


@given(
    st.lists(
        st.tuples(st.sampled_from(["helper", "insights", "restart"]), st.floats(0, 16), st.floats(0.01, 5)),
        min_size=2,
    )
)
def test_nobody_seems_to_use_more_than_the_busiest_measurement(
    measured: list[tuple[str, float, float]],
) -> None:
    """Sources alternate, and counters begin anew: the growth is never more than the cores that were used."""
    minute, counter, reading = 0.0, 0.0, None
    for source, cores, minutes in measured:
        minute += minutes
        counter = 0.0 if source == "restart" else counter + cores * minutes * 60
        sample = a_sample(minute, **({"cores": cores} if source == "insights" else {"cpu_seconds": counter}))
        after_it = counted(reading, sample, run="r1", started=NOON)
        if reading is not None:
            seconds = (after_it.at - reading.at).total_seconds()
            most = max(each for _, each, _ in measured) * seconds * 1.01 + 0.01
            assert after_it.cpu_seconds - reading.cpu_seconds <= most
        reading = after_it
