from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.extender.cluster.samples import Samples
from tests.builders import NOON

SECOND = timedelta(seconds=1)


def samples(seconds: list[int], *, kept: int = 20) -> Samples:
    found = Samples(kept)
    for number, each in enumerate(seconds):
        found.add(f"node-{number}", each * SECOND, at=NOON + number * SECOND)
    return found


@pytest.mark.parametrize(
    ("seconds", "quartile"),
    [
        pytest.param([40], 40, id="one"),
        pytest.param([30, 50], 50, id="two"),
        pytest.param([10, 20, 30, 40], 30, id="four"),
        pytest.param([90, 10, 20, 30, 25, 15, 12, 40], 30, id="one of eight is slow"),
    ],
)
def test_three_out_of_four_take_no_longer(seconds: list[int], quartile: int) -> None:
    assert samples(seconds).upper_quartile() == quartile * SECOND


def test_nothing_is_known_without_a_sample() -> None:
    assert samples([]).upper_quartile() is None


def test_the_earliest_are_forgotten() -> None:
    found = samples([900, 800, 10, 20], kept=2)
    assert (len(found), found.upper_quartile()) == (2, 20 * SECOND)


def test_what_is_told_again_counts_once() -> None:
    found = samples([10])
    found.add("node-0", 30 * SECOND, at=NOON)
    assert (len(found), found.upper_quartile()) == (1, 30 * SECOND)


@given(st.permutations(list(range(30))))
def test_the_order_of_telling_does_not_matter(order: list[int]) -> None:
    told, in_time = Samples(), Samples()
    for number in order:
        told.add(f"node-{number}", number * SECOND, at=NOON + number * SECOND)
    for number in range(30):
        in_time.add(f"node-{number}", number * SECOND, at=NOON + number * SECOND)
    assert (len(told), told.upper_quartile()) == (len(in_time), in_time.upper_quartile())
