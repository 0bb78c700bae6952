from datetime import datetime, timedelta
from typing import Literal

import msgspec
import pytest

from app.extender.cluster.pressure import Pressure
from app.extender.cluster.watermark import Watermark
from app.extender.homing.config import ReturnConfig
from app.extender.homing.memory import ReturnMemory
from app.extender.homing.returning import objection, plan_returns
from app.model.names import EARLY, PodUid
from app.model.replicas import Replicas
from tests.builders import NOON, VIRTUAL, a_node, a_pod, a_virtual_node, owned_by, unschedulable
from tests.extender.homing.returns import (
    CONFIG,
    LATER,
    MINUTE,
    WHOLE,
    a_trial,
    an_overflow_pod,
    fitted,
    going,
    owner,
    ready_since,
    remembering,
    returns,
    why,
)
from tests.extender.plans import facts_of

POD = an_overflow_pod()


def test_a_pod_that_has_fitted_for_long_goes_home() -> None:
    assert going(returns(POD)) == ["web-1"]


def test_a_pod_that_fits_since_now_has_to_wait() -> None:
    planned = returns(POD, memory=ReturnMemory())
    assert (going(planned), why(planned, POD)) == ([], "RoomNotSustained")
    assert planned.memory.fits_since == {POD.uid: LATER}


def test_time_counts_from_when_it_first_fitted() -> None:
    assert going(returns(POD, memory=fitted(POD, since=LATER - 5 * MINUTE))) == ["web-1"]
    assert going(returns(POD, memory=fitted(POD, since=LATER - 4 * MINUTE))) == []


def test_a_break_begins_the_time_anew() -> None:
    without = returns(POD, nodes=(a_node(cpu="100m"),))
    again = returns(POD, memory=without.memory)
    assert (why(without, POD), why(again, POD)) == ("NoRoom", "RoomNotSustained")


def test_pods_that_wait_for_a_node_come_first() -> None:
    waiting = a_pod("other", cpu="1800m", status=unschedulable())
    assert why(returns(POD, waiting), POD) == "NoRoom"


def test_one_pod_of_each_controller_goes_at_once() -> None:
    pods = [an_overflow_pod(f"{of}-{n}", of=of) for of in ("web", "db") for n in range(2)]
    planned = returns(*pods)
    assert sorted(each.owner.name for each in planned.evict) == ["db", "web"]
    assert next(iter(planned.stays.values())).code == "AnotherFirst"


def test_who_has_fitted_for_the_longest_goes_first() -> None:
    young, old = an_overflow_pod("young", of="a"), an_overflow_pod("old", of="b")
    memory = ReturnMemory(fits_since={young.uid: NOON + MINUTE, old.uid: NOON})
    assert going(returns(young, old, memory=memory)) == ["old", "young"]


def test_a_controller_that_could_not_spare_a_pod_comes_after_all_others_with_any_pod() -> None:
    refused, old, web = an_overflow_pod("a-1", of="a"), an_overflow_pod("a-2", of="a"), POD
    since = {refused.uid: LATER - 6 * MINUTE, old.uid: NOON, web.uid: NOON + MINUTE}
    memory = ReturnMemory(fits_since=since, behind=frozenset({refused.uid}))
    assert going(returns(refused, old, web, nodes=(a_node(cpu="8"),), memory=memory)) == ["web-1", "a-2"]


def test_of_controllers_that_could_not_spare_a_pod_the_one_that_was_asked_first_comes_first() -> None:
    pods = {of: an_overflow_pod(f"{of}-1", of=of) for of in ("a", "b")}
    old = an_overflow_pod("b-2", of="b")
    since = {pods["a"].uid: LATER - 7 * MINUTE, pods["b"].uid: LATER - 6 * MINUTE, old.uid: NOON}
    memory = ReturnMemory(fits_since=since, behind=frozenset(pod.uid for pod in pods.values()))
    planned = returns(*pods.values(), old, nodes=(a_node(cpu="8"),), memory=memory)
    assert going(planned) == ["a-1", "b-2"]


def test_the_time_that_room_lasts_counts_while_a_pod_is_ready_for_too_short() -> None:
    young = an_overflow_pod(status=ready_since(LATER - MINUTE))
    planned = returns(young, memory=ReturnMemory())
    assert (why(planned, young), planned.memory.fits_since) == ("RecentlyReady", {young.uid: LATER})
    assert going(returns(young, memory=planned.memory, now=LATER + 5 * MINUTE)) == ["web-1"]


def test_a_pod_that_is_ready_for_too_short_takes_no_room_from_one_that_may_go() -> None:
    young = an_overflow_pod("db-1", of="db", cpu="1800m", status=ready_since(LATER - MINUTE))
    planned = returns(young, POD)
    assert (going(planned), why(planned, young)) == (["web-1"], "NoRoom")


