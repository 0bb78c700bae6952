"""One client's connection: HTTP/1.1 by h11 over asyncio streams, request after request."""

import asyncio
from contextlib import aclosing
from http import HTTPStatus
from typing import Final, assert_never

import h11
import msgspec

from app.kubelet.client_certificate import common_name, is_certified, organizations
from app.kubelet.messages import Answer, Handler, Request, StreamedAnswer, Upgrade
from app.kubelet.told import as_status
from app.ports.failures import PortFailure
from app.telemetry import logs

MOST_AHEAD: Final = 64 * 1024
"""Bytes that a client may send before it has its answer: pipelined requests, or a body that we skip."""

MOST_DRAINED: Final = 1024 * 1024
DRAIN_SECONDS: Final = 1.0
"""What may still come of a request that was refused: its client writes all of it before it reads."""

_MORE_FOLLOWS: Final = frozenset(
    {HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE}
)

READ_BYTES: Final = 64 * 1024
"""The most that is read at once from a connection that was handed over."""

log = logs.get(__name__)


class HttpLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one connection may take.

    Attributes:
        header_bytes: of request line and headers.
        certified_header_bytes: the same for a client with a certificate, as the API server is: it puts the
            whole command of `kubectl exec` into the request line.
        idle_seconds: until a request must have come in whole.
        newcomer_seconds: the same for a client that showed no certificate and has not been let in yet.
    """

    header_bytes: int = 16 * 1024
    certified_header_bytes: int = 128 * 1024
    idle_seconds: float = 120.0
    newcomer_seconds: float = 10.0


class ClientGone(Exception):
    """The client closed the connection, or broke it."""


class Taken:
    """The connection that an upgrade has taken over (`app.kubelet.messages.Duplex`)."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, early: bytes, ended: bool
    ) -> None:
        """`early` came in behind the request, and nothing comes any more where it `ended`."""
        self._reader = reader
        self._writer = writer
        self._early = early
        self._ended = ended

    async def read(self) -> bytes:
        """What the client sends next; empty at the end, however it came about."""
        if self._early:
            early, self._early = self._early, b""
            return early
        if self._ended:
            return b""
        try:
            return await self._reader.read(READ_BYTES)
        except OSError as error:
            log.debug("client broke the connection", reason=repr(error))
            return b""

    async def write(self, data: bytes) -> None:
        """Send; returns when the client keeps up. Raises OSError where it is gone."""
        self._writer.write(data)
        await self._writer.drain()


