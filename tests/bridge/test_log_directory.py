from datetime import timedelta

import msgspec
import pytest

from app.bridge.log_directory import BridgeLogs
from app.bridge.status.observed import Run
from app.bridge.task_store import TaskStore
from app.model.log import LogSource, LogStream, LogWindow
from app.model.pod import Pod
from app.model.task import Task
from app.ports.failures import NotFound
from tests.bridge.fakes import TASK
from tests.builders import NOON, VIRTUAL, a_pod, a_task
from tests.fakes import FakeWatched

POD = a_pod("web-1", uid="u1")


def at(name: str, *, group: str = TASK.log_group) -> LogStream:
    return LogStream(group=group, name=name)


def logs_of(pod: Pod, *tasks: Task) -> BridgeLogs:
    store = TaskStore(cluster="cluster-1", node=VIRTUAL)
    for task in tasks:
        store.put(task)
    return BridgeLogs(FakeWatched([pod]), store, settings=TASK)


def test_a_running_containers_log_goes_on() -> None:
    assert logs_of(POD, a_task(POD)).find("shop", "web-1", "main") == LogSource(
        stream=at("spillway/main/u1-1"), finished=False
    )


def test_a_stopped_containers_log_is_finished() -> None:
    found = logs_of(POD, a_task(POD, last_status="STOPPED")).find("shop", "web-1", "main")
    assert found == LogSource(stream=at("spillway/main/u1-1"), finished=True)


def test_the_newest_attempts_log_is_read() -> None:
    found = logs_of(POD, a_task(POD, last_status="STOPPED"), a_task(POD, attempt=2)).find(
        "shop", "web-1", "main"
    )
    assert found == LogSource(stream=at("spillway/main/u1-2"), finished=False)


def test_before_the_launch_there_is_no_log() -> None:
    assert logs_of(POD).find("shop", "web-1", "main") is None


def test_the_log_of_a_task_that_ecs_forgot_is_found_by_the_pods_status() -> None:
    status = {"containerStatuses": [{"name": "main", "containerID": "fargate://abc/r1"}]}
    pod = a_pod("web-1", phase="Succeeded", status=status)
    assert logs_of(pod).find("shop", "web-1", "main") == LogSource(
        stream=at("spillway/main/abc"), finished=True
    )


@pytest.mark.parametrize(
    ("of", "group"),
    [
        pytest.param(POD.uid, "/before", id="ours"),
        pytest.param("another", TASK.log_group, id="a copy of another pod's"),
    ],
)
def test_a_log_is_where_its_launch_wrote_it_whatever_the_setting_says_now(of: str, group: str) -> None:
    written = {"spillway.dev/log-group": "/before", "spillway.dev/attempt-of": of}
    pod = a_pod("web-1", uid=POD.uid, annotations=written)
    found = logs_of(pod, a_task(pod)).find("shop", "web-1", "main")
    assert found == LogSource(stream=at("spillway/main/u1-1", group=group), finished=False)


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


STARTED = NOON
AGAIN = NOON + timedelta(seconds=12)


def in_place(pod: Pod, *runs: Run) -> BridgeLogs:
    """A pod whose task records these runs of its container."""
    store = TaskStore(cluster="cluster-1", node=VIRTUAL)
    store.put(a_task(pod))
    return BridgeLogs(FakeWatched([pod]), store, settings=TASK, runs=lambda _task, _name: runs)


FIRST = Run(number=1, started=STARTED, finished=NOON + timedelta(seconds=2), code=1)
SECOND = Run(number=2, started=AGAIN)


def test_a_second_run_inside_the_task_has_its_own_part_of_the_stream() -> None:
    found = in_place(POD, FIRST, SECOND).find("shop", "web-1", "main")
    assert found == LogSource(stream=at("spillway/main/u1-1"), finished=False, window=LogWindow(since=AGAIN))


def test_the_run_before_it_ends_where_it_begins() -> None:
    found = in_place(POD, FIRST, SECOND).find("shop", "web-1", "main", previous=True)
    assert found == LogSource(stream=at("spillway/main/u1-1"), finished=True, window=LogWindow(until=AGAIN))


def test_while_another_run_is_due_the_one_that_ended_is_the_previous_one() -> None:
    ended = msgspec.structs.replace(FIRST, again=AGAIN)
    found = in_place(POD, ended).find("shop", "web-1", "main", previous=True)
    assert found == LogSource(stream=at("spillway/main/u1-1"), finished=True, window=LogWindow())


def test_a_first_run_has_none_before_it() -> None:
    assert (
        in_place(POD, msgspec.structs.replace(SECOND, number=1)).find("shop", "web-1", "main", previous=True)
        is None
    )


def test_the_attempt_before_is_found_by_the_pods_status() -> None:
    last = {"terminated": {"containerID": "fargate://t-1/r", "startedAt": "2026-01-01T12:00:00Z"}}
    status = {"containerStatuses": [{"name": "main", "containerID": "fargate://u1-2/r", "lastState": last}]}
    pod = a_pod("web-1", uid="u1", status=status)
    found = logs_of(pod, a_task(pod, attempt=2)).find("shop", "web-1", "main", previous=True)
    assert found == LogSource(stream=at("spillway/main/t-1"), finished=True)


def test_runs_that_are_not_read_yet_are_told_apart_by_the_pods_status() -> None:
    last = {"terminated": {"containerID": "fargate://u1-1/r@2", "startedAt": "2026-01-01T12:00:12Z"}}
    running = {"running": {"startedAt": "2026-01-01T12:00:40Z"}}
    status = {
        "containerStatuses": [
            {"name": "main", "containerID": "fargate://u1-1/r@3", "lastState": last, "state": running}
        ]
    }
    directory = logs_of(pod := a_pod("web-1", uid="u1", status=status), a_task(pod))
    newest, before = (
        directory.find("shop", "web-1", "main", previous=previous) for previous in (False, True)
    )
    begun = NOON + timedelta(seconds=40)
    assert newest == LogSource(stream=at("spillway/main/u1-1"), finished=False, window=LogWindow(since=begun))
    assert before == LogSource(
        stream=at("spillway/main/u1-1"), finished=True, window=LogWindow(since=AGAIN, until=begun)
    )


def test_an_ephemeral_container_has_no_log_and_says_why() -> None:
    pod = a_pod("web-1", uid="u1", ephemeralContainers=[{"name": "debugger-x", "image": "busybox"}])
    logs = logs_of(pod, a_task(pod))
    assert logs.find("shop", "web-1", "debugger-x") is None
    assert logs.waiting("shop", "web-1", "debugger-x") == "EphemeralContainersUnsupported"
    assert logs.find("shop", "web-1", "main") is not None
