from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from app.extender.homing.config import ReturnConfig
from app.extender.homing.trials import (
    Seen,
    Trial,
    clamped,
    held_off_until,
    judged,
    merged,
    read_trials,
    remembered,
    struck,
    written_trials,
)
from app.model.names import RETURNS
from app.model.replicas import Replicas
from tests.builders import NOON, VIRTUAL
from tests.extender.homing.returns import CONFIG, MINUTE, WHOLE, a_trial, an_overflow_pod, owner

SOON = NOON + timedelta(seconds=30)
OPEN = a_trial()
HOME = a_trial(state="home")
STUCK = an_overflow_pod("web-0", created=NOON - MINUTE, metadata={"deletionTimestamp": NOON.isoformat()})
STILL_THERE = an_overflow_pod("web-0", created=NOON - MINUTE)
OLDER = an_overflow_pod("web-1", created=NOON - 2 * MINUTE)
BACK = an_overflow_pod("web-2", created=NOON + timedelta(seconds=1))
ONE_SHORT = Replicas(wanted=3, ready=2)


def altered(old: str, new: str) -> str:
    """The annotation with one record in which this stands instead of that."""
    return written_trials([OPEN], node=VIRTUAL).replace(old, new)


@pytest.mark.parametrize(
    ("trial", "seen", "at", "state"),
    [
        pytest.param(OPEN, Seen(replicas=WHOLE), SOON, "home", id="as many ready as before"),
        pytest.param(OPEN, Seen(replicas=ONE_SHORT), SOON, "open", id="one is missing"),
        pytest.param(OPEN, Seen(replicas="unknown"), SOON, "open", id="nobody could ask"),
        pytest.param(OPEN, Seen(replicas=None), SOON, "home", id="the controller is gone"),
        pytest.param(
            OPEN, Seen(replicas=Replicas(wanted=2, ready=2)), SOON, "home", id="scaled in meanwhile"
        ),
        pytest.param(OPEN, Seen(replicas=WHOLE, waits=True), SOON, "open", id="a pod has no node"),
        pytest.param(OPEN, Seen(replicas=WHOLE, overflow=(STILL_THERE,)), SOON, "open", id="not deleted yet"),
        pytest.param(
            OPEN,
            Seen(replicas=WHOLE, overflow=(STILL_THERE,)),
            NOON + 2 * MINUTE,
            "struck",
            id="never deleted at all",
        ),
        pytest.param(OPEN, Seen(replicas=ONE_SHORT), NOON + 11 * MINUTE, "struck", id="never ready again"),
        pytest.param(
            OPEN, Seen(replicas=WHOLE, overflow=(STUCK,)), NOON + 11 * MINUTE, "struck", id="never gone"
        ),
        pytest.param(OPEN, Seen(replicas=WHOLE, overflow=(BACK,)), SOON, "struck", id="back on Fargate"),
        pytest.param(OPEN, Seen(replicas=WHOLE, overflow=(OLDER,)), SOON, "home", id="others were there"),
        pytest.param(HOME, Seen(overflow=(BACK,)), NOON + 9 * MINUTE, "struck", id="pushed out again soon"),
        pytest.param(HOME, Seen(overflow=(BACK,)), NOON + 11 * MINUTE, "home", id="another peak, later"),
    ],
)
def test_what_came_of_a_return(trial: Trial, seen: Seen, at: Any, state: str) -> None:
    assert judged(trial, seen, now=at, config=CONFIG).state == state


def test_a_pod_that_takes_its_time_to_leave_is_waited_for() -> None:
    seen = Seen(replicas=WHOLE, overflow=(STUCK,))
    assert judged(OPEN, seen, now=NOON + 9 * MINUTE, config=CONFIG).state == "open"


@pytest.mark.parametrize(
    ("strikes", "pause"),
    [
        pytest.param(1, timedelta(minutes=10), id="first"),
        pytest.param(2, timedelta(minutes=20), id="second"),
        pytest.param(5, timedelta(minutes=160), id="fifth"),
        pytest.param(8, timedelta(minutes=1280), id="eighth"),
        pytest.param(9, timedelta(hours=24), id="longest"),
        pytest.param(10**6, timedelta(hours=24), id="never longer"),
    ],
)
def test_pauses_double_up_to_a_day(strikes: int, pause: timedelta) -> None:
    trial = a_trial(state="struck", strikes=strikes, struck=NOON)
    assert held_off_until(trial, CONFIG) == NOON + pause


def test_a_success_shortens_no_pause() -> None:
    trial = a_trial(strikes=3, struck=NOON)
    after = judged(trial, Seen(replicas=WHOLE), now=SOON, config=CONFIG)
    assert (after.state, held_off_until(after, CONFIG)) == ("home", NOON + timedelta(minutes=40))


