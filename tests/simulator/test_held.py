"""Who is asked about of those that a budget stands against."""

from app.simulator.held import Held


def test_of_each_group_the_oldest_is_asked_about() -> None:
    held = Held()
    for pod, group in ((5, "a"), (2, "b"), (3, "a"), (9, "b")):
        held.add(pod, group)
    assert set(held.heads()) == {2, 3}


def test_who_is_gone_makes_way_for_the_next() -> None:
    held = Held()
    held.add(1, "a")
    held.add(2, "a")
    held.discard(1)
    assert held.oldest("a") == 2


def test_who_is_held_up_again_counts_once() -> None:
    held = Held()
    held.add(1, "a")
    held.add(1, "a")
    held.discard(1)
    assert held.oldest("a") is None
    assert list(held.heads()) == []


def test_who_was_not_held_up_may_go_all_the_same() -> None:
    held = Held()
    held.discard(7)
    assert held.oldest("a") is None
