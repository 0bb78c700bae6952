from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest

from app.bridge.decision.commands import (
    Later,
    LaunchTask,
    Look,
    RecordEvent,
    RemovePod,
    SetStatus,
    StopOrphan,
    StopTask,
    TellOfHook,
)
from app.bridge.decision.facts import Memory
from app.bridge.decision.reconcile import decide
from app.bridge.status.observed import HookFailure, Run, Told
from tests.bridge.situations import (
    CRASHED,
    POD,
    attempted,
    deleted,
    facts_of,
    kinds,
    status_in,
)
from tests.builders import NOON, a_container, a_pod, a_task, owned_by


def test_deletion_stops_the_task_first() -> None:
    commands = decide(facts_of(attempted(deleted=True), a_task(POD)))
    assert kinds(commands)[:2] == [StopTask, RecordEvent]
    assert RemovePod not in kinds(commands)


def test_a_deleted_pods_task_is_stopped_before_anything_is_made_of_what_it_recorded() -> None:
    nonsense = Run(number=1, started=datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=23))))
    task = a_task(POD, started_at=NOON)
    failure = HookFailure("main", "preStop", "x", 1)
    told = {task.arn: Told(runs={"main": (nonsense,)}, failures=(failure,))}
    facts = facts_of(attempted(deleted=True), task, told=told)
    assert kinds(decide(facts)) == [StopTask, RecordEvent, Later]
    asked = msgspec.structs.replace(facts, memory=Memory(stops={task.arn: facts.now}))
    assert kinds(decide(asked)) == [TellOfHook, SetStatus]


@pytest.mark.parametrize("stage", [{}, {"deleted": True}])
def test_times_that_nobody_can_mean_do_not_break_a_decision(stage: dict[str, Any]) -> None:
    far = "9999-12-31T23:59:59Z"
    bound = {"type": "PodScheduled", "status": "True", "lastTransitionTime": far}
    status = {"startTime": far, "conditions": [bound]}
    pod = attempted(**stage, activeDeadlineSeconds=60, status=status, metadata=owned_by("Job"))
    assert decide(facts_of(pod, namespace={}))


def test_a_task_that_is_being_stopped_is_not_stopped_again() -> None:
    task = a_task(POD, desired_status="STOPPED")
    assert StopTask not in kinds(decide(facts_of(attempted(deleted=True), task)))


@pytest.mark.parametrize(
    ("seconds", "asked"), [pytest.param(59, False, id="just-now"), pytest.param(60, True, id="long-ago")]
)
def test_a_stop_that_showed_no_effect_is_repeated_in_time(seconds: int, asked: bool) -> None:
    task = a_task(POD)
    facts = facts_of(
        attempted(deleted=True),
        task,
        memory=Memory(stops={task.arn: NOON}),
        now=NOON + timedelta(seconds=seconds),
    )
    assert (StopTask in kinds(decide(facts))) is asked


def test_a_deleted_pod_is_removed_with_a_final_status_when_its_task_is_over() -> None:
    task = a_task(POD, last_status="STOPPED", exit_code=143, started_at=NOON, stopped_at=NOON)
    commands = decide(facts_of(attempted(deleted=True), task))
    assert kinds(commands) == [SetStatus, RemovePod]
    assert status_in(commands)["phase"] == "Failed"


def test_a_deleted_pod_that_was_never_attempted_is_removed_at_once() -> None:
    assert kinds(decide(facts_of(deleted()))) == [SetStatus, RemovePod]


def test_a_terminal_pods_status_is_not_touched_by_its_deletion() -> None:
    assert decide(facts_of(deleted(phase="Succeeded"))) == (RemovePod(),)


def test_a_deleted_pod_waits_until_it_is_known_what_became_of_its_attempt() -> None:
    assert kinds(decide(facts_of(attempted(deleted=True), looked_at=None))) == [Look, Later]


def test_the_listing_that_tells_what_became_of_an_attempt_is_asked_for_as_soon_as_it_can() -> None:
    facts = facts_of(attempted(deleted=True), looked_at=NOON + timedelta(seconds=15))
    early = msgspec.structs.replace(facts, now=NOON + timedelta(seconds=19))
    due = msgspec.structs.replace(facts, now=NOON + timedelta(seconds=20))
    assert (kinds(decide(early)), kinds(decide(due))) == ([Later], [Look, Later])


def test_a_deleted_pod_goes_when_a_later_listing_shows_no_task() -> None:
    facts = facts_of(attempted(deleted=True), looked_at=NOON + timedelta(seconds=20))
    assert RemovePod in kinds(decide(facts))


def test_a_deleted_pod_is_never_launched() -> None:
    assert LaunchTask not in kinds(decide(facts_of(attempted(deleted=True), looked_at=None)))


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_terminal_pod_is_never_touched(phase: str) -> None:
    assert decide(facts_of(attempted(phase=phase), a_task(POD, **CRASHED))) == ()


def test_a_terminal_pods_live_task_is_stopped() -> None:
    assert kinds(decide(facts_of(attempted(phase="Failed"), a_task(POD)))) == [StopTask]


def test_the_task_of_a_pod_that_is_gone_is_stopped_as_an_orphan() -> None:
    facts = msgspec.structs.replace(facts_of(POD, a_task(POD), a_task(POD, attempt=2, **CRASHED)), pod=None)
    assert [each.arn for each in decide(facts) if isinstance(each, StopOrphan)] == [a_task(POD).arn]


def test_a_left_out_token_volume_is_told_with_the_first_attempt() -> None:
    path = "/var/run/secrets/kubernetes.io/serviceaccount"
    mounts = [{"name": "kube-api-access-x", "mountPath": path}]
    volume = {"name": "kube-api-access-x", "projected": {"sources": [{"serviceAccountToken": {}}]}}
    pod = a_pod(containers=[a_container(volumeMounts=mounts)], volumes=[volume])
    told = [each.reason for each in decide(facts_of(pod)) if isinstance(each, RecordEvent)]
    assert "TokenVolumeLeftOut" in told


def test_a_grace_period_that_fargate_cuts_is_told() -> None:
    events = [
        each.reason
        for each in decide(facts_of(a_pod(terminationGracePeriodSeconds=300)))
        if isinstance(each, RecordEvent)
    ]
    assert events == ["GracePeriodCut"]
