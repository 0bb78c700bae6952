"""Launches tasks: takes turns among namespaces, finds the definition, calls RunTask, takes the task in."""

from typing import Final

from app.bridge.decision.commands import LaunchTask
from app.bridge.decision.facts import PodKey
from app.bridge.definition_cache import DefinitionCache
from app.bridge.known import Known
from app.bridge.launch_queue import LaunchQueue
from app.bridge.metrics import BridgeMetrics
from app.bridge.outside import Outside
from app.model.names import TaskArn
from app.model.task import Task
from app.ports.failures import Conflict, NoCapacity, NotFound, Refused, Throttled, Unavailable
from app.telemetry import logs

log = logs.get(__name__)

NOT_WANTED: Final = "not-wanted"
"""The pod was deleted, or the node lost, while the launch waited for its turn."""


class Launcher:
    """One launch at a time for each pod; ECS's definite no is kept for the next decision."""

    def __init__(self, outside: Outside, *, known: Known, slots: int, metrics: BridgeMetrics) -> None:
        """Nothing is asked yet; `slots` are RunTask calls at once."""
        self._outside = outside
        self._clock = outside.clock
        self._known = known
        self._metrics = metrics
        self._definitions = DefinitionCache(outside.definitions)
        self._turns = LaunchQueue(slots=slots)

    async def launch(self, key: PodKey, command: LaunchTask) -> None:
        """Launch the attempt, and tell what came of it to the log and the metrics.

        Raises:
            Throttled: nothing was launched; repeat.
            Unavailable: it is unknown whether anything was launched; repeat, ECS knows the client token.
        """
        begun = self._clock.steady()
        outcome = "unavailable"
        try:
            outcome = await self._outcome(key, command)
        except Throttled:
            outcome = "throttled"
            raise
        except NotFound as failure:
            # Of a definition or a task: who hears "not found" of a step takes the pod to be gone.
            raise Unavailable(f"{failure}; it is looked for, or registered, anew") from failure
        finally:
            self._metrics.launches.labels(outcome).inc()
            self._metrics.launch_seconds.labels(outcome).observe(self._clock.steady() - begun)

    async def _outcome(self, key: PodKey, command: LaunchTask) -> str:
        told = log.bind(
            pod=key.path, uid=key.uid, attempt=command.attempt, family=command.launch.definition.family
        )
        try:
            task = await self._run(key, command)
        except NoCapacity as failure:
            told.warning("Fargate has no capacity", error=str(failure))
            self._deny(key, command, failure)
            return "no-capacity"
        except Refused as failure:
            told.warning("ECS refuses the launch", error=str(failure))
            self._deny(key, command, failure)
            return "refused"
        except Conflict as conflict:
            arns = await self._adopt(conflict)
            told.info("task adopted", task=", ".join(arns))
            return "adopted"
        if task is None:
            return NOT_WANTED
        await self._launched(key, task)
        told.info("task launched", task=task.arn, definition=task.definition)
        return "launched"

    async def _run(self, key: PodKey, command: LaunchTask) -> Task | None:
        """RunTask; a definition that is refused or gone is looked for, or registered, anew the next time."""
        definition = command.launch.definition
        arn = await self._definitions.arn_of(definition)
        async with self._turns.turn(key.namespace):
            if not self._is_wanted(key):
                return None
            try:
                return await self._outside.tasks.run(command.launch, definition_arn=arn)
            except (NotFound, Refused):
                self._definitions.forget(definition.family, arn)
                raise

    def _is_wanted(self, key: PodKey) -> bool:
        """Waiting for a turn may take long: the pod may have been deleted meanwhile."""
        pod = self._known.views.get(key)
        return pod is not None and pod.metadata.deletion_timestamp is None and self._known.lease.is_held()

    async def _launched(self, key: PodKey, task: Task) -> None:
        """Take the task in. A repeated call may be answered with a bare ARN and status: then ask for all."""
        self._known.memories.forget(key)
        if task.is_stopped:
            await self._take_in((task.arn,))
        else:
            self._known.tasks.put(task)

    async def _adopt(self, conflict: Conflict) -> tuple[TaskArn, ...]:
        """The token was used with other parameters, by another version of us: the task is there already."""
        if not conflict.existing:
            raise Unavailable(f"ECS has a task for this token and does not say which: {conflict}")
        arns = tuple(TaskArn(arn) for arn in conflict.existing)
        await self._take_in(arns)
        return arns

    async def _take_in(self, arns: tuple[TaskArn, ...]) -> None:
        described = await self._outside.tasks.describe(arns)
        for task in described.tasks:
            self._known.tasks.put(task)
        if not described.tasks:
            raise Unavailable(f"ECS does not show {', '.join(arns)} yet")

    def _deny(self, key: PodKey, command: LaunchTask, failure: NoCapacity | Refused) -> None:
        self._known.memories.denied(
            key,
            attempt=command.attempt,
            kind="no-capacity" if isinstance(failure, NoCapacity) else "refused",
            message=str(failure),
            now=self._clock.now(),
        )
