from datetime import timedelta
from typing import Any

import msgspec
import pytest

from app.bridge.decision.commands import (
    Gather,
    Later,
    LaunchTask,
    Look,
    RecordAttempt,
    RecordEvent,
    RecordTask,
    SetStatus,
    StopTask,
)
from app.bridge.decision.facts import Facts, Memory, Outcome, Stage, stage_of
from app.bridge.decision.reconcile import HANDLERS, decide
from app.model.reason import Reason
from tests.bridge.fakes import CONFIG
from tests.bridge.situations import (
    CRASHED,
    LONG_AGO,
    NEVER_STARTED,
    POD,
    attempted,
    deleted,
    facts_of,
    kinds,
    status_in,
    with_material,
)
from tests.builders import NOON, a_pod, a_task, owned_by


def test_every_stage_has_a_handler() -> None:
    assert set(HANDLERS) == set(Stage)


DENIED = Outcome(attempt=1, kind="no-capacity", message="no", at=NOON)
MEMORY = Memory(outcome=DENIED)


@pytest.mark.parametrize(
    ("facts", "stage"),
    [
        pytest.param(facts_of(pod=POD), Stage.FRESH, id="fresh"),
        pytest.param(msgspec.structs.replace(facts_of(), pod=None), Stage.GONE, id="gone"),
        pytest.param(facts_of(deleted()), Stage.DELETING, id="deleting"),
        pytest.param(facts_of(deleted(phase="Failed")), Stage.DELETING, id="deleting-a-terminal-one"),
        pytest.param(facts_of(a_pod(phase="Succeeded")), Stage.TERMINAL, id="terminal"),
        pytest.param(facts_of(a_pod(metadata=owned_by("DaemonSet"))), Stage.DAEMON, id="daemon"),
        pytest.param(facts_of(attempted()), Stage.RECORDED, id="recorded"),
        pytest.param(facts_of(attempted(at=LONG_AGO)), Stage.LOST, id="ecs-may-have-forgotten-it"),
        pytest.param(facts_of(attempted(arn="arn:x")), Stage.UNSEEN, id="named-but-unseen"),
        pytest.param(facts_of(attempted(arn="x"), missing={"x": NOON}), Stage.UNSEEN, id="missing-just-now"),
        pytest.param(facts_of(attempted(arn="x"), missing={"x": LONG_AGO}), Stage.LOST, id="missing-long"),
        pytest.param(facts_of(attempted(), memory=MEMORY), Stage.REFUSED, id="refused"),
        pytest.param(facts_of(attempted(2), memory=MEMORY), Stage.RECORDED, id="denied-before"),
        pytest.param(facts_of(attempted(), a_task(POD)), Stage.CARRIED, id="carried"),
        pytest.param(facts_of(POD, a_task(POD)), Stage.CARRIED, id="carried-though-the-cache-is-behind"),
        pytest.param(facts_of(attempted(2), a_task(POD)), Stage.RECORDED, id="only-an-older-task"),
        pytest.param(facts_of(attempted(), a_task(POD, **CRASHED)), Stage.ENDED, id="ended"),
    ],
)
def test_the_stage_follows_from_pod_and_tasks(facts: Facts, stage: Stage) -> None:
    assert stage_of(facts) is stage


def test_a_fresh_pod_gets_its_attempt_written_before_anything_else() -> None:
    commands = decide(facts_of())
    assert kinds(commands) == [RecordAttempt]


def test_a_recorded_attempt_is_launched() -> None:
    commands = decide(facts_of(attempted(3)))
    assert [command.attempt for command in commands if isinstance(command, LaunchTask)] == [3]


def test_no_launch_logs_where_a_pod_says_which_its_owner_may_have_written() -> None:
    pod = attempted()
    noted = {**pod.metadata.annotations, "spillway.dev/log-group": "/anybodys"}
    pod = msgspec.structs.replace(pod, metadata=msgspec.structs.replace(pod.metadata, annotations=noted))
    (command,) = [each for each in decide(facts_of(pod)) if isinstance(each, LaunchTask)]
    containers = command.launch.definition.body["containerDefinitions"]
    assert {each["logConfiguration"]["options"]["awslogs-group"] for each in containers} == {
        CONFIG.task.log_group
    }


def test_a_repeated_launch_is_the_same_call() -> None:
    assert decide(facts_of(attempted())) == decide(facts_of(attempted(), now=NOON + timedelta(minutes=30)))


def test_an_attempt_that_ecs_may_have_forgotten_is_never_run_again() -> None:
    commands = decide(facts_of(attempted(at=LONG_AGO)))
    assert kinds(commands) == [SetStatus, RecordEvent]
    assert (status_in(commands)["phase"], status_in(commands)["reason"]) == ("Failed", "TaskLost")


