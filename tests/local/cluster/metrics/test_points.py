"""Usage between two measurements."""

import pytest

from app.local.cluster.metrics.points import Point, Usage, kept, usage_of


def at(time: float, cpu: float, *, started: float = 0.0) -> Point:
    return Point(cpu=cpu, memory=100.0, at=time, started=started)


def test_usage_is_what_the_counter_gained_over_the_window() -> None:
    assert usage_of((at(100, 1.0), at(160, 31.0))) == Usage(
        cpu=500_000_000, memory=100, at=160.0, window=60.0
    )


@pytest.mark.parametrize(
    "points",
    [
        pytest.param((), id="nothing yet"),
        pytest.param((at(100, 1.0),), id="one point"),
        pytest.param((at(100, 9.0), at(160, 1.0)), id="the counter went back"),
    ],
)
def test_without_two_points_there_is_no_usage(points: tuple[Point, ...]) -> None:
    assert usage_of(points) is None


def test_the_same_measurement_again_is_none() -> None:
    points = (at(100, 1.0), at(160, 2.0))

    assert kept(points, at(160, 2.0)) == points


def test_the_last_two_points_are_kept() -> None:
    assert kept((at(100, 1.0), at(160, 2.0)), at(220, 3.0)) == (at(160, 2.0), at(220, 3.0))


def test_a_container_that_has_just_started_began_at_nothing() -> None:
    first = kept((), at(112, 6.0, started=100))

    assert usage_of(first) == Usage(cpu=500_000_000, memory=100, at=112.0, window=12.0)


def test_a_container_that_was_started_anew_begins_anew() -> None:
    assert kept((at(100, 9.0, started=1),), at(160, 1.0, started=120)) == (at(160, 1.0, started=120),)
