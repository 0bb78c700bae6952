from app.aws.sessions.frames import Frame
from app.aws.sessions.inbox import MOST_AHEAD, Inbox


def a_frame(sequence: int) -> Frame:
    return Frame(kind="output_stream_data", id=bytes(16), created=0, sequence=sequence)


def test_messages_in_order_are_taken_one_by_one() -> None:
    inbox = Inbox()
    assert inbox.take(a_frame(0)) == (True, [a_frame(0)])
    assert inbox.take(a_frame(1)) == (True, [a_frame(1)])


def test_what_comes_too_early_waits_for_its_turn() -> None:
    inbox = Inbox()
    assert inbox.take(a_frame(2)) == (True, [])
    assert inbox.take(a_frame(1)) == (True, [])
    assert inbox.take(a_frame(0)) == (True, [a_frame(0), a_frame(1), a_frame(2)])


def test_what_came_already_is_acknowledged_and_dropped() -> None:
    inbox = Inbox()
    inbox.take(a_frame(0))
    assert inbox.take(a_frame(0)) == (True, [])
    assert inbox.take(a_frame(1)) == (True, [a_frame(1)])


def test_what_is_too_far_ahead_is_not_acknowledged_and_comes_again() -> None:
    inbox = Inbox()
    for sequence in range(1, MOST_AHEAD + 1):
        inbox.take(a_frame(sequence))
    assert inbox.take(a_frame(MOST_AHEAD + 1)) == (False, [])
    assert inbox.take(a_frame(1)) == (True, [])
    taken, turn = inbox.take(a_frame(0))
    assert (taken, len(turn)) == (True, MOST_AHEAD + 1)
