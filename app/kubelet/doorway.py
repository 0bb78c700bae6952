"""The door of the node's API: connections are counted from the moment that they are accepted.

asyncio's own server counts nothing before TLS has shaken hands, and gives each connection a quarter of a
megabyte for that. Here few shake hands at a time, fewer of one address; the others wait as bare sockets.
"""

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from app.ports.clock import Clock
from app.telemetry import logs

GOODBYE_SECONDS: Final = 2.0
BUFFER_BYTES: Final = 32 * 1024
"""Of what a connection has received, and again of what it has to send, before its other side waits."""

BACKLOG: Final = 512
PAUSE_SECONDS: Final = 1.0
"""After the system had no room for another connection: no file descriptor is free, or no memory."""

TELL_EVERY: Final = 60.0

log = logs.get(__name__)

Let = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""What becomes of a connection over which TLS is spoken."""


class DoorConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How many may stand in the door.

    Attributes:
        shaking: handshakes at a time.
        shaking_of_one: of one address.
        waiting: connections that have not shaken hands yet, those that do included; further ones are closed.
        waiting_of_one: of one address: a crowd from one place leaves room for the API server.
        handshake_seconds: until a handshake must be done.
    """

    shaking: int = 64
    shaking_of_one: int = 16
    waiting: int = 1024
    waiting_of_one: int = 256
    handshake_seconds: float = 5.0


class Seldom:
    """Warns of what may happen a thousand times a second, once a minute, and says how often it did."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._next = 0.0
        self._times: Counter[str] = Counter()

    def warn(self, event: str, **bound: object) -> None:
        """Count it, and tell it unless something was told within the minute."""
        self._times[event] += 1
        if self._clock.steady() < self._next:
            return
        self._next = self._clock.steady() + TELL_EVERY
        log.warning(event, times=self._times.pop(event), **bound)


class Doorway:
    """Accepts connections on one address, and hands on those that speak TLS."""

    def __init__(self, let: Let, *, tls: ssl.SSLContext, clock: Clock, config: DoorConfig) -> None:
        self._let = let
        self._tls = tls
        self._clock = clock
        self._config = config
        self._seldom = Seldom(clock=clock)
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._waiting: Counter[str] = Counter()
        self._turns = asyncio.Semaphore(config.shaking)
        self._turns_of: dict[str, asyncio.Semaphore] = {}
        self._shaking: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The port that is listened on. Raises RuntimeError before `open`."""
        if self._listener is None:
            raise RuntimeError("the kubelet API has no port before it is started")
        return int(self._listener.getsockname()[1])

    def open(self, host: str, port: int) -> None:
        """Listen. Raises OSError where the address is taken."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
        self._listener.settimeout(0)
        self._accepting = asyncio.create_task(self._accept(self._listener))

    async def close(self) -> None:
        """Listen no more, and let go of everybody in the door."""
        tasks = [*self._shaking, *([self._accepting] if self._accepting else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._listener is not None:
            self._listener.close()

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, address = await loop.sock_accept(listener)
            except OSError as error:
                self._seldom.warn("connections cannot be accepted", error=str(error))
                await self._clock.sleep(PAUSE_SECONDS)
                continue
            self._admit(connection, str(address[0]))

    def _admit(self, connection: socket.socket, address: str) -> None:
        crowded = self._waiting[address] >= self._config.waiting_of_one
        if crowded or self._waiting.total() >= self._config.waiting:
            self._seldom.warn("too many connections that never speak TLS", address=address)
            connection.close()
            return
        self._waiting[address] += 1
        task = asyncio.create_task(self._shake(connection, address))
        self._shaking.add(task)
        task.add_done_callback(self._shaking.discard)

    async def _shake(self, connection: socket.socket, address: str) -> None:
        turns = self._turns_of.setdefault(address, asyncio.Semaphore(self._config.shaking_of_one))
        handed_over = False
        try:
            async with turns, self._turns:
                handed_over = True
                streams = await self._speak(connection)
        except (OSError, TimeoutError) as error:
            log.debug("no handshake", address=address, reason=repr(error))
            return
        finally:
            self._leave(address)
            if not handed_over:
                connection.close()
        await self._let(*streams)

    def _leave(self, address: str) -> None:
        self._waiting[address] -= 1
        if not self._waiting[address]:
            del self._waiting[address], self._turns_of[address]

    async def _speak(self, connection: socket.socket) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=BUFFER_BYTES, loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        transport, _ = await loop.connect_accepted_socket(
            lambda: protocol,
            connection,
            ssl=self._tls,
            ssl_handshake_timeout=self._config.handshake_seconds,
            ssl_shutdown_timeout=GOODBYE_SECONDS,
        )
        return reader, asyncio.StreamWriter(transport, protocol, reader, loop)
