"""Evictions never loop, whatever the scheduler does with the pods."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.extender.homing.world import STEP, Fate, World

DAY = int(24 * 3600 / STEP.total_seconds())
FATES: list[Fate] = ["home", "back", "refused", "lost", "peak", "late"]


@pytest.mark.parametrize("fate", ["back", "refused", "peak", "lost"])
def test_a_return_that_always_fails_is_tried_eight_times_in_a_day_and_then_once_a_day(fate: Fate) -> None:
    world = World(overflow=3)
    world.live([fate], looks=DAY)
    first_day = len(world.evictions)
    world.live([fate], looks=2 * DAY)
    assert 5 <= first_day <= 8
    assert 1 <= len(world.evictions) - first_day <= 2


@pytest.mark.parametrize("overflow", [1, 3])
def test_pods_that_are_pushed_back_long_after_are_moved_ever_less_often(overflow: int) -> None:
    world = World(overflow=overflow)
    world.live(["late"], looks=DAY)
    first_day = len(world.evictions)
    world.live(["late"], looks=2 * DAY)
    assert 5 <= first_day <= 9 * overflow
    assert 1 <= len(world.evictions) - first_day <= 2 * overflow


def test_all_go_home_where_all_goes_well() -> None:
    world = World(overflow=6)
    world.live(["home"], looks=40)
    assert (world.overflow, len(world.evictions)) == (0, 6)


@pytest.mark.parametrize("fate", ["back", "refused"])
def test_a_new_leader_knows_what_failed(fate: Fate) -> None:
    world = World(overflow=3)
    for _ in range(DAY // 3):
        world.live([fate], looks=3)
        world.change_leader()
    assert 1 <= len(world.evictions) <= 8


@settings(max_examples=20)
@given(
    overflow=st.integers(1, 5),
    terms=st.lists(st.lists(st.sampled_from(FATES), min_size=1, max_size=12), min_size=1, max_size=4),
)
def test_failures_of_one_controller_stay_few_whatever_happens(overflow: int, terms: list[list[Fate]]) -> None:
    world = World(overflow=overflow)
    for fates in terms:
        world.live(fates, looks=DAY // 2)
        world.change_leader()
    days = len(terms) / 2
    assert world.went_wrong() <= 9 + 4 * days
    assert len(world.evictions) <= overflow * (10 + 4 * days)
