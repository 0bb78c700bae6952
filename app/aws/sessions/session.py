"""One open terminal: shows, types, repeats, pings, and reconnects where the connection breaks."""

import asyncio
from collections.abc import Sequence
from typing import Final, assert_never
from uuid import UUID

from app.aws.sessions.bell import Bell
from app.aws.sessions.channel import (
    Channel,
    Closed,
    Event,
    Failed,
    KeyWanted,
    Now,
    Ready,
    Shown,
    opening,
)
from app.aws.sessions.frames import pieces
from app.aws.sessions.management import Management, Opened
from app.aws.sessions.reconnection import resumed
from app.aws.sessions.tools import Tools
from app.aws.sessions.websocket import LostError, Socket
from app.ports.failures import PortFailure, Refused, Unavailable
from app.ports.sessions import Session
from app.telemetry import logs
from app.timing.waiting import cancelled, within

log = logs.get(__name__)

HANDSHAKE_WITHIN: Final = 15.0
PING_PERIOD: Final = 300.0
PONG_WITHIN: Final = 30.0
FAREWELL_WITHIN: Final = 2.0
"""Seconds: for the agent's handshake, between pings, for a ping's answer, for the agent to end a session."""

MOST_SHOWN: Final = 256 * 1024
"""Bytes that nobody has read yet: beyond them nothing more is taken from the connection."""


