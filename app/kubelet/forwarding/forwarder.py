"""One forwarded connection: a client's stream on one side, a port of a pod on the other."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from app.ports.clock import Clock
from app.streaming.transport import ConnectionEnded, Stream
from app.telemetry import logs

DIAL_SECONDS: Final = 10.0
GRACE_SECONDS: Final = 10.0
"""How long one direction may go on without the other: who closes both says so of one after the other."""

READ_BYTES: Final = 32 * 1024
MOST_CONNECTIONS: Final = 1000
"""To pods, of all clients together."""

Dial = Callable[[str, int], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
"""Connects to an address and port. Raises OSError."""

log = logs.get(__name__)


async def dial(address: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect; little is read ahead of a client that reads slowly."""
    return await asyncio.open_connection(address, port, limit=READ_BYTES)


class TooMany(OSError):
    """No more connections are made."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where a client wants to go."""

    pod: str
    address: str
    port: int


class Forwarder:
    """Joins streams and connections."""

    def __init__(self, *, clock: Clock, dial: Dial) -> None:
        self._clock = clock
        self._dial = dial
        self._open = 0

    async def forward(self, target: Target, *, data: Stream, error: Stream) -> None:
        """Carry bytes both ways until both sides are done, then end both streams. Raises ConnectionEnded.

        Why there is no connection is told on `error`. That one breaks later is not: kubectl gives up all that
        it forwards at the first word on it, and many a server resets its connections as it closes them.
        """
        self._open += 1
        try:
            await self._forward(target, data=data, error=error)
        finally:
            self._open -= 1
        await _end(data, error)

    async def _forward(self, target: Target, *, data: Stream, error: Stream) -> None:
        try:
            reader, writer = await self._connected(target)
        except OSError as failure:
            problem = _problem(target, failure)
            log.info("port is not forwarded", reason=problem)
            await error.write(problem.encode())
            return
        try:
            await self._carry(reader, writer, data=data, error=error)
        finally:
            writer.transport.abort()

    async def _connected(self, target: Target) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._open > MOST_CONNECTIONS:
            raise TooMany
        async with asyncio.timeout(DIAL_SECONDS):
            return await self._dial(target.address, target.port)

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, data: Stream, error: Stream
    ) -> None:
        up = asyncio.create_task(_to_pod(data, writer))
        down = asyncio.create_task(_to_client(reader, data))
        tasks = [up, down]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if down.done():
                # kubectl reads the error stream to its end before it gives up its side of the other.
                await _end(data, error)
            tasks.append(asyncio.create_task(self._clock.sleep(GRACE_SECONDS)))
            pending = [task for task in tasks if not task.done()]
            await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        _raise_unless_reset(up, down)


async def _end(data: Stream, error: Stream) -> None:
    await data.close()
    await error.close()


async def _to_pod(data: Stream, writer: asyncio.StreamWriter) -> None:
    while piece := await data.read():
        writer.write(piece)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


async def _to_client(reader: asyncio.StreamReader, data: Stream) -> None:
    while piece := await reader.read(READ_BYTES):
        await data.write(piece)


def _raise_unless_reset(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        failure = None if task.cancelled() else task.exception()
        if isinstance(failure, OSError) and not isinstance(failure, ConnectionEnded):
            log.debug("pod broke a connection", reason=repr(failure))
        elif failure is not None:
            raise failure


def _problem(target: Target, failure: OSError) -> str:
    """In the words of the kubelet and of the container runtime, and with the mend."""
    match failure:
        case TooMany():
            reason = f"{MOST_CONNECTIONS} connections are forwarded by this node already; close some"
        case ConnectionRefusedError():
            reason = (
                "connect: connection refused; the program in the pod has to listen on this port, and on all "
                "addresses instead of the loopback alone"
            )
        case TimeoutError():
            reason = (
                f"no answer within {DIAL_SECONDS:.0f} s; let the bridge reach this port, in the security "
                "groups of the pod's task"
            )
        case _:
            reason = f"{failure.strerror or failure}; let the bridge's network reach the pod's subnet"
    where = f"{target.address}:{target.port}"
    return f"error forwarding port {target.port} to pod {target.pod}: failed to connect to {where}: {reason}"
