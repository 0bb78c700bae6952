from uuid import UUID

import pytest

from app.local.fargate.session_manager.frames import Frame
from app.local.fargate.session_manager.outbox import Outbox
from app.local.fargate.session_manager.violation import Violation


def message(number: int) -> Frame:
    return Frame(
        kind="output_stream_data",
        sequence=number,
        flags=0,
        id=UUID(int=number),
        payload_type=1,
        payload=b"",
        created=1,
    )


def test_nothing_is_due_where_nothing_was_sent() -> None:
    outbox = Outbox()
    assert (outbox.due(), outbox.again(now=9.0), outbox.is_empty) == (None, None, True)


def test_the_oldest_message_alone_is_sent_again_ever_less_often_up_to_a_second() -> None:
    outbox = Outbox()
    outbox.put(message(0), now=0.0)
    outbox.put(message(1), now=0.0)
    times = []
    for _ in range(5):
        due = outbox.due() or 0.0
        again = outbox.again(now=due)
        times.append((round(due, 1), again.sequence if again is not None else None))
    assert times == [(0.2, 0), (0.6, 0), (1.4, 0), (2.4, 0), (3.4, 0)]


def test_nothing_is_sent_again_before_its_time() -> None:
    outbox = Outbox()
    outbox.put(message(0), now=0.0)
    assert outbox.again(now=0.1) is None


def test_the_next_oldest_follows_once_one_has_arrived() -> None:
    outbox = Outbox()
    outbox.put(message(0), now=0.0)
    outbox.put(message(1), now=0.0)
    outbox.arrived(0, UUID(int=0))
    assert outbox.again(now=1.0) == message(1)


def test_three_thousand_times_are_enough() -> None:
    outbox = Outbox()
    outbox.put(message(0), now=0.0)
    for _ in range(2999):
        outbox.again(now=outbox.due() or 0.0)
    assert not outbox.is_hopeless()
    outbox.again(now=outbox.due() or 0.0)
    assert outbox.is_hopeless()


def test_what_arrives_in_disorder_is_struck_off() -> None:
    outbox = Outbox()
    for number in range(3):
        outbox.put(message(number), now=0.0)
    outbox.arrived(2, UUID(int=2))
    outbox.arrived(0, UUID(int=0))
    assert [each.sequence for each in outbox.open()] == [1]


def test_what_was_never_sent_cannot_arrive() -> None:
    outbox = Outbox()
    outbox.put(message(0), now=0.0)
    with pytest.raises(Violation, match="was never sent"):
        outbox.arrived(0, UUID(int=5))
