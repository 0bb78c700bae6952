"""Carries out commands: the only place in the bridge that writes to Kubernetes or ECS about pods."""

from collections.abc import Callable
from typing import Final, assert_never

from app.bridge.config import TaskSettings
from app.bridge.decision.commands import (
    Command,
    Gather,
    Later,
    LaunchTask,
    Look,
    ReadRecords,
    RecordAttempt,
    RecordEvent,
    RecordTask,
    RemovePod,
    SetStatus,
    StopOrphan,
    StopTask,
    TellOfHook,
)
from app.bridge.decision.facts import PodKey
from app.bridge.known import Known
from app.bridge.launcher import Launcher
from app.bridge.metrics import BridgeMetrics
from app.bridge.outside import Outside
from app.bridge.translation.needs import needs_of
from app.model.names import ATTEMPT, ATTEMPT_OF, TASK_ARN, TaskArn
from app.model.pod import Pod
from app.model.task import Identity
from app.model.wire import Json
from app.ports.failures import NotFound, PortFailure
from app.telemetry import logs

log = logs.get(__name__)

FAILED_SYNC: Final = "FailedSync"


class Applier:
    """One command at a time."""

    def __init__(
        self,
        outside: Outside,
        *,
        known: Known,
        launcher: Launcher,
        metrics: BridgeMetrics,
        config: TaskSettings,
        request_look: Callable[[], None],
    ) -> None:
        """Nothing is asked yet; `request_look` asks for a complete listing of tasks."""
        self._config = config
        self._outside = outside
        self._known = known
        self._launcher = launcher
        self._metrics = metrics
        self._request_look = request_look

    async def apply(  # noqa: C901, PLR0912, PLR0915  (one match on the closed union, a line or two for each command)
        self, key: PodKey, command: Command
    ) -> None:
        """Carry out one command.

        Raises:
            NotFound: the pod is gone; a change will tell, if it has not yet.
            PortFailure: nothing is known to have happened; decide again later.
        """
        match command:
            case Gather():
                await self._gather(key)
            case ReadRecords():
                await self._read(command)
            case RecordAttempt():
                await self._amend(key, command.annotations, tolerations=command.tolerations)
            case LaunchTask():
                await self._launcher.launch(key, command)
            case RecordTask():
                await self._amend(key, _written(key, command))
            case StopTask():
                await self._stop(key, command.arn, reason=command.reason)
            case StopOrphan():
                await self._stop_orphan(key, command)
            case SetStatus():
                pod = self._pod(key)
                self._known.views.wrote(key, await self._outside.pods.set_status(pod, command.status))
            case RemovePod():
                await self._outside.pods.remove(self._pod(key))
            case RecordEvent():
                await self._record(key, command)
            case TellOfHook():
                await self._tell_of_hook(key, command)
            case Look():
                self._request_look()
            case Later():
                log.debug("nothing to do yet", pod=key.path, seconds=command.seconds)
            case _:
                assert_never(command)

    async def tell_of_failure(self, key: PodKey, failure: PortFailure) -> None:
        """Say on the pod what keeps it waiting, in the words that a kubelet begins with."""
        message = f"Error syncing pod, will be tried again: {failure}"
        await self._record(key, RecordEvent(reason=FAILED_SYNC, message=message, warning=True))

    def _pod(self, key: PodKey) -> Pod:
        pod = self._known.views.get(key)
        if pod is None:
            raise NotFound(f'pod "{key.path}" is gone')
        return pod

    async def _gather(self, key: PodKey) -> None:
        pod, config = self._pod(key), self._config
        namespace = self._outside.namespaces.get(key.namespace)
        found = await self._outside.materials.gather(
            pod,
            needs_of(pod, settings=config),
            namespace=namespace.metadata.annotations if namespace is not None else {},
        )
        self._known.memories.gathered(key, found, now=self._outside.clock.now())

    async def _read(self, command: ReadRecords) -> None:
        task = self._known.tasks.get(command.arn)
        if task is None:
            return
        try:
            await self._known.records.read(task, messages=command.logs)
        except PortFailure as failure:
            # An end must not wait for its words for ever: the decision asks again until it is late.
            log.warning("CloudWatch Logs does not answer", task=command.arn, error=str(failure))

    async def _amend(
        self, key: PodKey, annotations: dict[str, str], *, tolerations: tuple[Json, ...] | None = None
    ) -> None:
        pod = await self._outside.pods.amend(self._pod(key), annotations=annotations, tolerations=tolerations)
        self._known.views.wrote(key, pod)

    async def _record(self, key: PodKey, event: RecordEvent) -> None:
        pod = self._known.views.get(key)
        if pod is not None:
            await self._outside.events.record(
                pod, reason=event.reason, message=event.message, warning=event.warning
            )

    async def _tell_of_hook(self, key: PodKey, command: TellOfHook) -> None:
        told = RecordEvent(reason=command.reason, message=command.message, warning=True)
        await self._record(key, told)
        self._known.memories.told_of_hook(key, command.arn, command.failure)

    async def _stop(self, key: PodKey, arn: TaskArn, *, reason: str) -> None:
        now = self._outside.clock.now()
        try:
            await self._outside.tasks.stop(arn, reason=reason)
        except NotFound:
            log.info("the task to stop is not there", pod=key.path, task=arn)
            self._known.tasks.mark_missing((arn,), now=now)
        else:
            task = self._known.tasks.get(arn)
            attempt = task.attempt if task is not None else 0
            log.info("stopping task", pod=key.path, uid=key.uid, task=arn, attempt=attempt, reason=reason)
        self._known.memories.stopped(key, arn, now=now)
        self._known.tasks.expect_stop(arn)

    async def _stop_orphan(self, key: PodKey, command: StopOrphan) -> None:
        if await self._is_gone(command.identity) and await self._known.lease.is_surely_held():
            await self._stop(key, command.arn, reason=command.reason)
            self._metrics.orphans.inc()

    async def _is_gone(self, identity: Identity) -> bool:
        """A consistent read: our cache may be behind, and a mistake here kills a healthy task."""
        try:
            pod = await self._outside.pods.get(identity.namespace, identity.name)
        except NotFound:
            return True
        return pod.uid != identity.uid


def _written(key: PodKey, command: RecordTask) -> dict[str, str]:
    return {TASK_ARN: command.arn, ATTEMPT: str(command.attempt), ATTEMPT_OF: key.uid}
