"""Keeps the TaskStore current: describes live tasks, and lists all of them at the start and now and then."""

import asyncio
import math
from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from app.bridge.config import PollConfig
from app.bridge.task_store import TaskStore
from app.model.names import PodUid, TaskArn
from app.model.task import Task
from app.ports.clock import Clock
from app.ports.failures import PortFailure
from app.ports.tasks import Tasks
from app.telemetry import logs
from app.timing.waiting import first_of

log = logs.get(__name__)


class TaskPoll:
    """Asks ECS by the hundred: quickly while a task starts or stops, slowly otherwise.

    A bridge that waits for the node's Lease asks now and then, to begin with what is nearly current.
    """

    def __init__(
        self,
        tasks: Tasks,
        store: TaskStore,
        *,
        clock: Clock,
        config: PollConfig,
        pods: Callable[[], Collection[PodUid]],
        leads: Callable[[], bool],
    ) -> None:
        self._tasks = tasks
        self._store = store
        self._clock = clock
        self._config = config
        self._pods = pods
        self._leads = leads
        self._described_at = -math.inf
        self._unclaimed: dict[TaskArn, int] = {}
        self._foreign: frozenset[TaskArn] = frozenset()
        self._looked_at: datetime | None = None
        self._look_due = 0.0
        self._looked = asyncio.Event()
        self._woken = asyncio.Event()
        self._listeners: list[Callable[[], None]] = []
        store.on_change(lambda _: self._woken.set())

    @property
    def looked_at(self) -> datetime | None:
        """When the last complete listing was begun."""
        return self._looked_at

    def on_look(self, listener: Callable[[], None]) -> None:
        """Call `listener` after every complete listing."""
        self._listeners.append(listener)

    def request_look(self) -> None:
        """List everything soon."""
        self._look_due = min(self._look_due, self._clock.steady())
        self._woken.set()

    def unclaimed(self, tasks: Iterable[Task]) -> dict[TaskArn, int]:
        """In how many complete listings in a row each of these tasks was seen without its pod."""
        return {task.arn: self._unclaimed[task.arn] for task in tasks if task.arn in self._unclaimed}

    async def looked(self) -> None:
        """Return once the first complete listing is in the store."""
        await self._looked.wait()

    async def run(self) -> None:
        """Poll until cancelled; a failure of ECS delays, and never counts as an answer."""
        self._look_due = self._clock.steady()
        while True:
            try:
                await self._once()
                pause = self._pause()
            except PortFailure as failure:
                log.warning("ECS does not answer", error=str(failure))
                pause = self._config.retry
            await first_of(self._clock.sleep(pause), self._woken)
            # Changes come in bursts; one description answers them all.
            await self._clock.sleep(min(self._config.busy, pause) if self._woken.is_set() else 0)

    async def _once(self) -> None:
        self._woken.clear()
        if self._clock.steady() >= self._look_due:
            await self.look()
        elif self._is_turn():
            await self._describe(self._store.tracked())
        else:
            return
        self._described_at = self._clock.steady()

    def _is_turn(self) -> bool:
        """Whether to describe now: always for who leads."""
        return self._leads() or self._clock.steady() - self._described_at >= self._config.standby

    async def look(self) -> None:
        """One complete listing; nothing of a partial one is ever acted upon.

        RUNNING is listed first: a task that moves to STOPPED in between is then seen twice, never not at all.
        """
        begun = self._clock.now()
        running = await self._tasks.arns("RUNNING")
        stopped = await self._tasks.arns("STOPPED")
        listed = frozenset(running) | frozenset(stopped)
        await self._describe(tuple(arn for arn in sorted(listed) if self._is_news(arn)))
        await self._describe(tuple(arn for arn in self._store.tracked() if arn not in listed))
        self._foreign = frozenset(arn for arn in listed if self._store.get(arn) is None)
        pods = self._pods()
        self._store.prune(listed=listed, pods=pods)
        self._count_unclaimed(pods)
        self._looked_at = begun
        self._look_due = self._clock.steady() + self._config.look
        self._looked.set()
        for listener in self._listeners:
            listener()

    def _count_unclaimed(self, pods: Collection[PodUid]) -> None:
        self._unclaimed = {
            task.arn: self._unclaimed.get(task.arn, 0) + 1
            for task in self._store.all()
            if not task.is_stopped and task.identity is not None and task.identity.uid not in pods
        }

    def _is_news(self, arn: TaskArn) -> bool:
        known = self._store.get(arn)
        return arn not in self._foreign and (known is None or not known.is_stopped)

    async def _describe(self, arns: tuple[TaskArn, ...]) -> None:
        if not arns:
            return
        described = await self._tasks.describe(arns)
        for task in described.tasks:
            self._store.put(task)
        self._store.mark_missing(described.missing, now=self._clock.now())

    def _pause(self) -> float:
        moving = (
            task.last_status != "RUNNING" or task.desired_status != "RUNNING"
            for task in self._store.all()
            if not task.is_stopped
        )
        busy = self._leads() and (any(moving) or self._store.is_curious())
        until_look = max(self._look_due - self._clock.steady(), 0.0)
        return min(self._config.busy if busy else self._config.quiet, until_look)
