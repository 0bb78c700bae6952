"""Init containers and sidecars: what a kubelet says while they run, when they fail, and after them."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from app.bridge.status.container_status import Hold
from app.bridge.status.observed import Health
from app.bridge.status.pod_status import Verdict, View, status_of
from app.model.pod import Pod
from app.model.task import Task, TaskContainer
from tests.bridge.validity import complaints
from tests.builders import NOON, a_container, a_pod, a_task

INIT = a_container("first")
SIDECAR = a_container("beside", restartPolicy="Always")
POD = a_pod("web-1", uid="u1", initContainers=[INIT])
WITH_SIDECAR = a_pod("web-1", uid="u1", restartPolicy="Never", initContainers=[SIDECAR])


def a_task_of(pod: Pod, last_status: str, *boxes: TaskContainer, **fields: Any) -> Task:
    return a_task(pod, last_status=last_status, containers=boxes, **fields)


def box(name: str, last_status: str, exit_code: int | None = None, reason: str = "") -> TaskContainer:
    return TaskContainer(name=name, last_status=last_status, exit_code=exit_code, reason=reason)


def told(pod: Pod, task: Task | None, *, hold: Hold | None = None, **fields: Any) -> dict[str, Any]:
    verdict = fields.pop("verdict", None)
    view = View(**{"task": task, "now": NOON, "node_ip": "10.0.0.9", **fields})
    return status_of(pod, view, hold=hold or Hold(), verdict=verdict)


def written(pod: Pod, status: dict[str, Any]) -> Pod:
    kept = {key: value for key, value in status.items() if value is not None}
    return msgspec.structs.replace(pod, status=msgspec.convert(kept, type(pod.status)))


def initialized(status: dict[str, Any]) -> tuple[str, str]:
    [found] = [each for each in status["conditions"] if each["type"] == "Initialized"]
    return found["status"], found.get("message", "")


def waits(status: dict[str, Any]) -> str:
    return str(status["containerStatuses"][0]["state"]["waiting"]["reason"])


BEGUN = a_task_of(POD, "PENDING", box("first", "RUNNING"), box("main", "PENDING"))
DONE = a_task_of(POD, "PENDING", box("first", "STOPPED", 0), box("main", "PENDING"))
FAILED = a_task_of(POD, "PENDING", box("first", "STOPPED", 3), box("main", "PENDING"))


def test_while_an_init_container_runs_the_pod_is_pending_and_initializing() -> None:
    found = told(POD, BEGUN)
    assert (found["phase"], waits(found)) == ("Pending", "PodInitializing")
    assert list(found["initContainerStatuses"][0]["state"]) == ["running"]
    assert initialized(found) == ("False", "containers with incomplete status: [first]")


def test_an_init_container_that_is_done_is_ready_and_the_pod_is_initialized() -> None:
    found = told(POD, DONE)
    assert found["initContainerStatuses"][0]["ready"] is True
    assert found["initContainerStatuses"][0]["state"]["terminated"]["reason"] == "Completed"
    assert (found["phase"], initialized(found)[0]) == ("Pending", "True")


def test_an_init_container_that_failed_leaves_the_pod_pending_and_not_initialized() -> None:
    found = told(POD, FAILED)
    assert found["initContainerStatuses"][0]["state"]["terminated"]["exitCode"] == 3
    assert (found["phase"], initialized(found)[0]) == ("Pending", "False")


def test_a_failed_init_container_waits_in_a_crash_loop_and_the_others_for_their_turn() -> None:
    held = Hold("CrashLoopBackOff", restarting=True, about=frozenset({"first"}))
    found = told(POD, FAILED, hold=held)
    assert found["initContainerStatuses"][0]["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert found["initContainerStatuses"][0]["lastState"]["terminated"]["exitCode"] == 3
    assert waits(found) == "PodInitializing"


def test_a_failed_init_container_never_ended_before_it_started() -> None:
    over = NOON - timedelta(seconds=3)
    task = a_task_of(POD, "STOPPED", box("first", "STOPPED", 3), box("main", "STOPPED"), stopped_at=over)
    ended = told(POD, task)["initContainerStatuses"][0]["state"]["terminated"]
    assert ended["startedAt"] == ended["finishedAt"] == "2026-01-01T11:59:57Z"


def test_what_ecs_stopped_for_a_failed_dependency_never_ran_whatever_its_exit_code() -> None:
    never = box("main", "STOPPED", 143, "CannotStartContainerError: dependency graph: x")
    task = a_task_of(POD, "STOPPED", box("first", "STOPPED", 3), never, stopped_at=NOON)
    assert waits(told(POD, task)) == "PodInitializing"


@pytest.mark.parametrize("policy", ["OnFailure", "Never"])
def test_a_done_init_container_stays_so_while_another_task_runs_it_again(policy: str) -> None:
    pod = a_pod("web-1", uid="u1", restartPolicy=policy, initContainers=[INIT])
    first = written(pod, told(pod, DONE))
    again = a_task_of(pod, "PENDING", box("first", "RUNNING"), box("main", "PENDING"), attempt=2)
    found = told(first, again)
    assert found["initContainerStatuses"][0]["state"]["terminated"]["exitCode"] == 0
    assert complaints(first, found) == []


def test_another_run_of_an_init_container_counts_as_a_restart_once_it_is_done() -> None:
    first = written(POD, told(POD, DONE))
    again = a_task_of(POD, "PENDING", box("first", "STOPPED", 0), box("main", "PENDING"), attempt=2)
    assert told(first, again)["initContainerStatuses"][0]["restartCount"] == 1


RUNNING = a_task_of(
    WITH_SIDECAR, "RUNNING", box("beside", "RUNNING"), box("main", "RUNNING"), started_at=NOON, ip="10.1.0.7"
)


def test_a_sidecar_that_runs_is_started_and_ready() -> None:
    found = told(WITH_SIDECAR, RUNNING)["initContainerStatuses"][0]
    assert (found["started"], found["ready"]) == (True, True)


def test_a_pod_is_not_initialized_before_its_sidecar_has_started() -> None:
    task = a_task_of(WITH_SIDECAR, "PENDING", box("beside", "RUNNING"), box("main", "PENDING"))
    found = told(WITH_SIDECAR, task, health={"beside": Health(started=False, ready=False)})
    assert (found["phase"], initialized(found)[0]) == ("Pending", "False")


def test_a_sidecar_that_is_not_ready_keeps_the_pod_from_being_ready() -> None:
    found = told(WITH_SIDECAR, RUNNING, health={"beside": Health(ready=False)})
    [ready] = [each for each in found["conditions"] if each["type"] == "Ready"]
    assert (ready["status"], ready["message"]) == ("False", "containers with unready status: [beside]")


def test_a_sidecar_does_not_hold_the_pod_open() -> None:
    boxes = (box("beside", "STOPPED", 143), box("main", "STOPPED", 0))
    task = a_task_of(WITH_SIDECAR, "STOPPED", *boxes, started_at=NOON, stopped_at=NOON)
    found = told(WITH_SIDECAR, task, verdict=Verdict(phase="Succeeded"))
    assert found["phase"] == "Succeeded"
    assert found["initContainerStatuses"][0]["state"]["terminated"]["exitCode"] == 143
