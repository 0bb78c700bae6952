"""The tasks that ECS last described, by the pod they carry: a cache, all of it can be asked for again."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime

import msgspec

from app.bridge.decision.adoption import is_ours
from app.bridge.decision.facts import PodKey
from app.model.names import PodUid, TaskArn
from app.model.task import Task, TaskContainer

Listener = Callable[[PodKey], None]


def key_of(task: Task) -> PodKey | None:
    """The pod that the task carries."""
    identity = task.identity
    return PodKey(identity.namespace, identity.name, identity.uid) if identity is not None else None


class TaskStore:
    """Our tasks: those of one node of one cluster. Descriptions may come late and out of order."""

    def __init__(self, *, cluster: str, node: str) -> None:
        self._cluster = cluster
        self._node = node
        self._tasks: dict[TaskArn, Task] = {}
        self._of_pod: dict[PodUid, set[TaskArn]] = {}
        self._expected: dict[TaskArn, set[PodKey]] = {}
        self._missing: dict[TaskArn, datetime] = {}
        self._strange: dict[TaskArn, set[PodUid]] = {}
        self._told_to_stop: set[TaskArn] = set()
        self._listeners: list[Listener] = []

    def on_change(self, listener: Listener) -> None:
        """Call `listener` with the pod of every task that changes; it must not block or raise."""
        self._listeners.append(listener)

    def of(self, uid: PodUid) -> tuple[Task, ...]:
        """The pod's tasks, of all attempts, in the order of their ARNs."""
        return tuple(self._tasks[arn] for arn in sorted(self._of_pod.get(uid, ())))

    def get(self, arn: TaskArn) -> Task | None:
        """The task as last described."""
        return self._tasks.get(arn)

    def all(self) -> tuple[Task, ...]:
        """Every task of ours."""
        return tuple(self._tasks.values())

    def missing(self, uid: PodUid) -> dict[TaskArn, datetime]:
        """The pod's ARNs that ECS says it does not know, and since when it has said so."""
        named = (arn for arn, keys in self._expected.items() if any(key.uid == uid for key in keys))
        return {arn: self._missing[arn] for arn in named if arn in self._missing}

    def tracked(self) -> tuple[TaskArn, ...]:
        """The ARNs worth describing: live tasks, and those that a pod names but nobody described yet."""
        live = (arn for arn, task in self._tasks.items() if not task.is_stopped)
        return (*live, *self._expected)

    def is_curious(self) -> bool:
        """Whether news are due: of a task that ECS has not described yet, or of one that was told to stop."""
        return bool(self._told_to_stop) or any(arn not in self._missing for arn in self._expected)

    def expect_stop(self, arn: TaskArn) -> None:
        """The task was told to stop: it will change soon, though its last description does not show it."""
        task = self._tasks.get(arn)
        if task is None or task.is_stopped:
            return
        self._told_to_stop.add(arn)
        key = key_of(task)
        if key is not None:
            self._tell(key)

    def expect(self, arn: TaskArn, key: PodKey) -> None:
        """A pod names this task: find out about it. Several pods may, though it can be only one's."""
        if arn not in self._tasks and key.uid not in self._strange.get(arn, ()):
            self._expected.setdefault(arn, set()).add(key)

    def strange(self, uid: PodUid, arn: TaskArn) -> bool:
        """Whether the task is known to be another's than this pod's."""
        task = self._tasks.get(arn)
        if task is not None:
            return task.identity is not None and task.identity.uid != uid
        return uid in self._strange.get(arn, ())

    def put(self, task: Task) -> bool:
        """Take in a description, unless it is somebody else's task or older than what is known.

        Returns:
            Whether it was taken in.
        """
        known = self._tasks.get(task.arn)
        if task.identity is None and known is not None:
            task = msgspec.structs.replace(task, identity=known.identity, attempt=known.attempt)
        key = key_of(task)
        if key is None or not is_ours(task, cluster=self._cluster, node=self._node):
            self._refuse(task.arn)
            return False
        others = self._expected.pop(task.arn, set()) - {key}
        self._missing.pop(task.arn, None)
        self._tell_all(others)
        if known is not None and (known == task or _is_older(task, than=known)):
            return False
        self._tasks[task.arn] = task
        if task.desired_status == "STOPPED":
            self._told_to_stop.discard(task.arn)
        self._of_pod.setdefault(key.uid, set()).add(task.arn)
        self._tell(key)
        return True

    def hear(self, task: Task) -> bool:
        """Take in an event, which may come twice, late, or of somebody else's task.

        Events tell neither of health nor, always, of overrides and agents: what is known of those stays.

        Returns:
            Whether it was news.
        """
        known = self._tasks.get(task.arn)
        if (known is None and task.identity is None) or (known is not None and task.version <= known.version):
            return False
        if known is not None:
            before = {each.name: each for each in known.containers}
            containers = tuple(_heard(each, before=before.get(each.name, each)) for each in task.containers)
            enabled = known.execute_command or task.execute_command
            task = msgspec.structs.replace(task, containers=containers, execute_command=enabled)
        return self.put(task)

    def mark_missing(self, arns: Iterable[TaskArn], *, now: datetime) -> None:
        """ECS says that it does not know these. What was over stays as it was: its end is known."""
        for arn in arns:
            task = self._tasks.get(arn)
            if task is not None and not task.is_stopped:
                self._drop(task)
                key = key_of(task)
                if key is not None:
                    self._expected.setdefault(arn, set()).add(key)
            if arn in self._expected and arn not in self._missing:
                self._missing[arn] = now
                self._tell_all(self._expected[arn])

    def prune(self, *, listed: Collection[TaskArn], pods: Collection[PodUid]) -> None:
        """Forget what neither a complete listing nor a pod names any more."""
        for task in self.all():
            key = key_of(task)
            if task.is_stopped and task.arn not in listed and key is not None and key.uid not in pods:
                self._drop(task)
        named = {arn: {key for key in keys if key.uid in pods} for arn, keys in self._expected.items()}
        self._expected = {arn: keys for arn, keys in named.items() if keys}
        self._missing = {arn: since for arn, since in self._missing.items() if arn in self._expected}
        strange = {arn: uids.intersection(pods) for arn, uids in self._strange.items()}
        self._strange = {arn: uids for arn, uids in strange.items() if uids}

    def _refuse(self, arn: TaskArn) -> None:
        """Pods name a task that is not ours: nothing more is to be found out about it."""
        keys = self._expected.pop(arn, set())
        if keys:
            self._missing.pop(arn, None)
            self._strange.setdefault(arn, set()).update(key.uid for key in keys)
            self._tell_all(keys)

    def _drop(self, task: Task) -> None:
        key = key_of(task)
        self._tasks.pop(task.arn, None)
        self._told_to_stop.discard(task.arn)
        if key is not None:
            arns = self._of_pod.get(key.uid, set())
            arns.discard(task.arn)
            if not arns:
                self._of_pod.pop(key.uid, None)

    def _tell_all(self, keys: Iterable[PodKey]) -> None:
        for key in sorted(keys):
            self._tell(key)

    def _tell(self, key: PodKey) -> None:
        for listener in self._listeners:
            listener(key)


def _heard(container: TaskContainer, *, before: TaskContainer) -> TaskContainer:
    """A container as an event has it, with what events do not tell."""
    agent = container if container.agent else before
    return msgspec.structs.replace(
        container,
        health=before.health,
        agent=agent.agent,
        agent_reason=agent.agent_reason,
        words=container.words or before.words,
    )


def _is_older(task: Task, *, than: Task) -> bool:
    """Whether a description is from before another: ECS counts versions, and an end is final."""
    if than.is_stopped and not task.is_stopped:
        return True
    return 0 < task.version < than.version
