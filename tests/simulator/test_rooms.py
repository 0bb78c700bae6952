"""First fit: the tree finds what asking one by one finds."""

from hypothesis import given
from hypothesis import strategies as st

from app.simulator.rooms import FirstFit, Rooms

AMOUNT = st.integers(0, 20)


@given(
    pairs=st.lists(st.tuples(st.integers(0, 12), AMOUNT, AMOUNT), max_size=40),
    left=AMOUNT,
    right=AMOUNT,
)
def test_the_first_that_is_large_enough_is_found(
    pairs: list[tuple[int, int, int]], left: int, right: int
) -> None:
    tree = FirstFit(13)
    newest = {}
    for index, one, other in pairs:
        tree.set(index, one, other)
        newest[index] = (one, other)
    fitting = [index for index, (one, other) in newest.items() if one >= left and other >= right]
    assert tree.first(left, right) == min(fitting, default=None)


def test_an_empty_tree_holds_nothing() -> None:
    assert FirstFit(0).first(0, 0) is None


def test_a_room_that_is_full_of_pods_takes_no_more_however_small() -> None:
    rooms = Rooms(1)
    rooms.open(0, cpu_milli=1000, memory_mib=1000, pods=1)
    rooms.take(0, 1, 1)
    assert rooms.first(1, 1) is None
    rooms.give(0, 1, 1)
    assert rooms.first(1000, 1000) == 0


def test_a_closed_room_is_not_found() -> None:
    rooms = Rooms(2)
    rooms.open(0, cpu_milli=1, memory_mib=1, pods=1)
    rooms.open(1, cpu_milli=1, memory_mib=1, pods=1)
    rooms.close(0)
    assert rooms.first(1, 1) == 1
