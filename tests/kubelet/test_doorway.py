import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trustme
from structlog.testing import capture_logs

from app.kubelet.doorway import DoorConfig, Doorway, Seldom
from app.tls.serving_context import ServingContext
from tests.fakes import VirtualClock, settle

LOOPBACK = "127.0.0.1"


class Door:
    """An open door, and who came through."""

    def __init__(self, serving: ServingContext, config: DoorConfig) -> None:
        self.let_in: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
        self.doorway = Doorway(self._let, tls=serving.listening, clock=VirtualClock(), config=config)
        self.doorway.open(LOOPBACK, 0)
        self._silent: list[socket.socket] = []

    async def _let(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.let_in.put_nowait(writer)

    async def knock(self, count: int, *, source: str = LOOPBACK) -> None:
        """Connect so often, and say nothing."""
        for _ in range(count):
            silent = socket.create_connection((LOOPBACK, self.doorway.port), source_address=(source, 0))
            self._silent.append(silent)
        await settle()

    async def enter(self, context: ssl.SSLContext, *, source: str = LOOPBACK) -> None:
        """Speak TLS, and be let in. Raises OSError, TimeoutError."""
        async with asyncio.timeout(60):
            _, writer = await asyncio.open_connection(
                LOOPBACK, self.doorway.port, ssl=context, local_addr=(source, 0)
            )
            (await self.let_in.get()).transport.abort()
            writer.transport.abort()

    async def close(self) -> None:
        """Send everybody away."""
        for silent in self._silent:
            silent.close()
        await self.doorway.close()


@pytest.fixture
def client(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@asynccontextmanager
async def opened(serving: ServingContext, *, handshake_seconds: float) -> AsyncIterator[Door]:
    config = DoorConfig(
        shaking=2, shaking_of_one=1, waiting=8, waiting_of_one=4, handshake_seconds=handshake_seconds
    )
    door = Door(serving, config)
    yield door
    await door.close()


@pytest.fixture
async def door(serving: ServingContext) -> AsyncIterator[Door]:
    """One that waits for who is silent longer than any test takes."""
    async with opened(serving, handshake_seconds=60) as door:
        yield door


@pytest.fixture
async def hasty(serving: ServingContext) -> AsyncIterator[Door]:
    """One that gives up who is silent; what speaks TLS has that long as well."""
    async with opened(serving, handshake_seconds=2) as door:
        yield door


async def test_who_speaks_tls_is_let_in(door: Door, client: ssl.SSLContext) -> None:
    await door.enter(client)


async def test_silent_connections_of_one_address_keep_nobody_else_out(
    door: Door, client: ssl.SSLContext
) -> None:
    await door.knock(4)
    await door.enter(client, source="127.0.0.2")


async def test_an_address_with_too_many_silent_connections_is_sent_away(
    door: Door, client: ssl.SSLContext
) -> None:
    await door.knock(4)
    with pytest.raises((ConnectionError, ssl.SSLError)):
        await door.enter(client)


async def test_a_full_door_lets_a_newcomer_in_before_one_of_the_largest_crowd(
    hasty: Door, client: ssl.SSLContext
) -> None:
    for source in ("127.0.0.2", "127.0.0.3"):
        await hasty.knock(4, source=source)
    await hasty.enter(client)


async def test_silent_connections_are_given_up_after_a_while(hasty: Door, client: ssl.SSLContext) -> None:
    await hasty.knock(2)
    await hasty.enter(client)


async def test_closing_lets_go_of_those_that_wait(door: Door) -> None:
    await door.knock(4)
    port = door.doorway.port
    await door.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((LOOPBACK, port))


async def test_a_system_without_room_is_asked_again(
    door: Door, client: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    real, failures = loop.sock_accept, iter([OSError(24, "Too many open files")])

    async def sock_accept(listener: socket.socket) -> tuple[socket.socket, object]:
        for failure in failures:
            raise failure
        return await real(listener)

    await door.enter(client)
    monkeypatch.setattr(loop, "sock_accept", sock_accept)
    await door.enter(client)
    await settle()
    clock = door.doorway._clock
    assert isinstance(clock, VirtualClock)
    await clock.advance(1.0)
    await door.enter(client)


async def test_what_happens_often_is_told_once_a_minute_with_its_count() -> None:
    clock = VirtualClock()
    seldom = Seldom(clock=clock)
    with capture_logs() as told:
        for _ in range(3):
            seldom.warn("full")
        await clock.advance(60.0)
        seldom.warn("full")
    assert [(each["event"], each["times"]) for each in told] == [("full", 1), ("full", 3)]
