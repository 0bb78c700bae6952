"""The node's containers as people enter them: where a session is opened, or why it cannot be."""

from collections.abc import Sequence
from typing import Final

from app.bridge.decision import adoption
from app.bridge.decision.record import recorded_arn
from app.bridge.status.container_status import Hold
from app.bridge.task_store import TaskStore
from app.bridge.translation.containers import helper
from app.bridge.translation.containers.wrapping import must_wrap
from app.fargate.rights import has_read_only_root
from app.model import setting
from app.model.container import Container
from app.model.names import INSTALL_CONTAINER
from app.model.pod import Pod, is_terminal
from app.model.task import Task, TaskContainer
from app.ports.containers import Containers, Running
from app.ports.failures import NotFound, Refused
from app.ports.watched import Watched

_ROLE: Final = (
    "give the pod a task role that allows ssmmessages:CreateControlChannel, CreateDataChannel, "
    "OpenControlChannel and OpenDataChannel"
)

_ONE_ALONE: Final = (
    "of containers that share their processes ECS enters one alone: enter another container of the pod, or "
    "leave shareProcessNamespace out"
)


class BridgeContainers(Containers):
    """The containers of this node's pods (`app.ports.containers.Containers`), from what was watched last."""

    def __init__(self, pods: Watched[Pod], store: TaskStore) -> None:
        self._pods = pods
        self._store = store

    def running(self, namespace: str, pod: str, container: str) -> Running:
        """As the port. Where ECS does not say how its agent is, opening the session will tell."""
        found = self._pod(namespace, pod)
        spec = _spec_of(found, container)
        task = self._task(found)
        seen = _seen_in(task, container)
        why = why_not(found, spec, task=task, seen=seen)
        if why or task is None or seen is None:
            raise Refused(why)
        return Running(
            task=task.arn,
            container=container,
            runtime_id=seen.runtime_id,
            helper=_has_helper(found, spec, task=task, seen=seen),
        )

    def over(self, namespace: str, pod: str, where: Running) -> str:
        """As the port. The task is asked for by its ARN: the pod may have another by now, or be gone."""
        named = f'container "{where.container}" in pod "{pod}"'
        task = self._store.get(where.task)
        if task is None:
            # ECS may not know a task for a moment; that a pod is over is never said on that alone.
            found = self._pods.get(f"{namespace}/{pod}")
            return f"{named} is terminated" if found is None or is_terminal(found) else ""
        if task.is_stopped:
            reason = f" ({task.stopped_reason})" if task.stopped_reason else ""
            return f"{named} is terminated: its task has stopped{reason}"
        seen = _seen_in(task, where.container)
        if seen is not None and seen.last_status == "STOPPED":
            return f"{named} is terminated"
        return f"{named} was started anew" if seen is not None and _is_another(seen, where) else ""

    def address(self, namespace: str, pod: str) -> str:
        """As the port."""
        found = self._pod(namespace, pod)
        task = self._task(found)
        if is_terminal(found) or (task is not None and task.is_stopped):
            raise Refused(f'pod "{pod}" does not run any more: its task has stopped')
        if task is None or not task.ip:
            raise Refused(f'pod "{pod}" has no address yet: its task is starting; try again in a moment')
        return task.ip

    def moved(self, namespace: str, pod: str, address: str) -> str:
        """As the port."""
        found = self._pods.get(f"{namespace}/{pod}")
        if found is None:
            return f'pod "{pod}" does not exist any more'
        task = self._task(found)
        if is_terminal(found) or (task is not None and task.is_stopped):
            return f'pod "{pod}" does not run any more: its task has stopped'
        # ECS may not know a task for a moment.
        return f'pod "{pod}" has another task now' if task is not None and task.ip != address else ""

    def pods(self) -> Sequence[Pod]:
        """As the port."""
        return self._pods.all()

    def _pod(self, namespace: str, name: str) -> Pod:
        found = self._pods.get(f"{namespace}/{name}")
        if found is None:
            raise NotFound("pod does not exist")
        return found

    def _task(self, pod: Pod) -> Task | None:
        return adoption.current(self._store.of(pod.uid), recorded=recorded_arn(pod))


def why_not(pod: Pod, container: Container, *, task: Task | None, seen: TaskContainer | None) -> str:
    """Why no session can be opened in the container, with the mend; empty where one can."""
    named = f'container "{container.name}" in pod "{pod.metadata.name}"'
    if is_terminal(pod):
        return f"cannot exec into a container in a completed pod; current phase is {pod.status.phase}"
    if seen is not None and seen.last_status == "STOPPED" and task is not None and not task.is_stopped:
        return f"{named} is terminated"
    if task is None or task.is_stopped or seen is None or seen.last_status != "RUNNING":
        return f"{named} is waiting to start: {_waiting_reason(pod, container.name)}"
    if not task.execute_command:
        return (
            f"{named} cannot be entered: its task was launched without ECS Exec; let "
            f"{setting.named('bridge', 'exec')} be auto or on, {_ROLE}, and make the pod anew"
        )
    return _why_no_agent(pod, container, seen, named=named)


def _why_no_agent(pod: Pod, container: Container, seen: TaskContainer, *, named: str) -> str:
    match seen.agent:
        case "RUNNING" | "PENDING" | "":
            return ""  # one that was starting when we looked may run by now: ECS knows
        case _:
            said = f" ({seen.agent_reason})" if seen.agent_reason else ""
            return f"{named} cannot be entered: ECS's agent in it does not run{said}; {_mend(pod, container)}"


def _mend(pod: Pod, container: Container) -> str:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html#ecs-exec-considerations."""
    if has_read_only_root(container):
        return "leave its root file system writable"
    return _ONE_ALONE if pod.spec.share_process_namespace else _ROLE


def _spec_of(pod: Pod, name: str) -> Container:
    for each in (*pod.spec.init_containers, *pod.spec.containers):
        if each.name == name:
            return each
    raise NotFound(f'container not found ("{name}")')


def _seen_in(task: Task | None, name: str) -> TaskContainer | None:
    containers = task.containers if task is not None else ()
    return next((each for each in containers if each.name == name), None)


def _is_another(seen: TaskContainer, where: Running) -> bool:
    return bool(seen.runtime_id and where.runtime_id) and seen.runtime_id != where.runtime_id


def _has_helper(pod: Pod, container: Container, *, task: Task, seen: TaskContainer) -> bool:
    """Whether the helper goes before the container's command, by the words that its launch gave it.

    Another version of the bridge may have launched it, so that only the task can say. Where its words were
    too many for a launch, and stand in the task definition, it is said of those alone that are wrapped
    whatever else is known of them.
    """
    if all(each.name != INSTALL_CONTAINER for each in task.containers):
        return False
    if seen.words:
        return helper.goes_before(seen.words, name=container.name)
    return must_wrap(container, pod=pod)


def _waiting_reason(pod: Pod, name: str) -> str:
    statuses = (*pod.status.init_container_statuses, *pod.status.container_statuses)
    states = (each.get("state") or {} for each in statuses if each.get("name") == name)
    reasons = ((each.get("waiting") or {}).get("reason") for each in states)
    return next((str(each) for each in reasons if each), Hold().reason)