class HttpConnection:
    """Reads requests, has them answered, and stops an answer when its reader goes away."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        handler: Handler,
        limits: HttpLimits,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._handler = handler
        self._limits = limits
        self._client = common_name(writer)
        self._organizations = organizations(writer)
        self._let_in = is_certified(writer)
        self._most_head = limits.certified_header_bytes if self._let_in else limits.header_bytes
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=self._most_head)
        self._ahead = 0
        self._has_head = False

    async def serve(self) -> None:
        """Answer until either side is done with the connection; closing it is the caller's."""
        try:
            while (request := await self._request()) is not None:
                await self._answered(request)
                if self._http.states != {h11.CLIENT: h11.DONE, h11.SERVER: h11.DONE}:
                    return
                self._http.start_next_cycle()
                self._has_head = False
        except h11.RemoteProtocolError as error:
            await self._reject(error)
        except (ClientGone, ConnectionError, TimeoutError) as error:
            log.debug("connection ended", reason=repr(error))

    async def _request(self) -> Request | None:
        """The next request, its body skipped; None where the client is done."""
        limits = self._limits
        async with asyncio.timeout(limits.idle_seconds if self._let_in else limits.newcomer_seconds):
            head = await self._event()
            if not isinstance(head, h11.Request):
                return None
            self._has_head = True
            self._ahead = len(self._http.trailing_data[0])
            # Without our "100 Continue" a body that waits for it never comes.
            while not self._http.they_are_waiting_for_100_continue:
                if isinstance(await self._event(), h11.EndOfMessage):
                    break
        return Request(
            method=head.method.decode(),
            target=head.target.decode(),
            client=self._client,
            headers=tuple((name.decode(), value.decode("latin-1")) for name, value in head.headers),
            organizations=self._organizations,
        )

    async def _event(self) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            await self._receive()
        return event

    async def _receive(self) -> bytes:
        # h11 bounds only what is incomplete: pieces of this size keep a whole head close to its limit.
        data = await self._reader.read(self._limits.header_bytes)
        self._ahead += len(data)
        if self._has_head and self._ahead > MOST_AHEAD:
            raise h11.RemoteProtocolError(
                "too much was sent ahead of the answer", error_status_hint=HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            )
        self._http.receive_data(data)
        return data

    async def _answered(self, request: Request) -> None:
        upgrade = await self._watched(request)
        if upgrade is None:
            return
        # h11 exports the state but leaves it out of its __all__.
        if self._http.their_state is not h11.MIGHT_SWITCH_PROTOCOL:  # type: ignore[attr-defined]
            text = "the request ends in no upgrade: it has no Upgrade header, or its body was not sent"
            await self._reply(Answer(status=HTTPStatus.BAD_REQUEST, text=text))
            return
        await self._hand_over(upgrade, request)

    async def _watched(self, request: Request) -> Upgrade | None:
        """Answer while the client is there; the upgrade is left to do, when nobody else reads any more."""
        answering = asyncio.create_task(self._answer(request))
        watching = asyncio.create_task(self._until_gone())
        try:
            await asyncio.wait({answering, watching}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            finished = answering.done()
            answering.cancel()
            watching.cancel()
            await asyncio.gather(answering, watching, return_exceptions=True)
        if not finished:
            raise ClientGone
        return answering.result()

    async def _hand_over(self, upgrade: Upgrade, request: Request) -> None:
        switch = HTTPStatus.SWITCHING_PROTOCOLS
        phrase = switch.phrase.encode()
        await self._send(
            h11.InformationalResponse(status_code=switch, reason=phrase, headers=list(upgrade.headers))
        )
        early, ended = self._http.trailing_data
        try:
            await upgrade.run(Taken(self._reader, self._writer, early=early, ended=ended))
        except (OSError, ClientGone):
            raise
        except Exception:
            log.exception("connection failed", method=request.method, target=request.target)

    async def _until_gone(self) -> None:
        while await self._receive():
            pass

    async def _answer(self, request: Request) -> Upgrade | None:
        try:
            answer = await self._handler(request)
        except Exception:
            # Whatever went wrong with one request must not end the others'.
            log.exception("request failed", method=request.method, target=request.target)
            answer = Answer(status=HTTPStatus.INTERNAL_SERVER_ERROR, text="internal error; the log has more")
        self._let_in |= not (isinstance(answer, Answer) and answer.status == HTTPStatus.UNAUTHORIZED)
        match answer:
            case Upgrade():
                return answer
            case StreamedAnswer():
                await self._stream(answer)
            case Answer():
                await self._reply(answer, with_body=request.method != "HEAD")
            case _:
                assert_never(answer)
        return None

    async def _stream(self, answer: StreamedAnswer) -> None:
        async with aclosing(answer.body) as body:
            await self._send(_response(HTTPStatus.OK, []))
            try:
                async for piece in body:
                    await self._send(h11.Data(data=piece))
            except ConnectionError:
                raise
            except PortFailure as failure:
                # The status is sent: only a body without its end tells the client.
                log.warning("answer broke off", error=str(failure))
                raise ClientGone from failure
            except Exception as error:
                log.exception("answer failed")
                raise ClientGone from error
        await self._send(h11.EndOfMessage())

    async def _reply(self, answer: Answer, *, with_body: bool = True) -> None:
        body = f"{answer.text}\n".encode()
        await self._send(_response(answer.status, [*answer.headers, ("Content-Length", str(len(body)))]))
        if with_body:
            await self._send(h11.Data(data=body))
        await self._send(h11.EndOfMessage())

    async def _reject(self, error: h11.RemoteProtocolError) -> None:
        if self._http.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            return
        try:
            await self._reply(self._refusal(error))
            if error.error_status_hint in _MORE_FOLLOWS:
                # A reset, which what is not read would bring about, may take the answer from the client.
                async with asyncio.timeout(DRAIN_SECONDS):
                    await self._drain()
        except (ConnectionError, TimeoutError, h11.LocalProtocolError) as gone:
            log.debug("bad request from a client that is gone", reason=repr(gone))

    def _refusal(self, error: h11.RemoteProtocolError) -> Answer:
        status = error.error_status_hint
        if status != HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE:
            return Answer(status=status, text=str(error))
        text = (
            f"the request line and headers are longer than {self._most_head} bytes; the command of kubectl "
            "exec travels in them: type a long script instead, as in kubectl exec -i POD -- sh < SCRIPT"
        )
        return as_status(Answer(status=status, text=text))

    async def _drain(self) -> None:
        left = MOST_DRAINED
        while left > 0 and (data := await self._reader.read(self._limits.header_bytes)):
            left -= len(data)

    async def _send(self, event: h11.Event) -> None:
        data = self._http.send(event)
        if data:
            self._writer.write(data)
            await self._writer.drain()


def _response(status: int, headers: list[tuple[str, str]]) -> h11.Response:
    plain = {"content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff"}
    own = {name.lower() for name, _ in headers}
    rest = [(name, value) for name, value in plain.items() if name not in own]
    phrase = HTTPStatus(status).phrase.encode()
    return h11.Response(status_code=status, reason=phrase, headers=[*rest, *headers])
