from datetime import timedelta
from typing import Any

import msgspec
import pytest

from app.bridge.status.container_status import Hold
from app.bridge.status.observed import Told
from app.bridge.status.pod_status import Verdict, View, final_status, held_status, same, status_of
from app.model.names import TaskArn
from app.model.pod import Pod
from app.model.task import Task, TaskContainer
from tests.bridge.fake_kubernetes import bound
from tests.builders import NOON, a_container, a_pod, a_task

NODE_IP = "10.0.0.9"
LATER = NOON + timedelta(minutes=5)
POD = bound(a_pod("web-1", uid="u1"))


def without_nulls(value: Any) -> Any:
    """JSON as a server keeps it after a patch: null takes a field away."""
    if isinstance(value, dict):
        return {key: without_nulls(each) for key, each in value.items() if each is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


def with_status(pod: Pod, status: dict[str, Any]) -> Pod:
    """The pod after the status was written."""
    return msgspec.structs.replace(pod, status=msgspec.convert(without_nulls(status), type(pod.status)))


def status(
    pod: Pod = POD,
    task: Task | None = None,
    *,
    hold: Hold | None = None,
    verdict: Verdict | None = None,
    **fields: Any,
) -> dict[str, Any]:
    view = View(**{"task": task, "now": NOON, "node_ip": NODE_IP, **fields})
    return status_of(pod, view, hold=hold, verdict=verdict)


def conditions(found: dict[str, Any]) -> dict[str, str]:
    return {each["type"]: each["status"] for each in found["conditions"]}


def a_container_of(found: dict[str, Any]) -> dict[str, Any]:
    only: dict[str, Any] = found["containerStatuses"][0]
    return only


RUNNING = a_task(POD, started_at=NOON, ip="10.1.0.7")
EXITED_0 = a_task(POD, last_status="STOPPED", exit_code=0, started_at=NOON, stopped_at=LATER)
EXITED_3 = a_task(POD, last_status="STOPPED", exit_code=3, started_at=NOON, stopped_at=LATER)
SECOND = a_task(POD, attempt=2, started_at=LATER, ip="10.1.0.8")
FIRST_ID = f"fargate://{RUNNING.task_id}/main"
SECOND_ID = f"fargate://{SECOND.task_id}/main"


def test_a_second_crash_has_its_own_end() -> None:
    held = Hold("CrashLoopBackOff", restarting=True)
    crashed = with_status(POD, status(task=EXITED_3, hold=held))
    again = with_status(crashed, status(crashed, SECOND))
    end = LATER + timedelta(seconds=30)
    over = a_task(POD, attempt=2, last_status="STOPPED", exit_code=4, started_at=LATER, stopped_at=end)
    found = a_container_of(status(again, over, hold=held))
    assert found["restartCount"] == 1
    assert found["lastState"]["terminated"] == {
        "exitCode": 4,
        "reason": "Error",
        "startedAt": "2026-01-01T12:05:00Z",
        "finishedAt": "2026-01-01T12:05:30Z",
        "containerID": SECOND_ID,
    }


def test_a_task_that_is_being_made_leaves_the_pod_pending_and_creating() -> None:
    found = status(task=a_task(POD, last_status="PROVISIONING"), hold=Hold())
    assert found["phase"] == "Pending"
    assert a_container_of(found)["state"] == {"waiting": {"reason": "ContainerCreating"}}


def test_a_running_task_is_a_ready_pod_with_its_address() -> None:
    found = status(task=RUNNING)
    assert (found["phase"], found["podIP"], found["hostIP"]) == ("Running", "10.1.0.7", NODE_IP)
    assert a_container_of(found)["state"] == {"running": {"startedAt": "2026-01-01T12:00:00Z"}}
    assert conditions(found) == {
        "PodReadyToStartContainers": "True",
        "Initialized": "True",
        "Ready": "True",
        "ContainersReady": "True",
        "PodScheduled": "True",
    }


def test_the_image_is_named_by_digest() -> None:
    container = TaskContainer(name="main", last_status="RUNNING", image_digest="sha256:abc", runtime_id="r1")
    found = a_container_of(status(task=msgspec.structs.replace(RUNNING, containers=(container,))))
    assert found["imageID"] == "registry.example/app@sha256:abc"
    assert found["containerID"] == f"fargate://{RUNNING.task_id}/r1"


@pytest.mark.parametrize(
    ("code", "said", "exit_code", "reason"),
    [
        pytest.param(0, "", 0, "Completed", id="completed"),
        pytest.param(3, "", 3, "Error", id="error"),
        pytest.param(137, "OutOfMemoryError: container killed", 137, "OOMKilled", id="out-of-memory"),
        pytest.param(1, "Container killed due to memory usage", 1, "OOMKilled", id="out-of-memory-exit-1"),
        pytest.param(None, "", 137, "ContainerStatusUnknown", id="no-exit-code-is-no-success"),
    ],
)
def test_an_end_is_told_as_it_was(code: int | None, said: str, exit_code: int, reason: str) -> None:
    task = a_task(POD, last_status="STOPPED", exit_code=code, reason=said, started_at=NOON, stopped_at=LATER)
    ended = a_container_of(status(task=task))["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (exit_code, reason)
    assert ended["finishedAt"] == "2026-01-01T12:05:00Z"


def test_a_success_is_not_ready_any_more() -> None:
    found = status(task=EXITED_0, verdict=Verdict(phase="Succeeded"))
    assert conditions(found)["Ready"] == "False"


def test_no_end_is_told_before_the_task_is_over() -> None:
    container = TaskContainer(name="main", last_status="STOPPED", exit_code=0)
    task = a_task(POD, last_status="DEPROVISIONING", started_at=NOON, containers=(container,))
    pod = a_pod(restartPolicy="Never")
    assert status(pod, task)["phase"] == "Running"


def test_a_task_that_aws_is_about_to_stop_takes_no_more_traffic() -> None:
    task = msgspec.structs.replace(RUNNING, desired_status="STOPPED", stop_code="SpotInterruption")
    found = conditions(status(task=task))
    assert (found["Ready"], found["DisruptionTarget"]) == ("False", "True")


def test_a_restart_is_counted_when_another_task_has_started() -> None:
    first = with_status(POD, status(task=EXITED_3, hold=Hold("CrashLoopBackOff", restarting=True)))
    found = a_container_of(status(first, SECOND))
    assert (found["restartCount"], found["containerID"]) == (1, SECOND_ID)
    assert found["lastState"]["terminated"]["exitCode"] == 3


def test_a_restart_is_counted_once() -> None:
    first = with_status(POD, status(task=EXITED_3, hold=Hold("CrashLoopBackOff", restarting=True)))
    second = with_status(first, status(first, SECOND))
    assert a_container_of(status(second, SECOND))["restartCount"] == 1


def test_a_container_that_waits_to_run_again_tells_how_it_ended() -> None:
    found = status(task=EXITED_3, hold=Hold("CrashLoopBackOff", restarting=True))
    assert found["phase"] == "Running"
    assert a_container_of(found)["state"] == {"waiting": {"reason": "CrashLoopBackOff"}}
    assert a_container_of(found)["lastState"]["terminated"]["exitCode"] == 3


def test_the_last_end_survives_while_the_next_task_is_made() -> None:
    first = with_status(POD, status(task=EXITED_3, hold=Hold("CrashLoopBackOff", restarting=True)))
    found = a_container_of(status(first, a_task(POD, attempt=2, last_status="PENDING"), hold=Hold()))
    assert (found["lastState"]["terminated"]["exitCode"], found["restartCount"]) == (3, 0)


def test_an_end_that_nobody_saw_counts_as_a_restart_of_unknown_end() -> None:
    first = with_status(POD, status(task=RUNNING))
    found = a_container_of(status(first, SECOND))
    assert found["lastState"]["terminated"]["reason"] == "ContainerStatusUnknown"
    assert found["lastState"]["terminated"]["containerID"] == FIRST_ID


def test_a_new_address_replaces_the_old_one() -> None:
    first = with_status(POD, status(task=RUNNING))
    assert status(first, SECOND)["podIPs"] == [{"$patch": "replace"}, {"ip": "10.1.0.8"}]


def test_a_bridge_in_another_pod_replaces_the_address_of_the_one_before() -> None:
    first = with_status(POD, status(task=RUNNING))
    found = status(first, RUNNING, node_ip="10.9.9.9")
    assert (found["hostIP"], found["hostIPs"]) == ("10.9.9.9", [{"$patch": "replace"}, {"ip": "10.9.9.9"}])


def test_a_transition_time_moves_only_with_the_status() -> None:
    first = with_status(POD, status(task=RUNNING))
    again = {
        each["type"]: each["lastTransitionTime"] for each in status(first, RUNNING, now=LATER)["conditions"]
    }
    assert set(again.values()) == {"2026-01-01T12:00:00Z"}


def test_a_written_status_is_the_same() -> None:
    first = with_status(POD, status(task=RUNNING))
    assert same(status(first, RUNNING, now=LATER), first)


@pytest.mark.parametrize(
    "task",
    [
        pytest.param(EXITED_3, id="it-ended"),
        pytest.param(msgspec.structs.replace(RUNNING, ip="10.1.0.9"), id="another-address"),
        pytest.param(msgspec.structs.replace(RUNNING, desired_status="STOPPED"), id="no-longer-ready"),
    ],
)
def test_a_status_that_tells_something_new_is_not_the_same(task: Task) -> None:
    first = with_status(POD, status(task=RUNNING))
    assert not same(status(first, task), first)


def test_readiness_gates_hold_ready_back() -> None:
    pod = a_pod(readinessGates=[{"conditionType": "lb/ready"}])
    found = conditions(status(pod, RUNNING))
    assert (found["ContainersReady"], found["Ready"]) == ("True", "False")


def test_an_open_readiness_gate_lets_ready_through() -> None:
    gate = {"conditions": [{"type": "lb/ready", "status": "True"}]}
    pod = a_pod(readinessGates=[{"conditionType": "lb/ready"}], status=gate)
    assert conditions(status(pod, RUNNING))["Ready"] == "True"


def test_the_observed_generation_is_told() -> None:
    found = status(a_pod(metadata={"generation": 4}), RUNNING)
    assert (found["observedGeneration"], found["conditions"][0]["observedGeneration"]) == (4, 4)


@pytest.mark.parametrize(
    ("code", "phase"), [pytest.param(0, "Succeeded", id="clean"), pytest.param(143, "Failed", id="killed")]
)
def test_a_deleted_pod_ends_by_its_exit_codes(code: int, phase: str) -> None:
    task = a_task(POD, last_status="STOPPED", exit_code=code, started_at=NOON, stopped_at=LATER)
    assert final_status(POD, View(task=task, now=NOON, node_ip=NODE_IP))["phase"] == phase


def test_a_deleted_pod_that_never_ran_failed_with_its_containers_still_waiting() -> None:
    found = final_status(POD, View(task=None, now=NOON, node_ip=NODE_IP))
    assert found["phase"] == "Failed"
    assert "waiting" in a_container_of(found)["state"]


def test_a_lost_container_is_terminated_with_an_unknown_end() -> None:
    first = with_status(POD, status(task=RUNNING))
    found = status(first, None, verdict=Verdict(phase="Failed", reason="TaskLost"))
    ended = a_container_of(found)["state"]["terminated"]
    assert (found["reason"], ended["exitCode"], ended["reason"]) == (
        "TaskLost",
        137,
        "ContainerStatusUnknown",
    )


def test_an_end_once_written_is_never_rewritten() -> None:
    first = with_status(POD, status(task=EXITED_3))
    later = msgspec.structs.replace(EXITED_3, stopped_at=LATER + timedelta(hours=1))
    assert a_container_of(status(first, later)) == a_container_of(status(task=EXITED_3))


def test_every_container_of_the_pod_has_a_status_and_no_other() -> None:
    pod = a_pod(containers=[a_container("a"), a_container("b")])
    agent = TaskContainer(name="aws-guardduty-agent-x", last_status="RUNNING")
    task = a_task(pod, started_at=NOON)
    extended = msgspec.structs.replace(task, containers=(*task.containers, agent))
    assert [each["name"] for each in status(pod, extended)["containerStatuses"]] == ["a", "b"]


def test_a_held_pod_stays_pending_with_the_words() -> None:
    found = held_status(POD, reason="R", message="m", now=NOON)
    assert (found["phase"], found["reason"], found["message"]) == ("Pending", "R", "m")
    assert same(held_status(POD, reason="R", message="m", now=LATER), with_status(POD, found))


def test_words_that_no_longer_hold_are_taken_away() -> None:
    first = with_status(POD, {**status(task=RUNNING), "reason": "Old", "message": "old"})
    found = status(first, RUNNING)
    assert (found["reason"], found["message"]) == (None, None)


def test_an_arn_is_no_part_of_the_container_id() -> None:
    task = msgspec.structs.replace(RUNNING, arn=TaskArn("arn:aws:ecs:r:1:task/c/abc"))
    assert a_container_of(status(task=task))["containerID"] == "fargate://abc/main"


def test_a_pod_that_was_rejected_tells_of_no_container() -> None:
    verdict = Verdict(phase="Failed", reason="OverflowNotAllowed", message="Pod was rejected")
    found = status(verdict=verdict)
    assert found["phase"] == "Failed"
    assert found["containerStatuses"] == []


def test_a_pod_that_fails_later_keeps_what_was_told_of_its_containers() -> None:
    creating = with_status(POD, status())
    found = status(creating, verdict=Verdict(phase="Failed", reason="TaskLost"))
    assert a_container_of(found)["state"] == {"waiting": {"reason": "ContainerCreating"}}


def test_a_message_that_is_read_after_the_end_was_told_is_added_to_it() -> None:
    ended = with_status(POD, status(task=EXITED_3))
    told = Told(messages={"main": "no such table\n"})
    found = a_container_of(status(ended, EXITED_3, told=told))["state"]["terminated"]
    assert (found["exitCode"], found["message"]) == (3, "no such table\n")