@pytest.mark.parametrize(
    ("trial", "at", "kept"),
    [
        pytest.param(OPEN, NOON + timedelta(days=30), True, id="open"),
        pytest.param(HOME, NOON + timedelta(hours=23), True, id="home, today"),
        pytest.param(HOME, NOON + timedelta(hours=24), False, id="home for good"),
        pytest.param(
            a_trial(state="struck", strikes=1, struck=NOON), NOON + timedelta(hours=24), True, id="struck"
        ),
        pytest.param(
            a_trial(state="struck", strikes=1, struck=NOON),
            NOON + timedelta(hours=25),
            False,
            id="nothing went wrong for a day after the pause",
        ),
    ],
)
def test_records_are_forgotten_in_time(trial: Trial, at: Any, kept: bool) -> None:
    assert bool(remembered([trial], now=at, config=CONFIG)) is kept


def test_records_are_read_as_they_were_written() -> None:
    trials = (a_trial(strikes=2, struck=NOON), a_trial("db-0", owner=owner("db")))
    text = written_trials(trials, node=VIRTUAL)
    assert set(read_trials({RETURNS: text})) == set(trials)


def test_a_node_keeps_its_own_records_only() -> None:
    assert written_trials([a_trial(node="fargate-1b")], node=VIRTUAL) == "[]"


def test_of_many_that_went_home_the_latest_are_remembered() -> None:
    calm = [a_trial(owner=owner(f"o{n}"), state="home", at=NOON + n * MINUTE) for n in range(150)]
    kept = remembered(calm, now=NOON + 180 * MINUTE, config=CONFIG)
    assert set(kept) == {f"shop/uid-o{n}" for n in range(75, 150)}


def test_those_that_may_come_back_soon_are_remembered_however_many_they_are() -> None:
    fresh = [a_trial(owner=owner(f"o{n}"), state="home", at=NOON) for n in range(150)]
    assert len(remembered(fresh, now=NOON + 9 * MINUTE, config=CONFIG)) == 150


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '[{"owner": 1}]',
        '[{"at": "2026-01-01T00:00:00"}]',
        pytest.param('[{"x":' + "[" * 50_000 + "]" * 50_000 + "}]", id="nested deep"),
        pytest.param(altered('"strikes":0', '"strikes":-1' + "0" * 400), id="endless strikes"),
        pytest.param(altered('"strikes":0', '"strikes":65'), id="more strikes than we count"),
        pytest.param(altered('"ready":3', '"ready":1' + "0" * 40), id="endless replicas"),
    ],
)
def test_what_nobody_of_us_wrote_is_no_record(text: str) -> None:
    assert read_trials({RETURNS: text}) == ()


@pytest.mark.parametrize("state", ["open", "home", "struck"])
def test_a_record_from_the_end_of_time_does_no_harm(state: Any) -> None:
    end = datetime.max.replace(tzinfo=UTC)
    trial = a_trial(state=state, at=end, until=end, struck=end, strikes=10**9, newest=end)
    after = judged(trial, Seen(replicas=WHOLE), now=NOON, config=CONFIG)
    assert remembered([after], now=NOON, config=CONFIG) == {"shop/uid-web": after}


def test_a_record_from_the_future_holds_nobody_for_longer_than_a_day() -> None:
    end = datetime.max.replace(tzinfo=UTC)
    forged = clamped(a_trial(at=end, until=end, struck=end), now=NOON)
    assert (forged.at, forged.struck, forged.until <= NOON + timedelta(hours=25)) == (NOON, NOON, True)


def test_a_record_of_ours_is_as_it_was_written() -> None:
    trial = a_trial(struck=NOON, until=NOON + timedelta(hours=24, minutes=10))
    assert clamped(trial, now=NOON) == trial


def test_strikes_are_counted_up_to_what_can_be_read_again() -> None:
    trial = struck(a_trial(strikes=64), now=NOON)
    assert read_trials({RETURNS: written_trials([trial], node=VIRTUAL)}) == (trial,)


def test_of_two_records_the_sterner_holds() -> None:
    mild, stern = a_trial(node="fargate-1b", at=SOON), a_trial(strikes=1, struck=NOON)
    assert merged([stern, mild]) == merged([mild, stern]) == {"shop/uid-web": stern}


def test_a_record_is_small_enough_for_an_annotation() -> None:
    long = msgspec.structs.replace(
        a_trial(uid := "x" * 36, strikes=9, struck=NOON, namespace="n" * 63),
        owner=msgspec.structs.replace(owner("r" * 63), uid=uid),
        node="v" * 63,
    )
    assert len(written_trials([long], node="v" * 63)) < 800


def test_a_shorter_first_pause_is_heeded() -> None:
    config = ReturnConfig(hold_off=timedelta(seconds=10))
    assert held_off_until(a_trial(strikes=1, struck=NOON), config) == NOON + timedelta(seconds=10)
