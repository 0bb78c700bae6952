"""What people read, in kubelet's words: they search for them, and so do their tools."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from app.bridge.decision.commands import ReadRecords, RecordEvent
from app.bridge.decision.facts import Facts
from app.bridge.decision.reconcile import decide
from app.bridge.translation.material import Unready
from app.model.task import TaskContainer
from tests.bridge.situations import CRASHED, POD, attempted, facts_of, kinds, status_in, with_material
from tests.builders import NOON, a_container, a_pod, a_task

RUNNING = a_task(POD, started_at=NOON)


def events(facts: Facts) -> list[tuple[str, str]]:
    return [(each.reason, each.message) for each in decide(facts) if isinstance(each, RecordEvent)]


@pytest.mark.parametrize(
    ("attempts", "pause"),
    [
        pytest.param(1, "10s", id="first"),
        pytest.param(4, "1m20s", id="fourth"),
        pytest.param(9, "5m0s", id="longest"),
    ],
)
def test_a_back_off_names_the_container_the_pod_and_the_pause(attempts: int, pause: str) -> None:
    tasks = [a_task(POD, attempt=number, **CRASHED) for number in range(1, attempts + 1)]
    found = status_in(decide(facts_of(attempted(attempts), *tasks)))
    assert found["containerStatuses"][0]["state"]["waiting"] == {
        "reason": "CrashLoopBackOff",
        "message": f"back-off {pause} restarting failed container=main pod=web-1_shop(u1)",
    }


def test_the_event_of_a_back_off_names_the_container_that_failed() -> None:
    pod = attempted(containers=[a_container("a"), a_container("main")])
    boxes = (
        TaskContainer(name="a", last_status="STOPPED", exit_code=0),
        TaskContainer(name="main", last_status="STOPPED", exit_code=3),
    )
    task = a_task(POD, last_status="STOPPED", started_at=NOON, stopped_at=NOON, containers=boxes)
    said = "Back-off restarting failed container main in pod web-1_shop(u1)"
    assert ("BackOff", said) in events(facts_of(pod, task))


@pytest.mark.parametrize(
    ("lacking", "message"),
    [
        pytest.param(
            Unready("CreateContainerConfigError", 'secret "x" not found'),
            'Error: secret "x" not found',
            id="a-secret-for-a-variable",
        ),
        pytest.param(
            Unready("ContainerCreating", 'secret "x" not found', event="FailedMount"),
            'secret "x" not found',
            id="a-volume",
        ),
    ],
)
def test_the_event_of_what_is_missing_begins_as_kubelets_does(lacking: Unready, message: str) -> None:
    facts = with_material(facts_of(a_pod("web-1", uid="u1")), lacking)
    assert events(facts) == [(lacking.event, message)]


def test_an_init_containers_failure_is_told_by_its_exit_code() -> None:
    pod = attempted(restartPolicy="Never", initContainers=[a_container("first")])
    boxes = (
        TaskContainer(name="first", last_status="STOPPED", exit_code=9),
        TaskContainer(
            name="main",
            last_status="STOPPED",
            exit_code=143,
            reason="CannotStartContainerError: dependency graph: dependency [first]",
        ),
    )
    task = a_task(POD, last_status="STOPPED", stopped_at=NOON, containers=boxes)
    assert ("Failed", "init container first exited with code 9") in events(facts_of(pod, task))


def written(facts: Facts) -> Facts:
    """The facts, with what they make of the pod's status."""
    kept = {key: value for key, value in status_in(decide(facts)).items() if value is not None}
    assert facts.pod is not None
    status = msgspec.convert(kept, type(facts.pod.status))
    return msgspec.structs.replace(facts, pod=msgspec.structs.replace(facts.pod, status=status))


STARTED = ("Started", f"Started Fargate task {RUNNING.task_id}")


@pytest.mark.parametrize(
    "task",
    [
        pytest.param(RUNNING, id="it-runs"),
        pytest.param(a_task(POD, **CRASHED), id="it-ended-between-two-polls"),
    ],
)
def test_a_start_is_told_once(task: Any) -> None:
    facts = facts_of(attempted(arn=task.arn), task)
    assert STARTED in events(facts)
    assert STARTED not in events(written(facts))


def test_a_restart_is_a_start_too() -> None:
    running = written(facts_of(attempted(arn=RUNNING.arn), RUNNING))
    second = a_task(POD, attempt=2, started_at=NOON)
    assert running.pod is not None
    facts = facts_of(msgspec.structs.replace(attempted(2), status=running.pod.status), second)
    assert ("Started", f"Started Fargate task {second.task_id}") in events(facts)


@pytest.mark.parametrize(("seconds", "waits"), [(5, True), (6, False)])
def test_an_end_waits_for_an_empty_log_for_a_moment_only(seconds: int, waits: bool) -> None:
    pod = attempted(containers=[a_container(terminationMessagePolicy="FallbackToLogsOnError")])
    facts = facts_of(pod, a_task(POD, **CRASHED), now=NOON + timedelta(seconds=seconds))
    assert (ReadRecords in kinds(decide(facts))) is waits
