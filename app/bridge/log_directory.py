"""Where a container's log is: the stream that awslogs names `PREFIX/CONTAINER/TASK_ID`."""

from collections.abc import Iterator, Sequence

from app.bridge.decision import adoption
from app.bridge.decision.record import recorded_arn
from app.bridge.status.container_status import task_id_of
from app.bridge.task_store import TaskStore
from app.model.pod import Pod, is_terminal
from app.model.task import Task
from app.model.wire import Json
from app.ports.failures import NotFound
from app.ports.logs import LogSource
from app.ports.watched import Watched


class BridgeLogs:
    """The logs of this node's pods (`app.ports.logs.LogDirectory`)."""

    def __init__(self, pods: Watched[Pod], store: TaskStore, *, stream_prefix: str) -> None:
        self._pods = pods
        self._store = store
        self._prefix = stream_prefix

    def has(self, namespace: str, pod: str) -> bool:
        """Whether the pod is on this node."""
        return self._pods.get(f"{namespace}/{pod}") is not None

    def find(self, namespace: str, pod: str, container: str) -> LogSource | None:
        """The newest attempt's log; None while no task was launched.

        A task that ECS has forgotten is still known by its id in the pod's status.

        Raises:
            NotFound: no such pod or container here, in the kubelet's words.
        """
        found = self._pods.get(f"{namespace}/{pod}")
        if found is None:
            raise NotFound(f'pod "{pod}" not found')
        if all(each.name != container for each in (*found.spec.init_containers, *found.spec.containers)):
            raise NotFound(f'container "{container}" not found in pod "{pod}"')
        task = adoption.current(self._store.of(found.uid), recorded=recorded_arn(found))
        if task is not None:
            return LogSource(stream=self._stream(container, task.task_id), finished=_is_over(task, container))
        task_id = _written_task_id(found, container)
        if not task_id:
            return None
        return LogSource(stream=self._stream(container, task_id), finished=is_terminal(found))

    def waiting(self, namespace: str, pod: str, container: str) -> str:
        """Why the container waits, as the pod's status has it; empty where it has none."""
        found = self._pods.get(f"{namespace}/{pod}")
        return _waiting_reason(found, container) if found is not None else ""

    def _stream(self, container: str, task_id: str) -> str:
        return f"{self._prefix}/{container}/{task_id}"


class JoinedLogs:
    """The logs of several nodes that one HTTPS API serves (`app.ports.logs.LogDirectory`)."""

    def __init__(self, directories: Sequence[BridgeLogs]) -> None:
        self._directories = directories

    def find(self, namespace: str, pod: str, container: str) -> LogSource | None:
        """As `BridgeLogs.find`, of the node that has the pod.

        Raises:
            NotFound: no such pod or container, in the kubelet's words.
        """
        return self._of(namespace, pod).find(namespace, pod, container)

    def waiting(self, namespace: str, pod: str, container: str) -> str:
        """As `BridgeLogs.waiting`, of the node that has the pod."""
        return self._of(namespace, pod).waiting(namespace, pod, container)

    def _of(self, namespace: str, pod: str) -> BridgeLogs:
        having = (each for each in self._directories if each.has(namespace, pod))
        return next(having, self._directories[0])


def _is_over(task: Task, container: str) -> bool:
    return task.is_stopped or any(
        each.name == container and each.last_status == "STOPPED" for each in task.containers
    )


def _written_task_id(pod: Pod, container: str) -> str:
    return next((task_id_of(each) for each in _statuses(pod, container)), "")


def _waiting_reason(pod: Pod, container: str) -> str:
    states = (each.get("state") or {} for each in _statuses(pod, container))
    return next((str((state.get("waiting") or {}).get("reason") or "") for state in states), "")


def _statuses(pod: Pod, container: str) -> Iterator[Json]:
    statuses = (*pod.status.init_container_statuses, *pod.status.container_statuses)
    return (each for each in statuses if each.get("name") == container)
