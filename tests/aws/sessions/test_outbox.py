import pytest

from app.aws.sessions.outbox import MOST_REPEATS, Outbox, RoundTrip, learned


def an_outbox(*messages: bytes) -> Outbox:
    outbox = Outbox()
    for message in messages:
        outbox.sent(message, now=0.0)
    return outbox


def test_nothing_is_due_while_everything_is_acknowledged() -> None:
    outbox = an_outbox(b"a")
    outbox.acknowledged(0, now=0.1)
    assert (outbox.due(), outbox.waiting) == (None, 0)


def test_the_oldest_is_repeated_after_a_fifth_of_a_second() -> None:
    outbox = an_outbox(b"a", b"b")
    assert outbox.repeated(now=0.19) is None
    assert outbox.repeated(now=0.2) == b"a"


def test_repeats_of_one_message_become_rarer_up_to_one_a_second() -> None:
    outbox = an_outbox(b"a")
    moments = [0.2, 0.6, 1.4, 2.4, 3.4]
    due = [outbox.due() for moment in moments if outbox.repeated(now=moment)]
    assert due == pytest.approx([0.6, 1.4, 2.4, 3.4, 4.4])


def test_the_next_is_due_once_the_oldest_is_acknowledged() -> None:
    outbox = an_outbox(b"a", b"b")
    outbox.acknowledged(0, now=0.1)
    assert outbox.repeated(now=5.0) == b"b"


def test_an_acknowledgement_out_of_order_leaves_the_oldest() -> None:
    outbox = an_outbox(b"a", b"b")
    outbox.acknowledged(1, now=0.1)
    assert outbox.repeated(now=5.0) == b"a"


@pytest.mark.parametrize("sequence", [-1, 7], ids=["none", "never sent"])
def test_an_acknowledgement_of_nothing_changes_nothing(sequence: int) -> None:
    outbox = an_outbox(b"a")
    outbox.acknowledged(sequence, now=0.1)
    assert outbox.waiting == 1


def test_slow_answers_make_it_patient_and_quick_ones_eager() -> None:
    slow = fast = RoundTrip()
    for _ in range(20):
        slow, fast = learned(slow, taken=0.5), learned(fast, taken=0.01)
    assert slow.timeout > 0.5
    assert fast.timeout < 0.1


def test_nobody_waits_longer_than_a_second() -> None:
    assert learned(RoundTrip(), taken=30.0).timeout == 1.0


def test_of_a_repeated_message_nothing_is_learned() -> None:
    outbox = an_outbox(b"a")
    outbox.repeated(now=1.0)
    outbox.acknowledged(0, now=1.001)
    assert outbox.trip == RoundTrip()


def test_for_a_new_connection_all_that_waits_goes_again_in_order() -> None:
    outbox = an_outbox(b"a", b"b", b"c")
    outbox.acknowledged(1, now=0.01)
    assert outbox.resent(now=0.01) == [b"a", b"c"]


def test_what_went_again_is_not_due_at_once_and_teaches_nothing() -> None:
    outbox = an_outbox(b"a", b"b")
    outbox.resent(now=5.0)
    assert outbox.repeated(now=5.1) is None
    outbox.acknowledged(0, now=5.2)
    assert outbox.trip == RoundTrip()


def test_it_gives_up_after_three_thousand_repeats() -> None:
    outbox = an_outbox(b"a")
    for second in range(1, MOST_REPEATS + 1):
        outbox.repeated(now=float(second))
    assert not outbox.is_given_up
    outbox.repeated(now=float(MOST_REPEATS + 1))
    assert outbox.is_given_up
