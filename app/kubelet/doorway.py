"""The door of the node's API: connections are counted from the moment that they are accepted.

asyncio's own server counts nothing before TLS has shaken hands, and gives each connection a quarter of a
megabyte for that. Here few shake hands at a time, fewer of one address; the others wait as bare sockets.
"""

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
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
        waiting: connections that have not shaken hands yet, those that do included; further ones take the
            place of one of the largest crowd.
        waiting_of_one: of one address; further ones are closed.
        handshake_seconds: until a handshake must be done.
    """

    shaking: int = 128
    shaking_of_one: int = 8
    waiting: int = 1024
    waiting_of_one: int = 256
    handshake_seconds: float = 3.0


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


class _Knock:
    """A connection that was accepted; a transport closes it once it was handed over to one."""

    def __init__(self, connection: socket.socket, address: str) -> None:
        self.connection = connection
        self.address = address
        self.handed_over = False


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
        self._turns = asyncio.Semaphore(config.shaking)
        self._turns_of: dict[str, asyncio.Semaphore] = {}
        self._standing: dict[str, set[asyncio.Task[None]]] = {}

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
        tasks = [task for crowd in self._standing.values() for task in crowd]
        tasks += [self._accepting] if self._accepting else []
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
        if not self._has_room_for(address):
            self._seldom.warn("too many connections that never speak TLS", address=address)
            connection.close()
            return
        knock = _Knock(connection, address)
        task = asyncio.create_task(self._shake(knock))
        self._standing.setdefault(address, set()).add(task)
        task.add_done_callback(partial(self._leave, knock))

    def _has_room_for(self, address: str) -> bool:
        own = len(self._standing.get(address, ()))
        if own >= self._config.waiting_of_one:
            return False
        if sum(map(len, self._standing.values())) < self._config.waiting:
            return True
        crowd = max(self._standing.values(), key=len)
        if len(crowd) <= own + 1:
            return False
        crowd.pop().cancel()
        return True

    def _leave(self, knock: "_Knock", task: asyncio.Task[None]) -> None:
        # Here, since a task that is cancelled before its first step does nothing of its own.
        if not knock.handed_over:
            knock.connection.close()
        crowd = self._standing.get(knock.address, set())
        crowd.discard(task)
        if not crowd:
            self._standing.pop(knock.address, None)
            self._turns_of.pop(knock.address, None)

    async def _shake(self, knock: "_Knock") -> None:
        turns = self._turns_of.setdefault(knock.address, asyncio.Semaphore(self._config.shaking_of_one))
        try:
            async with turns, self._turns:
                knock.handed_over = True
                streams = await self._speak(knock.connection)
        except (OSError, TimeoutError) as error:
            log.debug("no handshake", address=knock.address, reason=repr(error))
            return
        await self._let(*streams)

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
