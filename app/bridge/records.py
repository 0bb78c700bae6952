"""What the helper of each task has recorded: read from its log stream, kept as values."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec

from app.bridge.config import RecordConfig
from app.bridge.decision.facts import PodKey
from app.bridge.decision.living import RECORDS_WITHIN
from app.bridge.log_places import LogPlaces
from app.bridge.reading_turns import ReadingTurns
from app.bridge.status.observed import NOTHING_TOLD, Run, Told, is_kept, limits_of, told
from app.bridge.task_store import TaskStore, key_of
from app.model.names import KEEPER_CONTAINER, TaskArn
from app.model.task import Task
from app.ports.clock import Clock
from app.ports.failures import NotFound, PortFailure, Refused
from app.ports.logs import LogStreams
from app.telemetry import logs
from app.timing.waiting import within

log = logs.get(__name__)

MOST_MESSAGE: Final = 2048
MOST_LINES: Final = 80
"""Of a log that stands for a termination message: kubelet's numbers.

https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/#customizing-the-termination-message
"""

_MOST_PAGES: Final = 32
"""Of one reading of a task that has ended; one that runs is read on in its next turn. What the helper tells
of usage in the same stream fills a page in less than two days."""

_LEAST_PATIENCE: Final = 1.0
"""Seconds for one reading of a task whose end is told without its words otherwise."""


class Records:
    """Reads the streams `PREFIX/spillway-keeper/TASK_ID`; lost with the process, and read again then."""

    def __init__(
        self,
        streams: LogStreams,
        store: TaskStore,
        *,
        clock: Clock,
        places: LogPlaces,
        config: RecordConfig,
        held: Callable[[], Awaitable[object]],
    ) -> None:
        """Nothing is read yet; `held` returns as soon as the node is ours."""
        self._streams = streams
        self._store = store
        self._clock = clock
        self._places = places
        self._config = config
        self._held = held
        self._turns = ReadingTurns(config)
        self._told: dict[TaskArn, Told] = {}
        self._tokens: dict[TaskArn, str] = {}
        self._listeners: list[Callable[[PodKey], None]] = []

    def on_change(self, listener: Callable[[PodKey], None]) -> None:
        """Call `listener` with the pod of every task of which something new was read."""
        self._listeners.append(listener)

    def of(self, tasks: tuple[Task, ...]) -> Mapping[TaskArn, Told]:
        """What is known of each of these tasks, as far as anything is."""
        return {task.arn: self._told[task.arn] for task in tasks if task.arn in self._told}

    def runs(self, task: Task, container: str) -> tuple[Run, ...]:
        """The newest runs of one container, oldest first; none where none is recorded, or read yet."""
        return self._told.get(task.arn, NOTHING_TOLD).runs.get(container, ())

    async def read(self, task: Task, *, messages: tuple[str, ...] = ()) -> None:
        """Read on in the task's records, and the end of the logs of the containers named.

        A stream that is not there, or empty, says nothing (yet). What was read when the time is up, stays.

        Raises:
            PortFailure: CloudWatch did not answer, or our turn did not come in time.
        """
        before = self._told.get(task.arn, NOTHING_TOLD)
        try:
            await within(self._clock, self._patience(task), self._read(task, messages))
        finally:
            news = self._told.get(task.arn, NOTHING_TOLD) != before
            self._turns.was_read(task.arn, now=self._clock.steady(), news=news)
            if news:
                self._tell(task)

    async def run(self) -> None:
        """Read on for the tasks that run, one at a time, until cancelled; only while the node is ours."""
        while True:
            await self._clock.sleep(self._config.pause)
            await self._held()
            self._prune()
            running = {
                task.arn: task
                for task in self._store.all()
                if task.last_status == "RUNNING" and is_kept(task)
            }
            due = self._turns.next_of(running, now=self._clock.steady())
            if due is not None:
                await self._tried(running[due])

    async def _tried(self, task: Task) -> None:
        try:
            await self.read(task)
        except PortFailure as failure:
            log.warning("CloudWatch Logs does not answer", task=task.arn, error=str(failure))
        except Exception:  # one task's records must not end the reading of all others'
            log.exception("the records of a task cannot be read", task=task.arn)

    def _patience(self, task: Task) -> float:
        """Seconds that a reading may take, the wait for CloudWatch's quota included."""
        if task.stopped_at is None:
            return self._config.within
        left = task.stopped_at + RECORDS_WITHIN - self._clock.now()
        return min(max(left.total_seconds(), _LEAST_PATIENCE), RECORDS_WITHIN.total_seconds())

    async def _read(self, task: Task, messages: tuple[str, ...]) -> None:
        if is_kept(task):
            for _ in range(_MOST_PAGES if task.is_stopped else 1):
                if self._is_complete(task) or not await self._read_page(task):
                    break
        for name in messages:
            text = await self._message(task, name)
            if text:
                known = self._told.get(task.arn, NOTHING_TOLD)
                self._told[task.arn] = msgspec.structs.replace(known, messages={**known.messages, name: text})

    def _is_complete(self, task: Task) -> bool:
        return task.is_stopped and self._told.get(task.arn, NOTHING_TOLD).complete

    async def _read_page(self, task: Task) -> bool:
        """Take in one page, where there is one; whether there may be more."""
        stream = self._places.of(task, KEEPER_CONTAINER)
        token = self._tokens.get(task.arn)
        try:
            page = await self._streams.page(stream, token=token)
        except NotFound:
            return False
        except Refused:
            # A token lasts for a day: who waited for the Lease for longer begins anew.
            if self._tokens.pop(task.arn, None) is None:
                raise
            return True
        limits = limits_of(task, now=self._clock.now())
        before = self._told.get(task.arn, NOTHING_TOLD)
        after = told((line.text for line in page.lines), limits=limits, before=before)
        if after != before:
            self._told[task.arn] = after
        self._tokens[task.arn] = page.forward
        return page.forward != token

    async def _message(self, task: Task, container: str) -> str:
        """The end of a container's log; empty where it printed nothing."""
        stream = self._places.of(task, container)
        try:
            page = await self._streams.page(stream, from_head=False, limit=MOST_LINES)
        except NotFound:
            return ""
        text = "".join(f"{line.text}\n" for line in page.lines[-MOST_LINES:])
        return text.encode()[-MOST_MESSAGE:].decode(errors="ignore")

    def _prune(self) -> None:
        known = {task.arn for task in self._store.all()}
        self._told = {arn: each for arn, each in self._told.items() if arn in known}
        self._tokens = {arn: each for arn, each in self._tokens.items() if arn in known}
        self._turns.prune(known)

    def _tell(self, task: Task) -> None:
        key = key_of(task)
        if key is None:
            return
        for listener in self._listeners:
            listener(key)
