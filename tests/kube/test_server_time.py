"""Whose time counts."""

from datetime import timedelta
from email.utils import format_datetime

import pytest
import structlog

from app.kube.server_time import ServerTime
from tests.builders import NOON
from tests.fakes import VirtualClock

YEAR = timedelta(days=365)


def date(ahead: timedelta) -> str:
    """A Date header of a server whose clock is so far ahead of ours."""
    return format_datetime(NOON + ahead, usegmt=True)


def test_until_an_answer_is_heard_it_is_ours() -> None:
    assert ServerTime(VirtualClock()).now() == NOON


@pytest.mark.parametrize("ahead", [YEAR, -YEAR, timedelta(minutes=2)])
async def test_where_ours_is_wrong_the_servers_counts_and_goes_on(ahead: timedelta) -> None:
    clock = VirtualClock()
    time = ServerTime(clock)
    time.heard(date(ahead))
    await clock.advance(10)
    assert time.now() == NOON + ahead + timedelta(seconds=10)


@pytest.mark.parametrize(
    "told",
    [
        date(timedelta(seconds=30)),
        date(timedelta(seconds=-30)),
        "",
        "soon",
        "Thu, 99 Jan 2026",
        f"Thu, 01 Jan {10**30} 12:00:00 GMT",
    ],
)
def test_a_little_difference_and_what_is_no_date_change_nothing(told: str) -> None:
    time = ServerTime(VirtualClock())
    time.heard(told)
    assert time.now() == NOON


def test_a_clock_that_is_set_right_is_ours_again() -> None:
    time = ServerTime(VirtualClock())
    time.heard(date(YEAR))
    time.heard(date(timedelta()))
    assert time.now() == NOON


def test_a_wrong_clock_is_told_once_and_so_is_one_that_was_set_right() -> None:
    time = ServerTime(VirtualClock())
    with structlog.testing.capture_logs() as logged:
        for seconds in range(5):
            time.heard(date(YEAR + timedelta(seconds=seconds)))
        time.heard(date(timedelta()))
    assert [each.get("behind_seconds") for each in logged] == [YEAR.total_seconds(), None]
