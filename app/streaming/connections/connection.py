"""A connection at work: it reads and writes at once, holds its peer up where nobody reads, and ends well."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Coroutine, Iterable
from typing import Any, Final

from app.streaming.connections.allowance import Allowance, Holding
from app.streaming.connections.inbox import Inbox
from app.streaming.connections.outbox import Outbox
from app.streaming.transport import ConnectionEnded, Duplex, ProtocolViolation
from app.telemetry import logs

LINGER_SECONDS: Final = 300.0
"""How long a peer that has got everything may take to close: it may have a slow reader behind itself."""

HEARTBEAT_SECONDS: Final = 5.0
"""Between signs of life, while the peer is held up and so nobody would read that it is gone.

One that is gone answers the first with a reset, on which the second fails, so that the third is told of it.
"""

GOODBYE_SECONDS: Final = 1.0
PIECE_BYTES: Final = 32 * 1024
"""The most that is put into one message or frame, so that streams take turns."""

_EXPECTED: Final = (ConnectionEnded, ProtocolViolation)

log = logs.get(__name__)


class Connection(ABC):
    """Runs a protocol over a duplex; what comes in goes to inboxes."""

    def __init__(
        self, duplex: Duplex, *, allowance: Allowance | None = None, linger: float = LINGER_SECONDS
    ) -> None:
        self._duplex = duplex
        self._linger = linger
        self.holding = Holding(allowance or Allowance())
        """What nobody has read yet of its streams."""
        self._outbox = Outbox(duplex)

    async def serve(self, work: Coroutine[Any, Any, None]) -> None:
        """Run the connection, and the work that uses its streams.

        Once the work is done, the peer is told, gets all that was sent, and has some time to close: hardly
        any where the work has failed. When the connection ends first, the work is cancelled. Raises what the
        work raises, but for ConnectionEnded and ProtocolViolation.
        """
        running, working = asyncio.create_task(self.run()), asyncio.create_task(work)
        try:
            await asyncio.wait({running, working}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                await self._leave(running, failed=working.cancelled() or working.exception() is not None)
        finally:
            await _stop(running, working)
        for task in (running, working):
            _raise_failure(task)

    async def run(self) -> None:
        """Read and write until the peer is done or gone, or broke the protocol. To be called once."""
        reading, writing = asyncio.create_task(self._read()), asyncio.create_task(self._outbox.run())
        try:
            await asyncio.wait({reading, writing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _stop(reading, writing)
            self._outbox.end()
            self._lose()
            self.holding.end()
        for task in (reading, writing):
            _raise_failure(task)

    @abstractmethod
    def _receive(self, data: bytes) -> bool:
        """Take what came in; whether more is to come. Raises ProtocolViolation."""

    @abstractmethod
    def _data_to_send(self) -> bytes:
        """What the protocol has to send by now, once."""

    @abstractmethod
    def _inboxes(self) -> Iterable[Inbox]:
        """Those of open streams."""

    @abstractmethod
    def _ping(self) -> None:
        """Ask for a sign of life."""

    @abstractmethod
    def _finish(self) -> None:
        """Tell the peer that we are done."""

    def _lose(self) -> None:
        for inbox in self._inboxes():
            inbox.lose()

    def _put(self) -> None:
        self._outbox.put(self._data_to_send())

    async def _read(self) -> None:
        try:
            while data := await self._duplex.read():
                more = self._receive(data)
                self._put()
                if not more:
                    await self._say_goodbye()
                    return
                await self._room()
        except ProtocolViolation as violation:
            log.warning("peer broke the protocol", reason=str(violation))
            with contextlib.suppress(ProtocolViolation):
                self._put()
            await self._say_goodbye()

    async def _say_goodbye(self) -> None:
        with contextlib.suppress(TimeoutError, ConnectionEnded):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self._outbox.sent()

    async def _room(self) -> None:
        while self.holding.full or any(inbox.full for inbox in self._inboxes()):
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await self.holding.less()
            except TimeoutError:
                self._ping()
                self._put()

    async def _leave(self, running: asyncio.Task[None], *, failed: bool) -> None:
        for inbox in self._inboxes():
            inbox.drop()
        with contextlib.suppress(ProtocolViolation):
            self._finish()
            self._put()
        sending = asyncio.create_task(_unless_ended(self._outbox.sent()))
        try:
            await asyncio.wait(
                {running, sending},
                return_when=asyncio.FIRST_COMPLETED,
                timeout=GOODBYE_SECONDS if failed else None,
            )
            await asyncio.wait({running}, timeout=GOODBYE_SECONDS if failed else self._linger)
        finally:
            await _stop(sending)


async def _unless_ended(waiting: Awaitable[None]) -> None:
    with contextlib.suppress(ConnectionEnded):
        await waiting


async def _stop(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _raise_failure(task: asyncio.Task[None]) -> None:
    failure = None if task.cancelled() else task.exception()
    if isinstance(failure, BaseExceptionGroup):
        failure = failure.split(_EXPECTED)[1]
    if failure is not None and not isinstance(failure, _EXPECTED):
        raise failure