def test_the_room_is_counted_once() -> None:
    pods = [an_overflow_pod(f"{of}-0", of=of, cpu="1500m") for of in ("web", "db")]
    planned = returns(*pods)
    assert (len(planned.evict), [each.code for each in planned.stays.values()]) == (1, ["NoRoom"])


def test_nobody_goes_while_another_is_on_the_way() -> None:
    others = [a_trial(owner=owner(of), until=LATER + MINUTE) for of in ("db", "api")]
    planned = returns(POD, memory=remembering(*others, fits_since={POD.uid: NOON}))
    assert (going(planned), why(planned, POD), planned.places) == ([], "AnotherFirst", 0)


def test_one_that_is_on_the_way_for_long_leaves_a_place_for_others() -> None:
    other = a_trial(owner=owner("db"), until=LATER + MINUTE)
    planned = returns(POD, memory=remembering(other, fits_since={POD.uid: NOON}))
    assert (going(planned), planned.places) == (["web-1"], 1)


def test_no_second_one_of_a_controller_goes_while_the_first_is_on_the_way() -> None:
    planned = returns(
        POD, memory=remembering(a_trial(newest=NOON, until=LATER + MINUTE), fits_since={POD.uid: NOON})
    )
    assert (going(planned), why(planned, POD)) == ([], "AnotherFirst")


def test_records_of_a_namespace_are_not_anothers() -> None:
    elsewhere = a_trial(namespace="other", state="struck", strikes=1, struck=LATER)
    assert going(returns(POD, memory=remembering(elsewhere, fits_since={POD.uid: NOON}))) == ["web-1"]


def test_a_pod_that_claims_a_controller_of_another_namespace_holds_none_of_its_pods() -> None:
    foreign = a_pod("x", namespace="other", metadata=owned_by("ReplicaSet", "web"), status=unschedulable())
    assert going(returns(POD, foreign, nodes=(a_node(cpu="8"),))) == ["web-1"]


def test_a_stateful_set_of_which_a_pod_is_leaving_keeps_the_others() -> None:
    stays = an_overflow_pod("db-1", of="db", kind="StatefulSet")
    leaving = {"deletionTimestamp": NOON.isoformat()}
    goes = an_overflow_pod("db-2", of="db", kind="StatefulSet", metadata=leaving)
    planned = returns(stays, goes)
    assert (going(planned), why(planned, stays)) == ([], "AnotherFirst")


def test_the_next_goes_once_the_last_is_ready_again() -> None:
    memory = remembering(a_trial(newest=NOON), fits_since={POD.uid: NOON})
    assert going(returns(POD, memory=memory, counted={"shop/uid-web": WHOLE})) == ["web-1"]


def test_a_controller_that_is_held_off_stays_and_says_until_when() -> None:
    held = a_trial(state="struck", strikes=1, struck=LATER - MINUTE)
    planned = returns(POD, memory=remembering(held, fits_since={POD.uid: NOON}))
    assert why(planned, POD) == "HeldOff"
    assert "2026-01-01T12:19:00Z" in str(planned.stays[POD.uid])


def test_a_hold_off_ends() -> None:
    held = a_trial(state="struck", strikes=1, struck=LATER - 10 * MINUTE)
    assert going(returns(POD, memory=remembering(held, fits_since={POD.uid: NOON}))) == ["web-1"]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(
            a_pod("web-2", metadata=owned_by("ReplicaSet", "web"), status=unschedulable()),
            id="without a node",
        ),
        pytest.param(
            an_overflow_pod("web-2", created=LATER - MINUTE, status=ready_since(status="False")),
            id="starting on Fargate",
        ),
    ],
)
def test_a_controller_that_still_bursts_keeps_its_pods(other: object) -> None:
    planned = returns(POD, other, nodes=(a_node(cpu="8"),))  # type: ignore[arg-type]  # a table's pods
    assert (going(planned), why(planned, POD)) == ([], "StillBursting")


def test_a_pod_that_never_becomes_ready_keeps_no_other_on_fargate() -> None:
    broken = an_overflow_pod("web-2", created=LATER - 11 * MINUTE, status=ready_since(status="False"))
    assert going(returns(POD, broken)) == ["web-1"]


def test_pods_that_ended_and_those_of_daemon_sets_are_not_spoken_of() -> None:
    ended = a_pod("done", node=VIRTUAL, phase="Succeeded", metadata=owned_by("Job"))
    agent = a_pod("agent", node=VIRTUAL, metadata=owned_by("DaemonSet"))
    assert returns(ended, agent).stays == {}


def test_a_pod_that_nodes_were_made_for_goes_at_once_and_pushes_their_placeholders_aside() -> None:
    keeper = a_pod("keeper", cpu="2", priority=-10, node="ec2-0", phase="Running")
    assert why(returns(POD, keeper), POD) == "NoRoom"
    assert going(returns(POD, keeper, memory=ReturnMemory(), urged=[POD])) == ["web-1"]


