"""SPDY/3.1 at work: streams that either side opens."""

import asyncio
from collections.abc import Iterable
from typing import Final

from app.streaming.connections.allowance import Allowance
from app.streaming.connections.connection import LINGER_SECONDS, PIECE_BYTES, Connection
from app.streaming.connections.inbox import Inbox
from app.streaming.spdy.events import (
    Broken,
    Event,
    HeadersAdded,
    Opened,
    PingAnswered,
    Received,
    Replied,
    WentAway,
)
from app.streaming.spdy.frames import ResetStatus, SpdyLimits
from app.streaming.spdy.headers import Headers
from app.streaming.spdy.session import Role, SpdySession
from app.streaming.transport import ConnectionEnded, Duplex

MOST_WAITING: Final = 256
"""Streams that the peer opened and nobody took yet; further ones are refused."""


class StreamRefused(Exception):
    """The peer did not accept a stream of ours."""


class SpdyStream:
    """A stream of a connection (`app.streaming.transport.Stream`)."""

    def __init__(self, connection: "SpdyConnection", number: int, headers: Headers) -> None:
        self.number = number
        self.headers = headers
        self.inbox = Inbox(connection.holding)
        self._connection = connection

    def header(self, name: str) -> str:
        """The first header of that name, which is in lower case; empty where there is none."""
        return next((value for key, value in self.headers if key == name), "")

    def accept(self) -> None:
        """Tell the peer that the stream may be used: it sends nothing before."""
        self._connection.accept(self)

    async def read(self) -> bytes:
        """What the peer sends next; empty once it ended or broke off the stream. Raises ConnectionEnded."""
        return await self.inbox.get()

    async def write(self, data: bytes) -> None:
        """Send; returns when the peer keeps up. Dropped where the stream is over. Raises ConnectionEnded."""
        for start in range(0, len(data), PIECE_BYTES):
            await self._connection.send(self, data[start : start + PIECE_BYTES])

    async def close(self) -> None:
        """End our half; a second time is nothing. Raises ConnectionEnded."""
        await self._connection.send(self, b"", ended=True)

    def reset(self) -> None:
        """Break it off, both ways; nothing where it is over."""
        self._connection.reset(self)


class SpdyConnection(Connection):
    """One side of a connection; `run` or `serve` has to run for anything to happen."""

    def __init__(
        self,
        duplex: Duplex,
        role: Role,
        *,
        limits: SpdyLimits | None = None,
        allowance: Allowance | None = None,
        linger: float = LINGER_SECONDS,
    ) -> None:
        super().__init__(duplex, allowance=allowance, linger=linger)
        self._session = SpdySession(role, limits=limits)
        self._streams: dict[int, SpdyStream] = {}
        self._opened: asyncio.Queue[SpdyStream | None] = asyncio.Queue()
        self._answers: dict[int, asyncio.Future[None]] = {}

    async def incoming(self) -> SpdyStream:
        """The next stream that the peer opened: `accept` or `reset` it. Raises ConnectionEnded."""
        stream = await self._opened.get()
        if stream is None:
            self._opened.put_nowait(None)
            raise ConnectionEnded("the connection ended")
        return stream

    async def open(self, headers: Headers) -> SpdyStream:
        """Open a stream; returns once the peer has accepted it. Raises StreamRefused, ConnectionEnded."""
        await self._outbox.room()
        stream = SpdyStream(self, self._session.open(headers), headers)
        self._streams[stream.number] = stream
        answer = self._answers[stream.number] = asyncio.get_running_loop().create_future()
        self._put()
        try:
            await answer
        finally:
            self._answers.pop(stream.number, None)
        return stream

    def accept(self, stream: SpdyStream) -> None:
        """As `SpdyStream.accept`."""
        self._session.reply(stream.number)
        self._put()

    async def send(self, stream: SpdyStream, data: bytes, *, ended: bool = False) -> None:
        """As `SpdyStream.write` and `SpdyStream.close`."""
        await self._outbox.room()
        self._session.send(stream.number, data, ended=ended)
        self._put()
        self._forget_if_over(stream.number)

    def reset(self, stream: SpdyStream) -> None:
        """As `SpdyStream.reset`."""
        self._session.reset(stream.number, ResetStatus.CANCEL)
        stream.inbox.drop()
        stream.inbox.end()
        self._put()
        self._forget_if_over(stream.number)

    def _receive(self, data: bytes) -> bool:
        for event in self._session.receive(data):
            self._take(event)
        return True

    def _take(self, event: Event) -> None:
        match event:
            case Opened():
                self._open_for_peer(event)
            case Replied():
                self._answer(event.stream, None)
                self._end_if(event.stream, ended=event.ended)
            case Received():
                if stream := self._streams.get(event.stream):
                    stream.inbox.put(event.data)
                self._end_if(event.stream, ended=event.ended)
            case HeadersAdded():
                self._end_if(event.stream, ended=event.ended)
            case Broken():
                self._answer(event.stream, StreamRefused(f"the stream was refused (status {event.status})"))
                self._end_if(event.stream, ended=True)
            case PingAnswered() | WentAway():
                # Nobody waits for an answer; and a peer that goes away closes the connection when it is done.
                return

    def _open_for_peer(self, event: Opened) -> None:
        # A peer may break off what it opened, and open more, faster than anybody takes a look at it.
        if self._opened.qsize() >= MOST_WAITING:
            self._session.reset(event.stream, ResetStatus.REFUSED_STREAM)
            return
        stream = self._streams[event.stream] = SpdyStream(self, event.stream, event.headers)
        self._opened.put_nowait(stream)
        self._end_if(event.stream, ended=event.ended)

    def _end_if(self, number: int, *, ended: bool) -> None:
        if ended and (stream := self._streams.get(number)):
            stream.inbox.end()
            self._forget_if_over(number)

    def _forget_if_over(self, number: int) -> None:
        if not self._session.is_open(number):
            self._streams.pop(number, None)

    def _answer(self, number: int, failure: Exception | None) -> None:
        answer = self._answers.get(number)
        if answer is None or answer.done():
            return
        if failure:
            answer.set_exception(failure)
        else:
            answer.set_result(None)

    def _lose(self) -> None:
        super()._lose()
        self._opened.put_nowait(None)
        for number in list(self._answers):
            self._answer(number, ConnectionEnded("the connection ended"))

    def _data_to_send(self) -> bytes:
        return self._session.data_to_send()

    def _inboxes(self) -> Iterable[Inbox]:
        return [stream.inbox for stream in self._streams.values()]

    def _ping(self) -> None:
        self._session.ping()

    def _finish(self) -> None:
        self._session.go_away()
