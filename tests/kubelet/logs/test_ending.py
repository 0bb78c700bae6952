from app.kubelet.logs.ending import Ending, after_poll, is_drained


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
