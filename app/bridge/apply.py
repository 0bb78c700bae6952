"""Carries out commands: the only place in the bridge that writes to Kubernetes or ECS about pods."""

from collections.abc import Callable
from typing import Literal, assert_never

import msgspec

from app.bridge.commands import (
    Command,
    Later,
    LaunchTask,
    Look,
    RecordAttempt,
    RecordEvent,
    RecordTask,
    RemovePod,
    SetStatus,
    StopOrphan,
    StopTask,
)
from app.bridge.config import BridgeConfig
from app.bridge.definition_cache import DefinitionCache
from app.bridge.facts import Memory, Outcome, PodKey
from app.bridge.launch_queue import LaunchQueue
from app.bridge.metrics import BridgeMetrics
from app.bridge.node_object import NODE_LEASES
from app.bridge.outside import Outside
from app.bridge.pod_views import PodViews
from app.bridge.task_store import TaskStore
from app.model.names import ATTEMPT, ATTEMPT_OF, IDENTITY_VARIABLE, TASK_ARN, TaskArn
from app.model.pod import Json, Pod
from app.model.task import Identity, Task, identity_from
from app.ports.failures import Conflict, NoCapacity, NotFound, Refused, Unavailable
from app.telemetry import logs

log = logs.get(__name__)


class Applier:
    """One command at a time; what the outside answers is kept for the next decision."""

    def __init__(
        self,
        outside: Outside,
        *,
        config: BridgeConfig,
        views: PodViews,
        store: TaskStore,
        metrics: BridgeMetrics,
        request_look: Callable[[], None],
    ) -> None:
        self._outside = outside
        self._views = views
        self._store = store
        self._definitions = DefinitionCache(outside.definitions)
        self._launches = LaunchQueue(slots=config.launches_in_flight)
        self._metrics = metrics
        self._node = config.node
        self._request_look = request_look
        self._memories: dict[PodKey, Memory] = {}

    def memory(self, key: PodKey) -> Memory:
        """What was learned about the pod in this process."""
        return self._memories.get(key, Memory())

    def forget(self, key: PodKey) -> None:
        """The pod is gone for good."""
        self._memories.pop(key, None)

    async def apply(  # noqa: C901  (one match on the closed union, one line for each command)
        self, key: PodKey, command: Command
    ) -> None:
        """Carry out one command.

        Raises:
            PortFailure: nothing is known to have happened; decide again later.
        """
        match command:
            case RecordAttempt():
                await self._amend(key, command.annotations, tolerations=command.tolerations)
            case LaunchTask():
                await self._launch(key, command)
            case RecordTask():
                await self._amend(key, _written(key, command))
            case StopTask():
                await self._stop(key, command.arn, reason=command.reason)
            case StopOrphan():
                await self._stop_orphan(key, command)
            case SetStatus():
                pod = self._pod(key)
                self._views.wrote(key, await self._outside.pods.set_status(pod, command.status))
            case RemovePod():
                await self._outside.pods.remove(self._pod(key))
            case RecordEvent():
                await self._record(key, command)
            case Look():
                self._request_look()
            case Later():
                log.debug("nothing to do yet", pod=key.path, seconds=command.seconds)
            case _:
                assert_never(command)

    def _pod(self, key: PodKey) -> Pod:
        pod = self._views.get(key)
        if pod is None:
            raise NotFound(f'pod "{key.path}" is gone')
        return pod

    async def _amend(
        self, key: PodKey, annotations: dict[str, str], *, tolerations: tuple[Json, ...] | None = None
    ) -> None:
        pod = await self._outside.pods.amend(self._pod(key), annotations=annotations, tolerations=tolerations)
        self._views.wrote(key, pod)

    async def _record(self, key: PodKey, event: RecordEvent) -> None:
        pod = self._views.get(key)
        if pod is not None:
            await self._outside.events.record(
                pod, reason=event.reason, message=event.message, warning=event.warning
            )

    async def _launch(self, key: PodKey, command: LaunchTask) -> None:
        begun = self._outside.clock.steady()
        try:
            arn = await self._definitions.arn_of(command.launch.definition)
            async with self._launches.turn(key.namespace):
                if not self._is_wanted(key):
                    return
                task = await self._run(command, definition_arn=arn)
        except NoCapacity as failure:
            self._denied(key, command.attempt, kind="no-capacity", message=str(failure))
        except Refused as failure:
            self._denied(key, command.attempt, kind="refused", message=str(failure))
        except Conflict as conflict:
            await self._adopt(conflict, command)
        else:
            await self._launched(key, command, task)
            self._metrics.launch_seconds.observe(self._outside.clock.steady() - begun)

    async def _run(self, command: LaunchTask, *, definition_arn: str) -> Task:
        """RunTask; a definition that is refused or gone is looked for, or registered, anew the next time."""
        try:
            return await self._outside.tasks.run(command.launch, definition_arn=definition_arn)
        except (NotFound, Refused):
            self._definitions.forget(command.launch.definition.family, definition_arn)
            raise

    def _is_wanted(self, key: PodKey) -> bool:
        """Waiting for a turn may take long: the pod may have been deleted meanwhile."""
        pod = self._views.get(key)
        return pod is not None and pod.metadata.deletion_timestamp is None

    async def _launched(self, key: PodKey, command: LaunchTask, task: Task) -> None:
        """Take the task in. A repeated call may be answered with a bare ARN and status: then ask for all."""
        self._metrics.launches.labels("launched").inc()
        self._memories.pop(key, None)
        if task.is_stopped:
            await self._take_in((task.arn,), command)
        else:
            self._store.put(_identified(task, command))

    async def _adopt(self, conflict: Conflict, command: LaunchTask) -> None:
        """The token was used with other parameters, by another version of us: the task is there already."""
        self._metrics.launches.labels("adopted").inc()
        if not conflict.existing:
            raise Unavailable(f"ECS has a task for this token and does not say which: {conflict}")
        await self._take_in(tuple(TaskArn(arn) for arn in conflict.existing), command)

    async def _take_in(self, arns: tuple[TaskArn, ...], command: LaunchTask) -> None:
        described = await self._outside.tasks.describe(arns)
        for task in described.tasks:
            self._store.put(_identified(task, command))
        if not described.tasks:
            raise Unavailable(f"ECS does not show {', '.join(arns)} yet")

    def _denied(
        self, key: PodKey, attempt: int, *, kind: Literal["no-capacity", "refused"], message: str
    ) -> None:
        self._metrics.launches.labels(kind).inc()
        memory = self.memory(key)
        row = memory.outcome.row + 1 if memory.outcome is not None else 1
        outcome = Outcome(attempt=attempt, kind=kind, message=message, at=self._outside.clock.now(), row=row)
        self._memories[key] = msgspec.structs.replace(memory, outcome=outcome)

    async def _stop(self, key: PodKey, arn: TaskArn, *, reason: str) -> None:
        try:
            await self._outside.tasks.stop(arn, reason=reason)
        except NotFound:
            self._store.mark_missing((arn,), now=self._outside.clock.now())
        memory = self.memory(key)
        stops = {**memory.stops, arn: self._outside.clock.now()}
        self._memories[key] = msgspec.structs.replace(memory, stops=stops)
        self._store.expect_stop(arn)

    async def _stop_orphan(self, key: PodKey, command: StopOrphan) -> None:
        if await self._is_gone(command.identity) and await self._holds_lease():
            log.info("stopping a task whose pod is gone", pod=key.path, task=command.arn)
            await self._stop(key, command.arn, reason=command.reason)
            self._metrics.orphans.inc()

    async def _is_gone(self, identity: Identity) -> bool:
        """A consistent read: our cache may be behind, and a mistake here kills a healthy task."""
        try:
            pod = await self._outside.pods.get(identity.namespace, identity.name)
        except NotFound:
            return True
        return pod.uid != identity.uid

    async def _holds_lease(self) -> bool:
        try:
            lease = await self._outside.leases.read(NODE_LEASES, self._node.name)
        except NotFound:
            return False
        return lease.holder == self._node.lease_holder


def _written(key: PodKey, command: RecordTask) -> dict[str, str]:
    return {TASK_ARN: command.arn, ATTEMPT: str(command.attempt), ATTEMPT_OF: key.uid}


def _identified(task: Task, command: LaunchTask) -> Task:
    """The task with its identity, which ECS may leave out of a repeated answer."""
    if task.identity is not None:
        return task
    override = command.launch.overrides["containerOverrides"][0]
    values = {each["name"]: each["value"] for each in override["environment"]}
    identity = identity_from(values[IDENTITY_VARIABLE])
    return msgspec.structs.replace(task, identity=identity, attempt=command.attempt)