def test_a_task_that_is_missing_since_just_now_is_waited_for() -> None:
    facts = facts_of(attempted(arn="x"), missing={"x": NOON}, looked_at=LONG_AGO)
    assert kinds(decide(facts)) == [Look, Later]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [pytest.param(19, [Later], id="a-moment-ago"), pytest.param(20, [Look, Later], id="long-ago")],
)
def test_a_pod_that_names_an_unknown_task_does_not_cause_one_listing_after_another(
    seconds: int, expected: list[type]
) -> None:
    now = NOON + timedelta(seconds=seconds)
    assert kinds(decide(facts_of(attempted(arn="x"), looked_at=NOON, now=now))) == expected


def test_an_attempt_that_aws_was_away_for_is_judged_by_the_first_listing() -> None:
    back = NOON + timedelta(minutes=50)
    away = facts_of(attempted(), now=back, looked_at=NOON + timedelta(minutes=44))
    assert kinds(decide(away)) == [Look, Later]
    seen = msgspec.structs.replace(away, looked_at=back)
    assert [each.number for each in decide(seen) if isinstance(each, RecordAttempt)] == [2]


def test_an_attempt_whose_task_ecs_may_have_forgotten_is_lost_whatever_a_listing_shows() -> None:
    late = NOON + timedelta(minutes=60)
    assert stage_of(facts_of(attempted(), now=late, looked_at=late)) is Stage.LOST


def test_a_new_task_is_written_on_the_pod_before_the_status() -> None:
    commands = decide(facts_of(attempted(), a_task(POD, last_status="PROVISIONING")))
    assert kinds(commands) == [RecordTask, RecordEvent, SetStatus]


def test_a_pod_that_is_told_truly_is_left_alone() -> None:
    task = a_task(POD, started_at=NOON, ip="10.1.0.7")
    pod = attempted(arn=task.arn)
    written = status_in(decide(facts_of(pod, task)))
    kept = {key: value for key, value in written.items() if value is not None}
    settled = msgspec.structs.replace(pod, status=msgspec.convert(kept, type(pod.status)))
    assert decide(facts_of(settled, task)) == ()


def test_a_second_live_task_is_stopped() -> None:
    older, newer = a_task(POD, attempt=1), a_task(POD, attempt=2)
    stops = [each.arn for each in decide(facts_of(attempted(2), older, newer)) if isinstance(each, StopTask)]
    assert stops == [older.arn]


def test_an_older_live_task_is_stopped_before_the_next_attempt_is_launched() -> None:
    assert kinds(decide(facts_of(attempted(2), a_task(POD, attempt=1)))) == [StopTask, Later]


def test_no_capacity_waits_visibly_and_stays_pending() -> None:
    commands = decide(facts_of(attempted(), memory=MEMORY))
    assert kinds(commands) == [SetStatus, RecordEvent, Later]
    waiting = status_in(commands)["containerStatuses"][0]["state"]["waiting"]
    assert (status_in(commands)["phase"], waiting["reason"]) == ("Pending", "FargateNoCapacity")


@pytest.mark.parametrize(
    ("kind", "seconds"),
    [
        pytest.param("no-capacity", 10, id="capacity-soon"),
        pytest.param("refused", 300, id="a-mistake-seldom"),
    ],
)
def test_after_a_definite_no_another_attempt_is_begun(kind: Any, seconds: int) -> None:
    memory = Memory(outcome=msgspec.structs.replace(DENIED, kind=kind))
    early = decide(facts_of(attempted(), memory=memory, now=NOON + timedelta(seconds=seconds - 1)))
    due = decide(facts_of(attempted(), memory=memory, now=NOON + timedelta(seconds=seconds)))
    assert RecordAttempt not in kinds(early)
    assert [each.number for each in due if isinstance(each, RecordAttempt)] == [2]


def test_a_mistake_is_shown_as_a_configuration_error() -> None:
    memory = Memory(outcome=msgspec.structs.replace(DENIED, kind="refused", message="no such role"))
    found = status_in(decide(facts_of(attempted(), memory=memory)))
    assert found["containerStatuses"][0]["state"]["waiting"] == {
        "reason": "CreateContainerConfigError",
        "message": "no such role",
    }


def test_what_fargate_cannot_run_is_rejected_with_every_reason() -> None:
    commands = decide(facts_of(a_pod(hostNetwork=True, hostPID=True)))
    found = status_in(commands)
    assert (found["phase"], found["reason"]) == ("Failed", "FargateUnsupported")
    assert "hostNetwork" in found["message"]
    assert "hostPID" in found["message"]


REPLACED = a_pod("web-1", uid="u1", hostNetwork=True, metadata=owned_by("ReplicaSet"))


def test_what_fargate_cannot_run_waits_where_a_controller_would_replace_it() -> None:
    commands = decide(facts_of(REPLACED))
    assert kinds(commands) == [SetStatus, RecordEvent, Later]
    found = status_in(commands)
    waiting = found["containerStatuses"][0]["state"]["waiting"]
    assert (found["phase"], waiting["reason"]) == ("Pending", "FargateUnsupported")
    assert "hostNetwork" in waiting["message"]
    told = [(each.reason, each.warning) for each in commands if isinstance(each, RecordEvent)]
    assert told == [("FargateUnsupported", True)]