class TerminalSession(Session):
    """A session over Session Manager's data channel (`app.ports.sessions.Session`).

    As with a pipe, whoever types a lot has to read meanwhile: acknowledgements come the same way as output.
    """

    def __init__(self, opened: Opened, *, management: Management, tools: Tools) -> None:
        """Connect nothing yet."""
        self._first = opened
        self._management = management
        self._tools = tools
        self._clock = tools.clock
        self._channel = Channel(randomness=tools.randomness)
        self._client_id = self._new_id()
        self._bell = Bell()
        self._typing, self._sending, self._closing = asyncio.Lock(), asyncio.Lock(), asyncio.Lock()
        self._socket: Socket | None = None
        self._running: asyncio.Task[None] | None = None
        self._shown = bytearray()
        self._last_words = ""
        self._failure: PortFailure | None = None
        self._is_ready = self._is_over = self._is_closed = False

    async def start(self) -> None:
        """Connect, and return when the terminal takes input.

        Raises:
            Refused: the agent asks for what we cannot do, or ended the session at once.
            Unavailable: there is no connection, or no agent at its other end.
        """
        self._running = asyncio.create_task(self._run())
        try:
            await self._shaken_hands()
        except BaseException:
            await self.close()
            raise

    async def read(self) -> bytes:
        """As the port; where the agent ends the session with words of its own, those come last."""
        await self._bell.until(lambda: bool(self._shown) or self._is_over)
        data = bytes(self._shown)
        self._shown.clear()
        self._bell.ring()
        if not data:
            self._tell_of_failure()
        return data

    async def write(self, data: bytes) -> None:
        """As the port; at most `channel.WINDOW` messages are on their way when it returns."""
        async with self._typing:
            for piece in pieces(data):
                await self._bell.until(lambda: self._is_over or self._channel.takes_input)
                self._tell_of_failure()
                if self._is_over:
                    return
                self._channel.type_in(piece, now=self._now())
                await self._flush()

    async def resize(self, *, columns: int, rows: int) -> None:
        """As the port."""
        if not self._is_over:
            self._channel.resize(columns=columns, rows=rows, now=self._now())
            await self._flush()

    async def close(self) -> None:
        """As the port. The agent is asked first, and Session Manager where the agent does not answer."""
        async with self._closing:
            if self._is_closed:
                return
            self._is_closed = True
            try:
                await self._part()
            finally:
                if self._running is not None:
                    await cancelled(self._running)
                self._is_over = True
                self._bell.ring()

    async def _shaken_hands(self) -> None:
        done = self._bell.until(lambda: self._is_ready or self._is_over)
        try:
            await within(self._clock, HANDSHAKE_WITHIN, done)
        except Unavailable as failure:
            raise Unavailable(
                f"the container's agent did not answer within {HANDSHAKE_WITHIN:g} s; "
                "let the task's role call ssmmessages, and its subnet reach it"
            ) from failure
        if self._failure is not None:
            raise self._failure
        if not self._is_ready:
            raise Refused(f"the agent ended the session: {self._last_words or 'it did not say why'}")

    async def _run(self) -> None:
        try:
            socket = await self._connected(self._first)
            while True:
                await self._converse(socket)
                if self._is_over:
                    return
                socket = await resumed(
                    self._management, self._reopened, clock=self._clock, jitter=self._tools.jitter
                )
        except PortFailure as failure:
            self._failure = failure
        except LostError as lost:
            self._failure = Unavailable(f"the connection to Session Manager broke at once: {lost}")
        except Exception as error:
            # Whatever it was: who waits for the terminal has to learn that it is over.
            log.exception("a session failed", session=self._first.session)
            self._failure = Unavailable(f"the session failed: {error}")
        finally:
            self._is_over = True
            self._bell.ring()

    async def _connected(self, opened: Opened) -> Socket:
        socket = await self._tools.dial(opened.url)
        try:
            await socket.send(opening(opened.token, client_id=self._client_id, request_id=self._new_id()))
        except BaseException:
            await socket.close()
            raise
        return socket

    async def _reopened(self, opened: Opened) -> Socket:
        socket = await self._connected(opened)
        self._channel.reopened(now=self._now())
        return socket

    async def _converse(self, socket: Socket) -> None:
        """Until the session is over or the connection is lost."""
        self._socket = socket
        work = [
            asyncio.create_task(each) for each in (self._hear(socket), self._repeat(), self._ping(socket))
        ]
        try:
            done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                each.result()
        except LostError as lost:
            log.info("connection of a session lost", session=self._first.session, why=str(lost))
        finally:
            self._socket = None
            await cancelled(*work)
            await socket.close()

    async def _hear(self, socket: Socket) -> None:
        while not self._is_over:
            await self._bell.until(self._has_room)
            message = await socket.receive()
            if isinstance(message, bytes):
                await self._happened(self._channel.receive(message, now=self._now()))
                await self._flush()

    def _has_room(self) -> bool:
        return len(self._shown) < MOST_SHOWN

    async def _happened(self, events: Sequence[Event]) -> None:
        for event in events:
            match event:
                case Shown():
                    self._shown += event.data
                case Ready():
                    self._is_ready = True
                case KeyWanted():
                    await self._happened(await self._keyed(event.key_id))
                case Closed():
                    self._end(event.words)
                case Failed():
                    await self._flush()
                    raise Refused(event.why)
                case _:
                    assert_never(event)

    def _end(self, words: str) -> None:
        self._last_words = words
        self._is_over = True
        if self._is_ready and words:
            self._shown += f"\r\n{words}\r\n".encode()

    async def _keyed(self, key_id: str) -> Sequence[Event]:
        try:
            key = await self._management.data_key(key_id)
        except PortFailure as failure:
            why = f"the ECS cluster has sessions encrypted with {key_id}, and no key could be had: {failure}"
            return self._channel.go_without(why, now=self._now())
        return self._channel.encrypt(key, now=self._now())

    async def _repeat(self) -> None:
        await self._flush()
        while True:
            # While nobody reads what is shown, acknowledgements are not heard either.
            await self._bell.until(lambda: self._channel.due() is not None and self._has_room())
            due = self._channel.due()
            await self._clock.sleep((due or 0.0) - self._clock.steady())
            self._channel.repeat(now=self._now())
            if self._channel.is_given_up:
                raise Unavailable("the container's agent acknowledges nothing any more; open another session")
            await self._flush()

    async def _ping(self, socket: Socket) -> None:
        while True:
            await self._clock.sleep(PING_PERIOD)
            try:
                await within(self._clock, PONG_WITHIN, socket.ping())
            except Unavailable as failure:
                raise LostError("a ping was not answered") from failure

    async def _flush(self) -> None:
        """Send what there is to send; what is lost with the connection is repeated on the next."""
        async with self._sending:
            messages, socket = self._channel.outgoing(), self._socket
            try:
                for message in messages:
                    if socket is not None:
                        await socket.send(message)
            except LostError as lost:
                # Whoever hears on this connection learns of its end, too, and reconnects.
                log.debug("not sent", session=self._first.session, why=str(lost))
        self._bell.ring()

    async def _part(self) -> None:
        if self._is_over and self._failure is None:
            return
        if self._is_over or not self._is_ready or not await self._asked_to_end():
            await self._terminated()

    async def _asked_to_end(self) -> bool:
        """Whether the agent has heard that the session is to end."""
        self._channel.terminate(now=self._now())
        try:
            await within(self._clock, FAREWELL_WITHIN, self._heard())
        except Unavailable:
            return False
        return True

    async def _heard(self) -> None:
        await self._flush()
        await self._bell.until(lambda: self._is_over or self._channel.is_settled)

    async def _terminated(self) -> None:
        try:
            await within(self._clock, HANDSHAKE_WITHIN, self._management.terminate())
        except PortFailure as failure:
            log.warning(
                "a session could not be ended; it ends when it was idle for 20 minutes",
                session=self._first.session,
                error=str(failure),
            )

    def _tell_of_failure(self) -> None:
        if self._failure is not None and not self._is_closed:
            raise Unavailable(str(self._failure)) from self._failure

    def _now(self) -> Now:
        return self._tools.now()

    def _new_id(self) -> str:
        return str(UUID(bytes=self._tools.randomness.new_id()))
