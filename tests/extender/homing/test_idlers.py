from datetime import timedelta

import pytest

from app.extender.homing.idlers import NO_IDLERS, Idlers, Unused, held_off, held_off_until, idlers_after
from app.extender.homing.promises import IDLE
from tests.builders import NOON

HOUR = timedelta(hours=1)
WEB = "shop/uid-web"


def unused(*, made: float = -1) -> Unused:
    """A placeholder of web, made so many hours after noon."""
    return Unused(owner=WEB, name="ReplicaSet shop/web", made=NOON + made * HOUR, reason=IDLE)


def struck(*hours: float) -> Idlers:
    """Web after hand-overs in vain that ended so many hours after noon."""
    idlers = NO_IDLERS
    for hour in hours:
        now = NOON + hour * HOUR
        idlers = idlers_after(idlers, unused=[unused(made=hour - 0.5)], left=(), now=now, stay=HOUR)
    return idlers


@pytest.mark.parametrize(
    ("hours", "until"),
    [
        pytest.param((0,), 2, id="the first time, twice the stay"),
        pytest.param((0, 2), 2 + 4, id="then twice as long"),
        pytest.param((0, 2, 6), 6 + 8, id="and again"),
    ],
)
def test_each_hand_over_that_it_leaves_unused_doubles_the_wait(hours: tuple[float, ...], until: int) -> None:
    assert held_off_until(struck(*hours)[WEB], HOUR) == NOON + until * HOUR


def test_it_is_held_off_until_then_and_no_longer() -> None:
    assert held_off(struck(0), now=NOON + 1.9 * HOUR, stay=HOUR) == {WEB}
    assert held_off(struck(0), now=NOON + 2 * HOUR, stay=HOUR) == frozenset()


def test_placeholders_of_one_hand_over_count_once_however_late_they_go() -> None:
    late = idlers_after(struck(0), unused=[unused(made=-0.5)] * 3, left=(), now=NOON + HOUR, stay=HOUR)
    assert late[WEB].strikes == 1


def test_a_pod_that_went_home_ends_it() -> None:
    assert idlers_after(struck(0, 2), unused=(), left=[WEB], now=NOON + 3 * HOUR, stay=HOUR) == {}


def test_a_stay_without_a_failure_after_the_wait_forgives() -> None:
    assert WEB in idlers_after(struck(0), unused=(), left=(), now=NOON + 2.9 * HOUR, stay=HOUR)
    assert idlers_after(struck(0), unused=(), left=(), now=NOON + 3 * HOUR, stay=HOUR) == {}


def test_a_clock_that_is_set_back_makes_no_wait_longer_than_it_was() -> None:
    back = NOON - 24 * HOUR
    idlers = idlers_after(struck(0), unused=(), left=(), now=back, stay=HOUR)
    assert held_off_until(idlers[WEB], HOUR) == back + 2 * HOUR
