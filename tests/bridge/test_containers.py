from typing import Any

import pytest

from app.bridge.containers import BridgeContainers
from app.bridge.task_store import TaskStore
from app.model.names import INSTALL_CONTAINER
from app.model.pod import Pod
from app.model.task import Task, TaskContainer
from app.ports.containers import Running
from app.ports.failures import NotFound, Refused
from tests.builders import VIRTUAL, a_container, a_pod, a_task
from tests.fakes import FakeWatched

POD = a_pod("web-1", uid="u1")
ARN = a_task(POD).arn
READ_ONLY: dict[str, Any] = {"securityContext": {"readOnlyRootFilesystem": True}}
HOOK = {"lifecycle": {"preStop": {"exec": {"command": ["true"]}}}}


def containers_of(pod: Pod, *tasks: Task) -> BridgeContainers:
    store = TaskStore(cluster="cluster-1", node=VIRTUAL)
    for task in tasks:
        store.put(task)
    return BridgeContainers(FakeWatched([pod]), store)


def seen(name: str = "main", **fields: Any) -> TaskContainer:
    fields = {"last_status": "RUNNING", "agent": "RUNNING", "runtime_id": "rt-1", **fields}
    return TaskContainer(name=name, **fields)


def entered(pod: Pod = POD, *containers: TaskContainer, **fields: Any) -> Task:
    """A task that was launched for sessions."""
    fields = {"execute_command": True, "containers": containers or (seen(),), **fields}
    return a_task(pod, **fields)


def test_a_running_container_is_entered_by_its_task_and_runtime() -> None:
    assert containers_of(POD, entered()).running("shop", "web-1", "main") == Running(
        task=ARN, container="main", runtime_id="rt-1"
    )


def test_the_newest_attempt_is_entered() -> None:
    old = entered(POD, seen(last_status="STOPPED"), last_status="STOPPED")
    new = entered(POD, seen(runtime_id="rt-2"), attempt=2)
    assert containers_of(POD, old, new).running("shop", "web-1", "main").runtime_id == "rt-2"


def test_an_init_container_is_entered_while_it_runs() -> None:
    pod = a_pod("web-1", uid="u1", initContainers=[a_container("init")])
    found = containers_of(pod, entered(pod, seen("init"), seen(last_status="PENDING")))
    assert found.running("shop", "web-1", "init").container == "init"


@pytest.mark.parametrize(
    ("pod", "container", "words"),
    [
        pytest.param("web-2", "main", "pod does not exist", id="pod"),
        pytest.param("web-1", "side", 'container not found \\("side"\\)', id="container"),
    ],
)
def test_what_is_not_on_the_node_is_told_in_the_kubelets_words(pod: str, container: str, words: str) -> None:
    with pytest.raises(NotFound, match=f"^{words}$"):
        containers_of(POD, entered()).running("shop", pod, container)


def waiting(reason: str) -> dict[str, Any]:
    return {"containerStatuses": [{"name": "main", "state": {"waiting": {"reason": reason}}}]}


@pytest.mark.parametrize(
    ("pod", "task", "words"),
    [
        pytest.param(POD, None, "is waiting to start: ContainerCreating", id="not launched"),
        pytest.param(
            a_pod("web-1", uid="u1", status=waiting("ErrImagePull")),
            entered(POD, seen(last_status="PENDING")),
            "is waiting to start: ErrImagePull",
            id="waits",
        ),
        pytest.param(
            a_pod("web-1", uid="u1", status=waiting("CrashLoopBackOff")),
            entered(POD, seen(last_status="STOPPED"), last_status="STOPPED"),
            "is waiting to start: CrashLoopBackOff",
            id="between two tasks",
        ),
        pytest.param(
            POD, entered(POD, seen(last_status="STOPPED")), 'container "main" .* is terminated', id="ended"
        ),
        pytest.param(
            a_pod("web-1", uid="u1", phase="Succeeded"),
            entered(POD, seen(last_status="STOPPED"), last_status="STOPPED"),
            "cannot exec into a container in a completed pod; current phase is Succeeded",
            id="completed",
        ),
        pytest.param(
            POD,
            entered(execute_command=False),
            r"launched without ECS Exec; let --exec \(bridge\.settings\.exec\)",
            id="off",
        ),
        pytest.param(
            POD,
            entered(POD, seen(agent="STOPPED", agent_reason="no credentials")),
            r"does not run \(no credentials\); give the pod a task role that allows ssmmessages",
            id="agent without rights",
        ),
        pytest.param(
            a_pod("web-1", uid="u1", containers=[a_container(**READ_ONLY)]),
            entered(POD, seen(agent="STOPPED")),
            "does not run; leave its root file system writable",
            id="agent without a place to write",
        ),
        pytest.param(
            a_pod("web-1", uid="u1", shareProcessNamespace=True),
            entered(POD, seen(agent="STOPPED")),
            "does not run; of containers that share their processes ECS enters one alone",
            id="agent in a shared process namespace",
        ),
    ],
)
def test_where_no_session_can_be_it_says_why_and_the_mend(pod: Pod, task: Task | None, words: str) -> None:
    containers = containers_of(pod, *filter(None, [task]))
    with pytest.raises(Refused, match=words):
        containers.running("shop", "web-1", "main")


def test_where_ecs_does_not_tell_of_the_agent_opening_will_tell() -> None:
    assert containers_of(POD, entered(POD, seen(agent=""))).running("shop", "web-1", "main").task == ARN


