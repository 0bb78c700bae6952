from datetime import timedelta

import pytest

from app.extender.decision.decisions import Burst, Wait
from app.extender.decision.gate import plan
from app.extender.decision.hindrance import GateConfig
from app.extender.decision.memory import (
    Ahead,
    Arrivals,
    Gates,
    Memory,
    ahead_after,
    arrivals_after,
    gates_after,
)
from app.model.pod import Pod
from tests.builders import NOON, a_node, a_virtual_node, unschedulable
from tests.extender.fakes import a_pressing_pod
from tests.extender.plans import facts_of, runnable

GATED = a_pressing_pod(uid="u1", schedulingGates=[{"name": "quota"}])
FREE = a_pressing_pod(uid="u1", status=unschedulable(NOON - timedelta(hours=1)))
LATER = NOON + timedelta(seconds=30)
NINE_AGO = LATER - timedelta(seconds=9)


@pytest.mark.parametrize(
    ("known", "pod", "after"),
    [
        pytest.param({}, GATED, {GATED.uid: None}, id="seen gated"),
        pytest.param({}, FREE, {}, id="never seen gated"),
        pytest.param({GATED.uid: None}, GATED, {GATED.uid: None}, id="still gated"),
        pytest.param({GATED.uid: None}, FREE, {GATED.uid: LATER}, id="its gates have just gone"),
        pytest.param({GATED.uid: NOON}, FREE, {GATED.uid: NOON}, id="its gates went earlier"),
    ],
)
def test_it_is_remembered_when_the_gates_went(known: Gates, pod: Pod, after: Gates) -> None:
    assert gates_after(known, unbound={pod.uid: pod}, now=LATER) == after


def test_a_pod_that_found_a_node_or_is_gone_is_forgotten() -> None:
    assert gates_after({GATED.uid: None}, unbound={}, now=NOON) == {}


def test_the_time_that_a_pod_was_gated_is_no_waiting_time() -> None:
    config = GateConfig(max_wait=timedelta(seconds=60))
    nodes = (a_virtual_node(), a_node())
    first = plan(facts_of([GATED], nodes=nodes), Memory(), now=NOON, config=config, refusals=runnable)
    second = plan(facts_of([FREE], nodes=nodes), first.memory, now=LATER, config=config, refusals=runnable)
    [waits] = second.decisions
    assert isinstance(waits, Wait)
    assert (waits.reason.code, waits.until) == ("MaxWait", LATER + timedelta(seconds=60))
    assert second.due == waits.until
    over = LATER + timedelta(seconds=60)
    third = plan(facts_of([FREE], nodes=nodes), second.memory, now=over, config=config, refusals=runnable)
    assert isinstance(third.decisions[0], Burst)


SOON = a_pressing_pod(uid="u1", status=unschedulable(LATER))


@pytest.mark.parametrize(
    ("known", "pod", "after"),
    [
        pytest.param({}, FREE, {}, id="its time is past"),
        pytest.param({}, SOON, {SOON.uid: NOON}, id="its time is to come"),
        pytest.param({SOON.uid: NINE_AGO}, SOON, {SOON.uid: NOON}, id="set back once more"),
    ],
)
def test_it_is_remembered_when_a_pod_was_seen_whose_time_is_to_come(
    known: Ahead, pod: Pod, after: Ahead
) -> None:
    assert ahead_after(known, unbound={pod.uid: pod}, now=NOON) == after


def test_a_pod_waits_no_longer_by_a_clock_that_was_set_back_than_from_then_on() -> None:
    config = GateConfig(max_wait=timedelta(seconds=60))
    facts = facts_of([FREE], nodes=(a_virtual_node(), a_node()))
    back = NOON - timedelta(hours=24)
    first = plan(facts, Memory(), now=back, config=config, refusals=runnable)
    [waits] = first.decisions
    assert isinstance(waits, Wait)
    over = back + timedelta(seconds=60)
    assert (waits.until, first.due) == (over, over)
    second = plan(facts, first.memory, now=over, config=config, refusals=runnable)
    assert isinstance(second.decisions[0], Burst)


def test_a_new_leader_goes_by_the_condition_of_a_pod_that_it_never_saw_gated() -> None:
    config = GateConfig(max_wait=timedelta(seconds=60))
    decided = plan(
        facts_of([FREE], nodes=(a_virtual_node(), a_node())),
        Memory(),
        now=NOON,
        config=config,
        refusals=runnable,
    )
    assert isinstance(decided.decisions[0], Burst)


def test_a_gated_pod_is_no_pressure() -> None:
    decided = plan(
        facts_of([GATED], nodes=(a_virtual_node(), a_node())),
        Memory(),
        now=NOON,
        config=GateConfig(),
        refusals=runnable,
    )
    assert decided.decisions == ()


SETTLING = timedelta(seconds=10)


@pytest.mark.parametrize(
    ("known", "coming", "real", "after"),
    [
        pytest.param({}, {"n"}, {"n"}, {"n": None}, id="on its way"),
        pytest.param({"n": None}, set(), {"n"}, {"n": LATER}, id="it came just now"),
        pytest.param({"n": NINE_AGO}, set(), {"n"}, {"n": NINE_AGO}, id="it came"),
        pytest.param({"n": LATER - SETTLING}, set(), {"n"}, {}, id="it came long ago"),
        pytest.param({"n": None}, set(), set(), {}, id="it never came"),
        pytest.param({"n": NINE_AGO}, {"n"}, {"n"}, {"n": None}, id="it went down again"),
        pytest.param({}, set(), {"n"}, {}, id="it was there before us"),
    ],
)
def test_it_is_remembered_when_a_node_came(
    known: Arrivals, coming: set[str], real: set[str], after: Arrivals
) -> None:
    assert arrivals_after(known, coming=coming, real=real, now=LATER, settling=SETTLING) == after
