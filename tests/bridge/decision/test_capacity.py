"""Spot and on-demand, want of capacity, deadlines, and what makes a task an orphan."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from app.bridge.decision.commands import (
    Gather,
    Later,
    Look,
    RecordAttempt,
    RecordEvent,
    SetStatus,
    StopOrphan,
    StopTask,
)
from app.bridge.decision.facts import Facts, Memory, Outcome
from app.bridge.decision.reconcile import decide
from app.bridge.status.observed import Health
from app.bridge.translation.material import Unready
from app.model.pod import Pod
from app.model.task import TaskContainer
from tests.bridge.situations import POD, attempted, facts_of, kinds, status_in, with_material
from tests.builders import NOON, a_container, a_pod, a_task, owned_by

TAKEN: dict[str, Any] = {
    "last_status": "STOPPED",
    "stop_code": "SpotInterruption",
    "stopped_reason": "Your Spot Task was interrupted.",
    "stopped_at": NOON,
}
NO_SPOT: dict[str, Any] = {**TAKEN, "stop_code": "TaskFailedToStart"}
NO_ROOM = Memory(outcome=Outcome(attempt=1, kind="no-capacity", message="none", at=NOON))


def on(capacity: str, *, wish: str = "spot-first", **fields: Any) -> Pod:
    pod = attempted(**fields)
    annotations = {
        **pod.metadata.annotations,
        "spillway.dev/attempted-on": capacity,
        "spillway.dev/capacity": wish,
    }
    metadata = msgspec.structs.replace(pod.metadata, annotations=annotations)
    return msgspec.structs.replace(pod, metadata=metadata)


def begun_on(facts: Facts) -> list[str]:
    return [
        each.annotations["spillway.dev/attempted-on"]
        for each in decide(facts)
        if isinstance(each, RecordAttempt)
    ]


def disrupted(status: dict[str, Any]) -> bool:
    return any(each["type"] == "DisruptionTarget" for each in status["conditions"])


@pytest.mark.parametrize("wish", ["spot", "spot-first"])
def test_a_pod_that_wishes_spot_begins_there(wish: str) -> None:
    pod = a_pod("web-1", uid="u1", annotations={"spillway.dev/capacity": wish})
    assert begun_on(facts_of(pod)) == ["spot"]


def test_spot_first_falls_back_at_once_where_there_is_no_spot() -> None:
    assert begun_on(facts_of(on("spot"), memory=NO_ROOM)) == ["on-demand"]


@pytest.mark.parametrize("how", [pytest.param(TAKEN, id="taken"), pytest.param(NO_SPOT, id="none")])
def test_spot_first_falls_back_at_once_where_spot_is_taken_away_before_it_ran(how: dict[str, Any]) -> None:
    assert begun_on(facts_of(on("spot"), a_task(POD, **how))) == ["on-demand"]


def test_spot_first_stays_on_demand_after_it_fell_back() -> None:
    later = NOON + timedelta(minutes=5)
    assert begun_on(facts_of(on("on-demand"), memory=NO_ROOM, now=later)) == ["on-demand"]


def test_spot_alone_waits_for_spot() -> None:
    assert begun_on(facts_of(on("spot", wish="spot"), memory=NO_ROOM)) == []
    later = NOON + timedelta(minutes=5)
    assert begun_on(facts_of(on("spot", wish="spot"), memory=NO_ROOM, now=later)) == ["spot"]


def test_a_pod_whose_spot_task_never_ran_is_not_said_to_be_disrupted() -> None:
    status = status_in(decide(facts_of(on("spot"), a_task(POD, **TAKEN))))
    assert (status["phase"], disrupted(status)) == ("Pending", False)


def test_a_pod_that_ran_on_spot_fails_through_no_fault_of_its_own() -> None:
    task = a_task(POD, **{**TAKEN, "started_at": NOON, "exit_code": 143})
    status = status_in(decide(facts_of(on("spot"), task)))
    assert (status["phase"], status["reason"], disrupted(status)) == ("Failed", "SpotInterruption", True)


def test_after_a_long_want_of_capacity_a_controllers_pod_is_given_back() -> None:
    pod = attempted(metadata=owned_by("Job"))
    status = status_in(decide(facts_of(pod, memory=NO_ROOM, now=NOON + timedelta(minutes=10))))
    assert (status["phase"], status["reason"], disrupted(status)) == ("Failed", "FargateNoCapacity", True)


def test_a_pod_without_a_controller_waits_on() -> None:
    commands = decide(facts_of(attempted(), memory=NO_ROOM, now=NOON + timedelta(minutes=10)))
    assert "Failed" not in [each.status["phase"] for each in commands if isinstance(each, SetStatus)]


def test_a_pod_that_ran_until_now_is_not_given_back_at_the_first_want() -> None:
    hours = NOON + timedelta(hours=3)
    ran = a_task(POD, last_status="STOPPED", exit_code=1, started_at=NOON, stopped_at=hours)
    pod = attempted(2, at=hours, metadata=owned_by("ReplicaSet"))
    memory = Memory(outcome=Outcome(attempt=2, kind="no-capacity", message="none", at=hours))
    commands = decide(facts_of(pod, ran, memory=memory, now=hours + timedelta(seconds=5)))
    assert status_in(commands)["phase"] != "Failed"


def test_want_of_capacity_that_shows_only_in_the_task_counts_too() -> None:
    scarce = {**NO_SPOT, "stopped_reason": "Capacity is unavailable at this time"}
    facts = facts_of(
        attempted(metadata=owned_by("Job")), a_task(POD, **scarce), now=NOON + timedelta(minutes=10)
    )
    assert status_in(decide(facts))["reason"] == "FargateNoCapacity"


LIMITED: dict[str, Any] = {"activeDeadlineSeconds": 60, "status": {"startTime": NOON.isoformat()}}


@pytest.mark.parametrize(
    ("seconds", "stopped"), [pytest.param(59, False, id="before"), pytest.param(60, True, id="after")]
)
def test_a_deadline_stops_the_task(seconds: int, stopped: bool) -> None:
    task = a_task(POD, started_at=NOON)
    facts = facts_of(attempted(**LIMITED), task, now=NOON + timedelta(seconds=seconds))
    assert (StopTask in kinds(decide(facts))) is stopped


def test_a_pod_past_its_deadline_fails_with_kubelets_words_and_the_true_end() -> None:
    task = a_task(POD, last_status="STOPPED", exit_code=143, started_at=NOON, stopped_at=NOON)
    facts = facts_of(attempted(**LIMITED), task, now=NOON + timedelta(minutes=2))
    status = status_in(decide(facts))
    assert (status["phase"], status["reason"]) == ("Failed", "DeadlineExceeded")
    assert status["message"] == "Pod was active on the node longer than the specified deadline"
    assert status["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 143


def test_a_deadline_is_met_in_the_middle_of_a_back_off() -> None:
    task = a_task(POD, last_status="STOPPED", exit_code=1, started_at=NOON, stopped_at=NOON)
    limited = {**LIMITED, "activeDeadlineSeconds": 5}
    waits = [each.seconds for each in decide(facts_of(attempted(**limited), task)) if isinstance(each, Later)]
    assert min(waits) == 4


def test_a_task_that_was_never_seen_with_its_pod_is_an_orphan_after_two_listings() -> None:
    task = a_task(POD)
    once = facts_of(POD, task, witnessed=False, unclaimed={task.arn: 1})
    gone = msgspec.structs.replace(once, pod=None)
    assert kinds(decide(gone)) == [Look, Later]
    twice = msgspec.structs.replace(gone, unclaimed={task.arn: 2})
    assert kinds(decide(twice)) == [StopOrphan]


SICK = {"main": Health(failed="Container main failed liveness probe, will be restarted")}
ILL: dict[str, Any] = {
    "last_status": "STOPPED",
    "stop_code": "UserInitiated",
    "stopped_reason": "spillway: restarting: Container main failed liveness probe, will be restarted",
    "started_at": NOON,
    "stopped_at": NOON,
}


def test_a_failed_liveness_probe_stops_the_task_with_its_reason() -> None:
    commands = decide(facts_of(attempted(), a_task(POD, started_at=NOON), health=SICK))
    assert [each.reason for each in commands if isinstance(each, StopTask)] == [ILL["stopped_reason"]]
    assert [each.message for each in commands if isinstance(each, RecordEvent) and each.reason == "Killing"]


@pytest.mark.parametrize(
    ("policy", "code", "phase"),
    [
        pytest.param("Always", 143, "Running", id="always-comes-again"),
        pytest.param("OnFailure", 143, "Running", id="on-failure-comes-again"),
        pytest.param("Never", 143, "Failed", id="never-fails"),
        pytest.param("Never", 0, "Succeeded", id="never-ended-well"),
    ],
)
def test_after_a_failed_liveness_probe_the_restart_policy_decides(policy: str, code: int, phase: str) -> None:
    commands = decide(facts_of(attempted(restartPolicy=policy), a_task(POD, **ILL, exit_code=code)))
    assert status_in(commands)["phase"] == phase


def test_ready_follows_the_readiness_probe() -> None:
    task = a_task(POD, started_at=NOON, ip="10.1.0.7")
    status = status_in(decide(facts_of(attempted(), task, health={"main": Health(ready=False)})))
    [ready] = [each for each in status["conditions"] if each["type"] == "Ready"]
    assert (ready["status"], status["containerStatuses"][0]["ready"]) == ("False", False)


@pytest.mark.parametrize("name", ["first", "spillway-install"])
def test_a_task_whose_init_container_failed_is_stopped_to_run_again(name: str) -> None:
    pod = attempted(initContainers=[a_container("first")])
    boxes = (
        TaskContainer(name=name, last_status="STOPPED", exit_code=74),
        TaskContainer(name="main", last_status="PENDING"),
    )
    commands = decide(facts_of(pod, a_task(pod, last_status="PENDING", containers=boxes)))
    assert [each.reason for each in commands if isinstance(each, StopTask)] == [
        f"spillway: restarting: init container {name} failed with exit code 74"
    ]


@pytest.mark.parametrize(
    ("name", "failed"),
    [pytest.param("first", True, id="the-pods-own"), pytest.param("spillway-install", False, id="ours")],
)
def test_under_never_only_the_pods_own_init_container_fails_it(name: str, failed: bool) -> None:
    pod = attempted(restartPolicy="Never", initContainers=[a_container("first")])
    boxes = (
        TaskContainer(name=name, last_status="STOPPED", exit_code=74),
        TaskContainer(
            name="main",
            last_status="STOPPED",
            exit_code=143,
            reason=f"CannotStartContainerError: dependency graph: dependency [{name}]",
        ),
    )
    task = a_task(
        pod, last_status="STOPPED", stop_code="TaskFailedToStart", stopped_at=NOON, containers=boxes
    )
    assert (status_in(decide(facts_of(pod, task)))["phase"] == "Failed") is failed


LACKING = Unready("CreateContainerConfigError", 'secret "x" not found')


def test_what_is_missing_is_told_once_and_looked_for_again_after_ten_seconds() -> None:
    facts = with_material(facts_of(a_pod("web-1", uid="u1")), LACKING)
    commands = decide(facts)
    assert kinds(commands) == [SetStatus, RecordEvent, Later]
    waiting = status_in(commands)["containerStatuses"][0]["state"]["waiting"]
    assert waiting == {"reason": LACKING.reason, "message": LACKING.message}
    told = msgspec.convert(status_in(commands), type(POD.status))
    again = msgspec.structs.replace(facts, pod=msgspec.structs.replace(POD, status=told))
    assert kinds(decide(again)) == [Later]
    later = msgspec.structs.replace(again, now=again.now + timedelta(seconds=10))
    assert kinds(decide(later)) == [Gather]


def test_what_is_missing_for_a_restart_does_not_make_the_status_flap() -> None:
    task = a_task(POD, last_status="STOPPED", exit_code=1, started_at=NOON, stopped_at=NOON)
    facts = with_material(facts_of(attempted(), task, now=NOON + timedelta(minutes=10)), LACKING)
    first = status_in(decide(facts))
    assert first["containerStatuses"][0]["state"]["waiting"]["reason"] == "CreateContainerConfigError"
    kept = {key: value for key, value in first.items() if value is not None}
    pod = msgspec.structs.replace(attempted(), status=msgspec.convert(kept, type(POD.status)))
    stale = msgspec.structs.replace(facts, pod=pod, now=facts.now + timedelta(seconds=10))
    assert kinds(decide(stale)) == [Gather]


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        pytest.param(5, [SetStatus, RecordEvent, Later], id="young"),
        pytest.param(30, [RecordAttempt], id="old"),
    ],
)
def test_an_attempt_that_came_to_nothing_does_not_grow_so_old_that_it_counts_as_lost(
    minutes: int, expected: list[type]
) -> None:
    now = NOON + timedelta(minutes=minutes)
    facts = with_material(facts_of(attempted(), now=now, looked_at=now), LACKING)
    assert kinds(decide(facts)) == expected
