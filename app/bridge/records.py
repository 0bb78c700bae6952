"""What the helper of each task has recorded: read from its log stream, kept as values."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from app.bridge.config import RecordConfig
from app.bridge.decision.facts import PodKey
from app.bridge.status.observed import NOTHING_TOLD, Told, is_kept, told
from app.bridge.task_store import TaskStore, key_of
from app.model.names import KEEPER_CONTAINER, TaskArn
from app.model.task import Task
from app.ports.clock import Clock
from app.ports.failures import NotFound, PortFailure
from app.ports.logs import LogStreams
from app.telemetry import logs

log = logs.get(__name__)

MOST_MESSAGE: Final = 2048
MOST_LINES: Final = 80
"""Of a log that stands for a termination message: kubelet's numbers.

https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/#customizing-the-termination-message
"""

_MOST_PAGES: Final = 20
"""Of one reading; a helper that has written more is read on in the next."""


class Records:
    """Reads the streams `PREFIX/spillway-keeper/TASK_ID`; lost with the process, and read again then."""

    def __init__(
        self, streams: LogStreams, store: TaskStore, *, clock: Clock, prefix: str, config: RecordConfig
    ) -> None:
        self._streams = streams
        self._store = store
        self._clock = clock
        self._prefix = prefix
        self._config = config
        self._told: dict[TaskArn, Told] = {}
        self._tokens: dict[TaskArn, str] = {}
        self._listeners: list[Callable[[PodKey], None]] = []

    def on_change(self, listener: Callable[[PodKey], None]) -> None:
        """Call `listener` with the pod of every task of which something new was read."""
        self._listeners.append(listener)

    def of(self, tasks: tuple[Task, ...]) -> Mapping[TaskArn, Told]:
        """What is known of each of these tasks, as far as anything is."""
        return {task.arn: self._told[task.arn] for task in tasks if task.arn in self._told}

    async def read(self, task: Task, *, messages: tuple[str, ...] = ()) -> None:
        """Read on in the task's records, and the end of the logs of the containers named.

        A stream that is not there, or empty, says nothing (yet).

        Raises:
            PortFailure: CloudWatch did not answer.
        """
        before = self._told.get(task.arn, NOTHING_TOLD)
        after = before
        if is_kept(task):
            after = told(await self._lines(task), before=after)
        for name in messages:
            text = await self._message(task, name)
            if text:
                after = msgspec.structs.replace(after, messages={**after.messages, name: text})
        if after != before:
            self._told[task.arn] = after
            self._tell(task)

    async def run(self) -> None:
        """Read on for the tasks that run, each in turn, until cancelled; slowly, for the quota is shared."""
        while True:
            await self._clock.sleep(self._config.period)
            self._prune()
            for task in self._store.all():
                if task.last_status == "RUNNING" and is_kept(task):
                    await self._tried(task)

    async def _tried(self, task: Task) -> None:
        try:
            await self.read(task)
        except PortFailure as failure:
            log.warning("CloudWatch Logs does not answer", task=task.arn, error=str(failure))
        await self._clock.sleep(self._config.pause)

    async def _lines(self, task: Task) -> list[str]:
        stream = f"{self._prefix}/{KEEPER_CONTAINER}/{task.task_id}"
        lines: list[str] = []
        for _ in range(_MOST_PAGES):
            token = self._tokens.get(task.arn)
            try:
                page = await self._streams.page(stream, token=token)
            except NotFound:
                break
            lines += [line.text for line in page.lines]
            self._tokens[task.arn] = page.forward
            if page.forward == token:
                break
        return lines

    async def _message(self, task: Task, container: str) -> str:
        """The end of a container's log; empty where it printed nothing."""
        stream = f"{self._prefix}/{container}/{task.task_id}"
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

    def _tell(self, task: Task) -> None:
        key = key_of(task)
        if key is None:
            return
        for listener in self._listeners:
            listener(key)
