import pytest

from app.bridge.log_directory import BridgeLogs, JoinedLogs
from app.bridge.task_store import TaskStore
from app.model.pod import Pod
from app.model.task import Task
from app.ports.failures import NotFound
from app.ports.logs import LogSource
from tests.builders import VIRTUAL, a_pod, a_task
from tests.fakes import FakeWatched

POD = a_pod("web-1", uid="u1")


def logs_of(pod: Pod, *tasks: Task) -> BridgeLogs:
    store = TaskStore(cluster="cluster-1", node=VIRTUAL)
    for task in tasks:
        store.put(task)
    return BridgeLogs(FakeWatched([pod]), store, stream_prefix="spillway")


def test_a_running_containers_log_goes_on() -> None:
    assert logs_of(POD, a_task(POD)).find("shop", "web-1", "main") == LogSource(
        stream="spillway/main/u1-1", finished=False
    )


def test_a_stopped_containers_log_is_finished() -> None:
    found = logs_of(POD, a_task(POD, last_status="STOPPED")).find("shop", "web-1", "main")
    assert found == LogSource(stream="spillway/main/u1-1", finished=True)


def test_the_newest_attempts_log_is_read() -> None:
    found = logs_of(POD, a_task(POD, last_status="STOPPED"), a_task(POD, attempt=2)).find(
        "shop", "web-1", "main"
    )
    assert found == LogSource(stream="spillway/main/u1-2", finished=False)


def test_before_the_launch_there_is_no_log() -> None:
    assert logs_of(POD).find("shop", "web-1", "main") is None


def test_the_log_of_a_task_that_ecs_forgot_is_found_by_the_pods_status() -> None:
    status = {"containerStatuses": [{"name": "main", "containerID": "fargate://abc/r1"}]}
    pod = a_pod("web-1", phase="Succeeded", status=status)
    assert logs_of(pod).find("shop", "web-1", "main") == LogSource(stream="spillway/main/abc", finished=True)


def waiting(container: str, reason: str) -> dict[str, object]:
    """A container's status."""
    return {"name": container, "state": {"waiting": {"reason": reason}}}


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        pytest.param({"containerStatuses": [waiting("main", "ErrImagePull")]}, "ErrImagePull", id="waits"),
        pytest.param({"initContainerStatuses": [waiting("main", "Other")]}, "Other", id="init"),
        pytest.param({"containerStatuses": [waiting("side", "ErrImagePull")]}, "", id="another does"),
        pytest.param({"containerStatuses": [{"name": "main", "state": {"running": {}}}]}, "", id="runs"),
        pytest.param({"containerStatuses": [{"name": "main"}]}, "", id="no state"),
        pytest.param({}, "", id="no status"),
    ],
)
def test_why_a_container_waits_stands_in_the_pods_status(status: dict[str, object], reason: str) -> None:
    directory = logs_of(a_pod("web-1", status=status))
    assert directory.waiting("shop", "web-1", "main") == reason
    assert JoinedLogs([directory]).waiting("shop", "web-1", "main") == reason


def test_a_pod_that_is_not_here_waits_for_nothing() -> None:
    assert logs_of(POD).waiting("shop", "other", "main") == ""


@pytest.mark.parametrize(
    ("pod", "container", "words"),
    [
        pytest.param("other", "main", 'pod "other" not found', id="pod"),
        pytest.param("web-1", "x", 'container "x" not found in pod "web-1"', id="container"),
    ],
)
def test_what_is_not_here_is_refused_in_the_kubelets_words(pod: str, container: str, words: str) -> None:
    with pytest.raises(NotFound, match=words):
        logs_of(POD).find("shop", pod, container)