def a_full_reach(mark: Literal["low", "high"]) -> dict[PodUid, Pressure]:
    return {POD.uid: Pressure(mark=Watermark(mark, NOON))}


@pytest.mark.parametrize(
    ("early", "mark", "annotation", "code"),
    [
        pytest.param(True, "high", "allowed", "AboveWatermark", id="it would burst again"),
        pytest.param(True, "low", "allowed", "", id="below the mark"),
        pytest.param(True, "high", "", "", id="it never bursts early"),
        pytest.param(False, "high", "allowed", "", id="nobody bursts early"),
    ],
)
def test_who_bursts_early_stays_while_nodes_are_full_beyond_the_mark(
    early: bool,
    mark: Literal["low", "high"],
    annotation: str,
    code: str,
) -> None:
    pod = an_overflow_pod(annotations={EARLY: annotation} if annotation else {})
    facts = facts_of([pod], nodes=(a_virtual_node(), a_node()))
    planned = plan_returns(
        msgspec.structs.replace(facts, pressure=a_full_reach(mark)),
        fitted(pod),
        now=LATER,
        config=ReturnConfig(early=early),
    )
    assert why(planned, pod) == code


def test_pods_that_are_gone_are_forgotten() -> None:
    assert returns(memory=fitted(POD)).memory.fits_since == {}


def test_too_many_records_stop_new_ones_only() -> None:
    others = [a_trial(owner=owner(f"o{n}"), state="home", at=LATER) for n in range(200)]
    planned = returns(POD, memory=remembering(*others, fits_since={POD.uid: NOON}))
    assert why(planned, POD) == "TooManyReturns"


@pytest.mark.parametrize(
    ("replicas", "code"),
    [
        pytest.param(Replicas(wanted=3, ready=3), "", id="enough"),
        pytest.param(Replicas(wanted=3, ready=2), "", id="just enough"),
        pytest.param(Replicas(wanted=3, ready=1), "TooFewReady", id="the last one"),
        pytest.param(Replicas(wanted=1, ready=1), "TooFewReady", id="the only one"),
        pytest.param(None, "ControllerGone", id="no controller"),
        pytest.param(
            Replicas(wanted=3, ready=3, forgives=False), "DisruptionCounts", id="an unforgiving Job"
        ),
        pytest.param(Replicas(wanted=3, ready=3, steady=False), "RollingOut", id="a pod of it is going"),
    ],
)
def test_a_controller_objects_to_losing_a_replica(replicas: Replicas | None, code: str) -> None:
    reason = objection(replicas, config=CONFIG)
    assert (reason.code if reason else "") == code


def test_an_eviction_is_remembered_with_what_its_outcome_is_judged_by() -> None:
    pods = [POD, an_overflow_pod("web-2", created=NOON + MINUTE)]
    planned = returns(*pods)
    config = ReturnConfig(settling=timedelta(minutes=3))
    [eviction] = planned.evict
    memory = planned.memory.begun(eviction, replicas=WHOLE, now=LATER, config=config)
    trial = memory.trials["shop/uid-web"]
    assert (trial.state, trial.ready, trial.newest) == ("open", 3, NOON + MINUTE)
    assert trial.until == LATER + timedelta(minutes=3, seconds=30)


@pytest.mark.parametrize(
    ("state", "newest", "strikes"),
    [
        pytest.param("home", NOON + MINUTE, 0, id="the next of those that were there"),
        pytest.param("home", NOON - MINUTE, 1, id="one came to Fargate since the last went home"),
        pytest.param("struck", NOON - MINUTE, 0, id="that was counted already"),
    ],
)
def test_an_eviction_of_what_came_after_the_last_one_is_a_strike(
    state: Literal["home", "struck"], newest: datetime, strikes: int
) -> None:
    planned = returns(
        POD, memory=remembering(a_trial(state=state, newest=newest), fits_since={POD.uid: NOON})
    )
    [eviction] = planned.evict
    trial = planned.memory.begun(eviction, replicas=WHOLE, now=LATER, config=CONFIG).trials["shop/uid-web"]
    assert (trial.state, trial.strikes, trial.struck) == ("open", strikes, LATER if strikes else None)


def test_a_refused_eviction_is_a_strike() -> None:
    planned = returns(POD)
    [eviction] = planned.evict
    begun = planned.memory.begun(eviction, replicas=WHOLE, now=LATER, config=CONFIG)
    trial = begun.refused(eviction, now=LATER).trials["shop/uid-web"]
    assert (trial.state, trial.strikes, trial.struck) == ("struck", 1, LATER)


def test_a_pod_whose_controller_objects_goes_to_the_end() -> None:
    planned = returns(POD)
    [eviction] = planned.evict
    assert planned.memory.postponed(eviction, now=LATER).fits_since[POD.uid] == LATER
