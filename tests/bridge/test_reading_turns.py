"""Whose records are read next."""

from app.bridge.config import RecordConfig
from app.bridge.reading_turns import ReadingTurns
from app.model.names import TaskArn

QUIET, OTHER, LIVELY = TaskArn("arn:x/quiet"), TaskArn("arn:x/other"), TaskArn("arn:x/lively")
ALL = (QUIET, OTHER, LIVELY)


def turns_of_long_known() -> ReadingTurns:
    """Two tasks that told nothing new for long, and one that just did; all of them may be read again."""
    turns = ReadingTurns(RecordConfig(period=5, lively=60))
    turns.was_read(QUIET, now=0, news=False)
    turns.was_read(OTHER, now=1, news=False)
    turns.was_read(LIVELY, now=95, news=True)
    return turns


def test_every_other_turn_is_a_lively_tasks_and_those_between_the_longest_waiting_ones() -> None:
    turns, chosen = turns_of_long_known(), []
    for now in (100, 105, 110, 115):
        arn = turns.next_of(ALL, now=now)
        assert arn is not None
        turns.was_read(arn, now=now, news=False)
        chosen.append(arn)
    assert chosen == [LIVELY, QUIET, LIVELY, OTHER]


def test_what_was_read_a_moment_ago_is_not_read_again() -> None:
    turns = turns_of_long_known()
    assert turns.next_of((LIVELY,), now=99) is None


def test_what_was_never_read_comes_first() -> None:
    turns = turns_of_long_known()
    assert turns.next_of((*ALL, TaskArn("arn:x/new")), now=100) == "arn:x/new"


def test_a_task_that_is_forgotten_is_new_again() -> None:
    turns = turns_of_long_known()
    turns.prune((QUIET, OTHER))
    assert turns.next_of(ALL, now=96) == LIVELY
