"""Amounts of room add up, compare and survive the wire."""

from hypothesis import given
from hypothesis import strategies as st

from app.model.resources import Resources, total

counts = st.integers(min_value=0, max_value=2**40)
extended = st.dictionaries(st.sampled_from(["nvidia.com/gpu", "example.com/nic"]), st.integers(1, 9)).map(
    lambda each: tuple(sorted(each.items()))
)
rooms = st.builds(Resources, cpu_milli=counts, memory=counts, storage=counts, pods=counts, extended=extended)


@given(rooms)
def test_an_amount_survives_the_wire(amount: Resources) -> None:
    assert Resources.parse(amount.wire()) == amount


@given(rooms, rooms)
def test_what_is_added_can_be_taken_away(left: Resources, right: Resources) -> None:
    assert left + right - right == left


@given(rooms, rooms)
def test_both_fit_into_the_larger_of_both(left: Resources, right: Resources) -> None:
    larger = left.at_least(right)
    assert left.fits(larger)
    assert right.fits(larger)


@given(st.lists(rooms, max_size=5))
def test_each_part_fits_into_the_total(amounts: list[Resources]) -> None:
    assert [each for each in amounts if not each.fits(total(amounts))] == []


def test_nothing_sums_to_no_room() -> None:
    assert total([]) == Resources()


def test_zero_of_an_extended_resource_is_not_asked_for() -> None:
    assert Resources.parse({"nvidia.com/gpu": "0"}) == Resources()


def test_an_extended_resource_that_is_not_there_does_not_fit() -> None:
    assert not Resources(extended=(("nvidia.com/gpu", 1),)).fits(Resources(cpu_milli=10))


def test_one_byte_too_much_does_not_fit() -> None:
    assert not Resources(memory=1025).fits(Resources(cpu_milli=10, memory=1024))


def test_what_is_not_asked_for_fits_an_overcommitted_node() -> None:
    assert Resources(cpu_milli=100).fits(Resources(cpu_milli=100, memory=-1))


def test_an_extended_resource_is_listed_by_name() -> None:
    assert Resources(cpu_milli=1500, memory=1024, pods=3, extended=(("nvidia.com/gpu", 2),)).wire() == {
        "cpu": "1500m",
        "memory": "1Ki",
        "ephemeral-storage": "0",
        "pods": "3",
        "nvidia.com/gpu": "2",
    }