def test_a_refusal_at_launch_is_looked_at_again_after_five_minutes() -> None:
    why = (Reason("TooLarge", 'key "large" does not fit'),)
    owned = a_pod("web-1", uid="u1", metadata=owned_by("Job"))
    facts = with_material(facts_of(owned, now=NOON), why)
    commands = decide(facts)
    assert [each.seconds for each in commands if isinstance(each, Later)] == [300]
    later = msgspec.structs.replace(facts, now=NOON + timedelta(minutes=5))
    assert kinds(decide(later)) == [Gather]


@pytest.mark.parametrize(
    ("seconds", "phase"),
    [pytest.param(599, "Pending", id="before"), pytest.param(600, "Failed", id="after")],
)
def test_a_refused_pod_with_a_controller_fails_when_it_is_given_back(seconds: int, phase: str) -> None:
    assert status_in(decide(facts_of(REPLACED, now=NOON + timedelta(seconds=seconds))))["phase"] == phase


def test_a_refusal_before_a_restart_is_told_once_and_does_not_flap() -> None:
    why = (Reason("TooLarge", 'key "large" does not fit'),)
    owned = attempted(metadata=owned_by("Job"), restartPolicy="OnFailure")
    now = NOON + timedelta(minutes=1)
    facts = with_material(facts_of(owned, a_task(POD, **CRASHED), now=now), why)
    commands = decide(facts)
    assert kinds(commands) == [RecordEvent, SetStatus, RecordEvent, Later]
    found = status_in(commands)
    assert found["containerStatuses"][0]["state"]["waiting"]["reason"] == "FargateUnsupported"
    kept = {key: value for key, value in found.items() if value is not None}
    told = msgspec.structs.replace(owned, status=msgspec.convert(kept, type(owned.status)))
    assert kinds(decide(msgspec.structs.replace(facts, pod=told))) == [Later]


def test_a_daemon_sets_pod_is_told_once_and_never_started() -> None:
    pod = a_pod("web-1", uid="u1", metadata=owned_by("DaemonSet"))
    commands = decide(facts_of(pod))
    assert kinds(commands) == [SetStatus, RecordEvent]
    told = msgspec.structs.replace(pod, status=msgspec.convert(status_in(commands), type(pod.status)))
    assert (told.status.phase, decide(facts_of(told))) == ("Pending", ())


@pytest.mark.parametrize(
    ("policy", "task", "phase"),
    [
        pytest.param("Never", {**CRASHED, "exit_code": 0}, "Succeeded", id="never-completed"),
        pytest.param("Never", CRASHED, "Failed", id="never-crashed"),
        pytest.param("OnFailure", {**CRASHED, "exit_code": 0}, "Succeeded", id="on-failure-completed"),
        pytest.param("Always", {**CRASHED, "stop_code": "UserInitiated"}, "Failed", id="stopped-by-a-user"),
        pytest.param("Always", {**CRASHED, "stop_code": "SpotInterruption"}, "Failed", id="spot"),
        pytest.param("Always", CRASHED, "Running", id="always-goes-on"),
        pytest.param("Never", NEVER_STARTED, "Pending", id="not-started-goes-on"),
    ],
)
def test_the_end_of_a_task_becomes_the_phase(policy: str, task: dict[str, Any], phase: str) -> None:
    pod = attempted(restartPolicy=policy)
    assert status_in(decide(facts_of(pod, a_task(POD, **task))))["phase"] == phase


def test_a_crash_is_followed_by_another_attempt_after_its_backoff() -> None:
    task = a_task(POD, **CRASHED)
    early = decide(facts_of(attempted(), task, now=NOON + timedelta(seconds=9)))
    due = decide(facts_of(attempted(), task, now=NOON + timedelta(seconds=10)))
    assert kinds(early) == [RecordEvent, SetStatus, RecordEvent, Later]
    assert kinds(due) == [RecordEvent, SetStatus, RecordEvent, RecordAttempt]


def test_an_image_that_cannot_be_pulled_is_told_and_tried_again() -> None:
    found = status_in(decide(facts_of(attempted(), a_task(POD, **NEVER_STARTED))))
    assert found["containerStatuses"][0]["state"]["waiting"]["reason"] == "ErrImagePull"


def test_an_image_that_cannot_be_pulled_twice_backs_off() -> None:
    tasks = (a_task(POD, **NEVER_STARTED), a_task(POD, attempt=2, **NEVER_STARTED))
    found = status_in(decide(facts_of(attempted(2), *tasks)))
    assert found["containerStatuses"][0]["state"]["waiting"]["reason"] == "ImagePullBackOff"


def test_a_container_that_others_injected_decides_nothing() -> None:
    task = a_task(POD, last_status="STOPPED", exit_code=0, started_at=NOON)
    agent = msgspec.structs.replace(task.containers[0], name="aws-guardduty-agent", exit_code=None)
    injected = msgspec.structs.replace(task, containers=(*task.containers, agent))
    assert status_in(decide(facts_of(attempted(restartPolicy="Never"), injected)))["phase"] == "Succeeded"
