"""Where a container's log is: the stream that awslogs names `PREFIX/CONTAINER/TASK_ID`."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from app.bridge.config import TaskSettings
from app.bridge.decision import adoption
from app.bridge.decision.record import recorded_arn
from app.bridge.log_places import stream_of
from app.bridge.status import ephemeral
from app.bridge.status.container_status import task_id_of
from app.bridge.status.in_place import number_of
from app.bridge.status.observed import Run
from app.bridge.task_store import TaskStore
from app.model.log import WHOLE_STREAM, LogSource, LogStream, LogWindow
from app.model.pod import Pod, is_terminal
from app.model.task import Task
from app.model.wire import Json
from app.ports.failures import NotFound
from app.ports.watched import Watched

Runs = Callable[[Task, str], Sequence[Run]]
"""The runs of a container inside a task, oldest first; none where no helper records them, or not yet."""


def no_runs(_task: Task, _container: str) -> Sequence[Run]:
    """Nobody records runs."""
    return ()


class BridgeLogs:
    """The logs of this node's pods (`app.ports.logs.LogDirectory`)."""

    def __init__(
        self, pods: Watched[Pod], store: TaskStore, *, settings: TaskSettings, runs: Runs = no_runs
    ) -> None:
        """Nothing is asked; `runs` are those inside one task, as far as the helper's records are read."""
        self._pods = pods
        self._store = store
        self._settings = settings
        self._runs = runs

    def find(self, namespace: str, pod: str, container: str, *, previous: bool = False) -> LogSource | None:
        """The newest run's log, None while no task was launched; or that of the run before, None without one.

        An ephemeral container never runs, so it has none.

        A task that ECS has forgotten is still known by its id in the pod's status, and so is the run before.

        Raises:
            NotFound: no such pod or container here, in the kubelet's words.
        """
        found = self._pods.get(f"{namespace}/{pod}")
        if found is None:
            raise NotFound(f'pod "{pod}" not found')
        if container in ephemeral.named(found):
            return None
        if all(each.name != container for each in (*found.spec.init_containers, *found.spec.containers)):
            raise NotFound(f'container "{container}" not found in pod "{pod}"')
        task = adoption.current(self._store.of(found.uid), recorded=recorded_arn(found))
        runs = self._runs(task, container) if task is not None else ()
        if previous:
            return self._before(found, container, task, runs)
        if task is not None:
            return self._of_task(found, container, task, runs)
        task_id = _written_task_id(found, container)
        if not task_id:
            return None
        return LogSource(stream=self._stream(found, container, task_id), finished=is_terminal(found))

    def _of_task(self, pod: Pod, container: str, task: Task, runs: Sequence[Run]) -> LogSource:
        """The newest run inside the task, which began after the others of the same stream."""
        window = WHOLE_STREAM
        if len(runs) > 1:
            window = LogWindow(since=runs[-1].started)
        elif not runs:
            window = LogWindow(since=_written_start(pod, container, task))
        finished = _is_over(task, container) or _has_ended(runs)
        stream = self._stream(pod, container, task.task_id)
        return LogSource(stream=stream, finished=finished, window=window)

    def _before(self, pod: Pod, container: str, task: Task | None, runs: Sequence[Run]) -> LogSource | None:
        """The run that ended last before the newest, or before the one that is waited for.

        Inside the same task it is as the helper records it, else as the status has it.
        """
        if task is not None and len(_over(runs)) > 0:
            stream, window = self._stream(pod, container, task.task_id), _window_of_last(_over(runs), runs)
            return LogSource(stream=stream, finished=True, window=window)
        ended = _last_end(pod, container)
        task_id = task_id_of(ended)
        if not task_id:
            return None
        window = LogWindow(
            since=_moment(ended, "startedAt") if number_of(str(ended["containerID"])) > 1 else None,
            until=_written_start(pod, container, task) if task and task.task_id == task_id else None,
        )
        return LogSource(stream=self._stream(pod, container, task_id), finished=True, window=window)

    def waiting(self, namespace: str, pod: str, container: str) -> str:
        """Why the container waits, as the pod's status has it; empty where it has none."""
        found = self._pods.get(f"{namespace}/{pod}")
        if found is not None and container in ephemeral.named(found):
            return ephemeral.UNSUPPORTED
        return _waiting_reason(found, container) if found is not None else ""

    def _stream(self, pod: Pod, container: str, task_id: str) -> LogStream:
        return stream_of(pod, container=container, task_id=task_id, settings=self._settings)


def _over(runs: Sequence[Run]) -> Sequence[Run]:
    """The runs that count as previous: all but the newest, and that one, too, while another is due."""
    waits = bool(runs) and runs[-1].code is not None and runs[-1].again is not None
    return runs if waits else runs[:-1]


def _window_of_last(over: Sequence[Run], runs: Sequence[Run]) -> LogWindow:
    last = over[-1]
    after = next((each.started for each in runs if each.number > last.number), None)
    return LogWindow(since=last.started if last.number > 1 else None, until=after)


def _has_ended(runs: Sequence[Run]) -> bool:
    """Whether the newest run is over and no other is due; what the container prints next is another's."""
    return bool(runs) and runs[-1].code is not None


def _written_start(pod: Pod, container: str, task: Task) -> datetime | None:
    """When the newest run began, as the status has it; None where the stream has no run before it."""
    status: dict[str, Json] = next(_statuses(pod, container), {})
    if task_id_of(status) != task.task_id or number_of(str(status["containerID"])) == 1:
        return None
    state = status.get("state") or {}
    return _moment(state.get("running") or state.get("terminated") or {}, "startedAt")


def _last_end(pod: Pod, container: str) -> Json:
    """`lastState.terminated`; of a container that waits to be run again it is its newest run's."""
    status: dict[str, Json] = next(_statuses(pod, container), {})
    ended: dict[str, Json] = (status.get("lastState") or {}).get("terminated") or {}
    return ended


def _moment(state: Json, name: str) -> datetime | None:
    text = state.get(name)
    return datetime.fromisoformat(str(text)) if text else None


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
