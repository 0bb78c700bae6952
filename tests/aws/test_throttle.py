import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.aws import throttle
from app.aws.throttle import Bucket, Quota


def drained(bucket: Bucket, *, now: float) -> Bucket:
    """The bucket after as many calls as it grants at `now`."""
    while throttle.wait(bucket, now=now) == 0:
        bucket = throttle.taken(bucket, now=now)
    return bucket


def greedy(quota: Quota, pauses: list[float], throttles: list[bool]) -> list[float]:
    """The moments of all calls of somebody who waits a while and then takes all there is, again and again."""
    bucket, now, moments = throttle.full(quota, now=0.0), 0.0, []
    for pause, is_throttled in zip(pauses, itertools.cycle(throttles), strict=False):
        now += pause
        bucket = throttle.slowed(bucket, now=now) if is_throttled else bucket
        while throttle.wait(bucket, now=now) == 0:
            bucket = throttle.taken(bucket, now=now)
            moments.append(now)
    return moments


@given(
    burst=st.integers(1, 30),
    rate=st.floats(0.5, 50),
    pauses=st.lists(st.floats(0, 3), max_size=30),
    throttles=st.lists(st.booleans(), min_size=1, max_size=5),
)
def test_no_window_holds_more_calls_than_burst_and_rate_allow(
    burst: int, rate: float, pauses: list[float], throttles: list[bool]
) -> None:
    moments = greedy(Quota(burst, rate), pauses, throttles)
    windows = itertools.combinations(enumerate(moments), 2)
    assert all(
        last - first + 1 <= burst + rate * (end - start) + 0.01 for (first, start), (last, end) in windows
    )


@given(rate=st.floats(0.5, 50), elapsed=st.floats(0, 200), slowdowns=st.integers(0, 8))
def test_the_call_is_granted_after_the_announced_wait(rate: float, elapsed: float, slowdowns: int) -> None:
    bucket = drained(throttle.full(Quota(3, rate), now=0.0), now=0.0)
    for second in range(slowdowns):
        bucket = throttle.slowed(bucket, now=2.0 * second)
    now = 16.0 + elapsed
    bucket = drained(bucket, now=now)
    assert throttle.wait(bucket, now=now + throttle.wait(bucket, now=now)) == 0


def test_a_full_bucket_grants_its_burst_at_once_and_then_waits_for_the_rate() -> None:
    bucket = drained(throttle.full(Quota(20, 20), now=5.0), now=5.0)
    assert bucket.tokens == 0
    assert throttle.wait(bucket, now=5.0) == pytest.approx(0.05)


def test_a_throttled_bucket_is_empty_and_runs_at_half_pace() -> None:
    bucket = throttle.slowed(throttle.full(Quota(20, 20), now=0.0), now=0.0)
    assert (bucket.tokens, bucket.pace) == (0, 10)


def test_answers_throttled_together_slow_the_bucket_once() -> None:
    once = throttle.slowed(throttle.full(Quota(20, 20), now=0.0), now=0.0)
    twice = throttle.slowed(once, now=0.5)
    assert twice.pace == pytest.approx(10, abs=0.2)


def test_the_pace_never_falls_below_a_sixteenth_of_the_rate() -> None:
    bucket = throttle.full(Quota(20, 16), now=0.0)
    for second in range(40):
        bucket = throttle.slowed(bucket, now=2.0 * second)
    assert bucket.pace >= 1


def test_the_pace_is_back_at_the_published_rate_half_a_minute_after_one_throttled_call() -> None:
    bucket = throttle.slowed(throttle.full(Quota(20, 20), now=0.0), now=0.0)
    assert throttle.refilled(bucket, now=15.0).pace == pytest.approx(15)
    assert throttle.refilled(bucket, now=30.0).pace == pytest.approx(20)
    assert throttle.refilled(bucket, now=90.0).pace == pytest.approx(20)


def test_a_clock_that_stands_still_refills_nothing() -> None:
    bucket = drained(throttle.full(Quota(2, 1), now=3.0), now=3.0)
    assert throttle.refilled(bucket, now=2.0) == bucket