INSTALL = seen(INSTALL_CONTAINER, last_status="STOPPED")


@pytest.mark.parametrize(
    ("fields", "containers", "helper"),
    [
        pytest.param({}, (INSTALL, seen(words=("run", "main", "--"))), True, id="its words say so"),
        pytest.param(HOOK, (INSTALL, seen(words=("serve", "--port"))), False, id="its words say no"),
        pytest.param({}, (INSTALL, seen(words=("run", "other", "--"))), False, id="another's words"),
        pytest.param(HOOK, (INSTALL, seen()), True, id="no words, and it must be"),
        pytest.param({}, (INSTALL, seen()), False, id="no words, and it need not be"),
        pytest.param(HOOK, (seen(words=("run", "main", "--")),), False, id="no helper in the task"),
    ],
)
def test_the_helper_is_known_from_the_task(
    fields: dict[str, Any], containers: tuple[TaskContainer, ...], *, helper: bool
) -> None:
    pod = a_pod("web-1", uid="u1", containers=[a_container(**fields)])
    found = containers_of(pod, entered(pod, *containers)).running("shop", "web-1", "main")
    assert found.helper is helper


def test_the_address_is_the_tasks() -> None:
    assert containers_of(POD, entered(ip="10.0.0.7")).address("shop", "web-1") == "10.0.0.7"


@pytest.mark.parametrize(
    ("pod", "tasks", "words"),
    [
        pytest.param(POD, [], "has no address yet", id="not launched"),
        pytest.param(POD, [entered(last_status="PENDING")], "has no address yet", id="no interface"),
        pytest.param(
            POD, [entered(last_status="STOPPED", ip="10.0.0.7")], "its task has stopped", id="stopped"
        ),
        pytest.param(a_pod("web-1", uid="u1", phase="Failed"), [], "its task has stopped", id="over"),
    ],
)
def test_without_a_running_task_there_is_no_address(pod: Pod, tasks: list[Task], words: str) -> None:
    with pytest.raises(Refused, match=words):
        containers_of(pod, *tasks).address("shop", "web-1")


def test_of_an_unknown_pod_there_is_no_address_either() -> None:
    with pytest.raises(NotFound, match=r"^pod does not exist$"):
        containers_of(POD).address("shop", "web-2")


def test_the_nodes_pods_are_those_that_are_watched() -> None:
    assert containers_of(POD).pods() == (POD,)


def test_a_container_whose_agent_was_starting_may_be_tried() -> None:
    containers = containers_of(POD, entered(POD, seen(agent="PENDING")))
    assert containers.running("shop", "web-1", "main").container == "main"


GONE = a_task(POD, last_status="STOPPED", stopped_reason="Essential container in task exited")
WHERE = Running(task=ARN, container="main", runtime_id="rt-1")


@pytest.mark.parametrize(
    ("pod", "task", "words"),
    [
        pytest.param(POD, entered(), "", id="runs"),
        pytest.param(POD, None, "", id="unknown to ECS for a moment"),
        pytest.param(POD, entered(POD, seen(agent="STOPPED")), "", id="its agent does not run"),
        pytest.param(POD, entered(desired_status="STOPPED"), "", id="is asked to stop"),
        pytest.param(POD, entered(POD, seen("other")), "", id="described without it"),
        pytest.param(POD, entered(POD, seen(runtime_id="")), "", id="described without its runtime"),
        pytest.param(
            POD,
            GONE,
            "is terminated: its task has stopped (Essential container in task exited)",
            id="task stopped",
        ),
        pytest.param(POD, entered(POD, seen(last_status="STOPPED")), "is terminated", id="container stopped"),
        pytest.param(POD, entered(POD, seen(runtime_id="rt-2")), "was started anew", id="another start"),
        pytest.param(
            a_pod("web-1", uid="u1", phase="Failed"), None, "is terminated", id="failed without a task"
        ),
        pytest.param(a_pod("web-2", uid="u2"), None, "is terminated", id="no pod and no task"),
    ],
)
def test_the_end_of_what_somebody_entered_is_told(pod: Pod, task: Task | None, words: str) -> None:
    containers = containers_of(pod, *filter(None, [task]))
    named = 'container "main" in pod "web-1" '
    assert containers.over("shop", "web-1", WHERE) == (words and named + words)


def test_the_end_of_a_task_counts_though_the_pod_has_another_already() -> None:
    new = entered(POD, seen(runtime_id="rt-2"), attempt=2)
    assert "its task has stopped" in containers_of(POD, GONE, new).over("shop", "web-1", WHERE)


@pytest.mark.parametrize(
    ("pod", "task", "words"),
    [
        pytest.param(POD, entered(ip="10.0.0.7"), "", id="is there"),
        pytest.param(POD, None, "", id="unknown to ECS for a moment"),
        pytest.param(POD, entered(ip="10.0.0.8"), "has another task now", id="elsewhere"),
        pytest.param(
            POD, entered(ip="10.0.0.7", last_status="STOPPED"), "its task has stopped", id="stopped"
        ),
        pytest.param(a_pod("web-2", uid="u2"), None, "does not exist any more", id="no pod"),
    ],
)
def test_that_a_pod_has_left_its_address_is_told(pod: Pod, task: Task | None, words: str) -> None:
    told = containers_of(pod, *filter(None, [task])).moved("shop", "web-1", "10.0.0.7")
    assert (words in told, bool(told)) == (True, bool(words))
