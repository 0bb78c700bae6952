"""SQS standard queues: messages that stay until they are deleted, and hide for a while once received.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.ports.clock import Clock

VISIBILITY_TIMEOUT: Final = 30


@dataclass(slots=True, kw_only=True)
class Message:
    """One message. `sent` and `first_received` are milliseconds since 1970, `visible_at` steady seconds."""

    id: str
    body: str
    sent: int
    visible_at: float
    received: int = 0
    first_received: int = 0

    @property
    def receipt(self) -> str:
        """The handle of the last time it was received; each time has its own."""
        return f"{self.id}#{self.received}"


@dataclass(kw_only=True)
class Queue:
    """One queue, oldest message first."""

    name: str
    clock: Clock
    ids: Callable[[], str]
    _messages: dict[str, Message] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _closed: bool = False

    def send(self, body: str) -> None:
        """Take in a message, and wake who waits for one."""
        message = Message(id=self.ids(), body=body, sent=self._now(), visible_at=self.clock.steady())
        self._messages[message.id] = message
        self._changed.set()

    def receive(self, most: int, *, hidden_for: float) -> Sequence[Message]:
        """Up to `most` visible messages, which hide for so many seconds."""
        now = self.clock.steady()
        found = [each for each in self._messages.values() if each.visible_at <= now][:most]
        for message in found:
            message.received += 1
            message.first_received = message.first_received or self._now()
            message.visible_at = now + hidden_for
        return found

    def delete(self, receipt: str) -> bool:
        """Delete a message by the handle of its last receipt; False where it is no handle of this queue.

        An older handle deletes nothing, and succeeds all the same, as at AWS.
        """
        name, mark, _ = receipt.partition("#")
        message = self._messages.get(name)
        if message is not None and message.receipt == receipt:
            del self._messages[name]
        return bool(mark)

    def counts(self) -> tuple[int, int]:
        """How many messages are visible, and how many hide."""
        now = self.clock.steady()
        visible = sum(each.visible_at <= now for each in self._messages.values())
        return visible, len(self._messages) - visible

    async def wait(self, seconds: float) -> None:
        """Return once a message is visible, the seconds are over, or the queue closes."""
        deadline = self.clock.steady() + seconds
        while not self._closed and not self.counts()[0] and self.clock.steady() < deadline:
            self._changed.clear()
            await self._next(deadline)

    def close(self) -> None:
        """Keep nobody waiting any more."""
        self._closed = True
        self._changed.set()

    async def _next(self, deadline: float) -> None:
        due = min([deadline, *(each.visible_at for each in self._messages.values())])
        told = asyncio.ensure_future(self._changed.wait())
        slept = asyncio.ensure_future(self.clock.sleep(due - self.clock.steady()))
        try:
            await asyncio.wait({told, slept}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            told.cancel()
            slept.cancel()

    def _now(self) -> int:
        return int(self.clock.now().timestamp() * 1000)
