from typing import Any

import pytest

from app.bridge.status.endings import (
    SEQUELS,
    Ending,
    Sequel,
    StartFailure,
    ending_of,
    explained,
    sequel_of,
    start_failure_of,
)
from app.model.task import Task, TaskContainer
from tests.builders import NOON, a_container, a_pod, a_task

POD = a_pod()
EXITED = "EssentialContainerExited"
NO_START = "TaskFailedToStart"


def stopped(**fields: Any) -> Task:
    return a_task(POD, **{"last_status": "STOPPED", "started_at": NOON, **fields})


def test_every_ending_has_a_sequel_or_leaves_it_to_the_restart_policy() -> None:
    assert set(SEQUELS) == set(Ending)


@pytest.mark.parametrize(
    ("task", "ending"),
    [
        pytest.param(stopped(stop_code=EXITED, exit_code=0), Ending.COMPLETED, id="exit-0"),
        pytest.param(stopped(stop_code=EXITED, exit_code=1), Ending.CRASHED, id="exit-1"),
        pytest.param(stopped(stop_code=EXITED), Ending.CRASHED, id="no-exit-code"),
        pytest.param(stopped(stop_code="SomethingNew", exit_code=0), Ending.COMPLETED, id="new-code"),
        pytest.param(stopped(stop_code=NO_START, started_at=None), Ending.NOT_STARTED, id="no-start"),
        pytest.param(stopped(stop_code="SpotInterruption", exit_code=0), Ending.DISRUPTED, id="spot"),
        pytest.param(stopped(stop_code="TerminationNotice", exit_code=143), Ending.DISRUPTED, id="notice"),
        pytest.param(stopped(stop_code="InfrastructureHealth"), Ending.DISRUPTED, id="health"),
        pytest.param(
            stopped(stop_code="ServiceSchedulerInitiated", exit_code=143), Ending.DISRUPTED, id="retired"
        ),
        pytest.param(stopped(stop_code="UserInitiated", exit_code=143), Ending.STOPPED, id="by-a-user"),
        pytest.param(stopped(stop_code="UserInitiated", started_at=None), Ending.STOPPED, id="early"),
        pytest.param(stopped(containers=()), Ending.STOPPED, id="a-bare-description-says-nothing"),
    ],
)
def test_an_ending_follows_from_stop_code_and_exit_codes(task: Task, ending: Ending) -> None:
    assert ending_of(task, spec=POD.spec) is ending


def test_one_failed_container_makes_the_task_a_failure() -> None:
    containers = (TaskContainer(name="a", exit_code=0), TaskContainer(name="b", exit_code=2))
    pod = a_pod(containers=[a_container("a"), a_container("b")])
    assert ending_of(stopped(containers=containers), spec=pod.spec) is Ending.CRASHED


@pytest.mark.parametrize(
    ("policy", "code", "sequel"),
    [
        pytest.param("Never", 0, Sequel.SUCCEEDED, id="never-0"),
        pytest.param("Never", 1, Sequel.FAILED, id="never-1"),
        pytest.param("OnFailure", 0, Sequel.SUCCEEDED, id="on-failure-0"),
        pytest.param("OnFailure", 1, Sequel.RELAUNCH, id="on-failure-1"),
        pytest.param("Always", 0, Sequel.RELAUNCH, id="always-0"),
        pytest.param("Always", 1, Sequel.RELAUNCH, id="always-1"),
    ],
)
def test_the_restart_policy_decides_after_an_exit(policy: str, code: int, sequel: Sequel) -> None:
    pod = a_pod(restartPolicy=policy)
    assert sequel_of(stopped(exit_code=code), spec=pod.spec) is sequel


IMAGE = StartFailure("ErrImagePull", "ImagePullBackOff")


@pytest.mark.parametrize(
    ("said", "first"),
    [
        pytest.param("CannotPullContainerError: manifest unknown", "ErrImagePull", id="pull"),
        pytest.param("CannotPullImageManifestError: x", "ErrImagePull", id="manifest"),
        pytest.param("ResourceInitializationError: secrets", "CreateContainerConfigError", id="init"),
        pytest.param("ResourceNotFoundException: x", "CreateContainerConfigError", id="not-found"),
        pytest.param("CannotStartContainerError: exec format", "RunContainerError", id="start"),
        pytest.param("CannotCreateContainerError: x", "RunContainerError", id="create"),
        pytest.param("CannotCreateVolumeError: x", "CreateContainerError", id="volume"),
        pytest.param("Capacity is unavailable at this time.", "FargateNoCapacity", id="capacity"),
        pytest.param(
            "You\u2019ve reached the limit on the number of vCPUs",
            "FargateNoCapacity",
            id="quota",
        ),
        pytest.param(
            "Timeout waiting for network interface provisioning", "FailedCreatePodSandBox", id="interface"
        ),
        pytest.param("Something else", "RunContainerError", id="unknown"),
    ],
)
def test_a_failed_start_is_named_as_kubelet_names_it(said: str, first: str) -> None:
    assert start_failure_of(stopped(stopped_reason=said)).first == first


def test_the_containers_reason_counts_where_the_tasks_says_nothing() -> None:
    pod = a_pod(containers=[a_container()])
    task = a_task(
        pod, last_status="STOPPED", reason="CannotPullContainerError: x", stopped_reason="Task failed"
    )
    assert start_failure_of(task) == IMAGE


def test_what_a_container_repeats_of_its_task_is_said_once() -> None:
    same, other = (
        TaskContainer(name="main", reason="CannotPull: x"),
        TaskContainer(name="side", reason="OutOfMemory"),
    )
    assert explained(stopped(stopped_reason="CannotPull: x", containers=(same, other))) == (
        "CannotPull: x; side: OutOfMemory"
    )
