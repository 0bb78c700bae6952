from datetime import timedelta

import pytest

from app.kubelet.logs.ending import Ending, after_poll, is_drained, is_over, next_start
from app.model.log import LogSource, LogWindow
from tests.builders import NOON
from tests.kubelet.fakes import a_stream


def test_a_running_container_has_no_end() -> None:
    ending = after_poll(Ending(), is_over=False, is_quiet=True, now=1.0)
    assert not is_drained(ending, now=100.0, grace=3.0)


def test_the_end_needs_two_quiet_polls_and_the_grace() -> None:
    once = after_poll(Ending(), is_over=True, is_quiet=True, now=10.0)
    twice = after_poll(once, is_over=True, is_quiet=True, now=11.0)
    assert not is_drained(once, now=20.0, grace=3.0)
    assert not is_drained(twice, now=12.9, grace=3.0)
    assert is_drained(twice, now=13.0, grace=3.0)


def test_a_late_line_or_an_unanswered_poll_starts_the_count_of_quiet_polls_again() -> None:
    once = after_poll(Ending(), is_over=True, is_quiet=True, now=10.0)
    late = after_poll(once, is_over=True, is_quiet=False, now=11.0)
    again = after_poll(late, is_over=True, is_quiet=True, now=20.0)
    assert not is_drained(again, now=30.0, grace=3.0)
    assert is_drained(after_poll(again, is_over=True, is_quiet=True, now=30.0), now=30.0, grace=3.0)


def test_a_container_that_runs_after_all_is_not_over() -> None:
    over = after_poll(Ending(), is_over=True, is_quiet=True, now=10.0)
    assert after_poll(over, is_over=False, is_quiet=True, now=11.0) == Ending()


def a_source(*, stream: str = "s", finished: bool = False, since: float | None = None) -> LogSource:
    begun = None if since is None else NOON + timedelta(seconds=since)
    return LogSource(stream=a_stream(stream), finished=finished, window=LogWindow(since=begun))


@pytest.mark.parametrize(
    ("newest", "over"),
    [
        pytest.param(a_source(since=10), False, id="the same run"),
        pytest.param(a_source(since=10.4), False, id="the same, known better now"),
        pytest.param(a_source(since=10, finished=True), True, id="it has ended"),
        pytest.param(a_source(since=20), True, id="another run of the task"),
        pytest.param(a_source(), True, id="a first run"),
        pytest.param(a_source(stream="t", since=10), True, id="another task"),
        pytest.param(None, True, id="gone"),
    ],
)
def test_a_run_is_over_when_it_ended_or_is_the_newest_no_more(
    newest: LogSource | None, *, over: bool
) -> None:
    assert is_over(a_source(since=10), newest) is over


def test_only_a_later_run_of_the_same_stream_ends_a_runs_lines() -> None:
    first = a_source()
    assert next_start(first, a_source(since=20)) == NOON + timedelta(seconds=20)
    assert next_start(first, a_source(stream="t", since=20)) is None
    assert next_start(first, a_source(finished=True)) is None
