"""`kubectl exec` and `attach` as the node sees them: one client, and its stdin, stdout, stderr and terminal.

The order of things is the kubelet's:
https://github.com/kubernetes/kubernetes/tree/v1.36.0/staging/src/k8s.io/cri-streaming/pkg/streaming/remotecommand
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Final, Protocol, TypeVar

import msgspec

from app.kubelet.messages import Answer, Duplex, Request, Upgrade
from app.kubelet.streaming.negotiation import Agreed, agree
from app.kubelet.streaming.sizes import Sizes
from app.model.wire import Json
from app.streaming.connections.allowance import Allowance
from app.streaming.connections.channels import ChannelConnection
from app.streaming.connections.spdy import SpdyConnection, SpdyStream
from app.streaming.spdy.frames import SpdyLimits
from app.streaming.spdy.session import Role
from app.streaming.transport import ConnectionEnded, Stream
from app.streaming.websocket import Side
from app.telemetry import logs

V4: Final = "v4.channel.k8s.io"
V5: Final = "v5.channel.k8s.io"
"""As v4, and over WebSocket a client can say that stdin has ended."""

STREAMS_SECONDS: Final = 30.0
"""Until a client over SPDY must have opened its streams."""

CHANNELS: Final = ("stdin", "stdout", "stderr", "error", "resize")
"""The streams by the numbers of their channels over WebSocket."""

_LIMITS: Final = SpdyLimits(streams=16)

T = TypeVar("T")

log = logs.get(__name__)


class Streams(msgspec.Struct, frozen=True, kw_only=True):
    """What a client asks for: `input`, `output`, `error` and `tty` in its query."""

    stdin: bool = False
    stdout: bool = False
    stderr: bool = False
    tty: bool = False

    def names(self) -> frozenset[str]:
        """The streams that there are to be; a terminal has no stderr of its own."""
        wanted = {
            "stdin": self.stdin,
            "stdout": self.stdout,
            "stderr": self.stderr and not self.tty,
            "error": True,
            "resize": self.tty,
        }
        return frozenset(name for name, is_wanted in wanted.items() if is_wanted)


class Remote(Protocol):
    """One exec or attach, its streams open. Each method has one caller at a time."""

    async def stdin(self) -> bytes:
        """What the client sends next; empty at its end, or where none was asked for."""
        ...

    async def stdout(self, data: bytes) -> None:
        """Show; returns when the client keeps up. Dropped where none was asked for."""
        ...

    async def stderr(self, data: bytes) -> None:
        """As `stdout`."""
        ...

    async def resized(self) -> tuple[int, int]:
        """Wait for the next (columns, rows) of the client's terminal; for ever where it has none."""
        ...

    async def status(self, status: Json) -> None:
        """Tell how it ended, by a v1.Status, and end all streams."""
        ...


async def remote_command(
    request: Request,
    wanted: Streams,
    serve: Callable[[Remote], Awaitable[None]],
    *,
    allowance: Allowance | None = None,
) -> Upgrade | Answer:
    """Agree on a protocol, then have the client served.

    Args:
        request: the client's request.
        wanted: the streams it asks for.
        serve: is cancelled when the client is gone; what it raises ends as status InternalError.
        allowance: for what clients have sent and nobody has read; one of its own where none is given.
    """
    if not (wanted.stdin or wanted.stdout or wanted.stderr):
        text = "you must specify at least 1 of stdin, stdout, stderr"
        return Answer(status=HTTPStatus.BAD_REQUEST, text=text)
    agreed = agree(request, spdy=(V5, V4), websockets=(V5, V4))
    if isinstance(agreed, Answer):
        return agreed
    over = _over_websocket if agreed.over_websocket else _over_spdy
    run = partial(over, agreed=agreed, wanted=wanted, serve=serve, allowance=allowance)
    return Upgrade(agreed.headers, run)


async def _over_spdy(
    duplex: Duplex,
    *,
    agreed: Agreed,
    wanted: Streams,
    serve: Callable[[Remote], Awaitable[None]],
    allowance: Allowance | None,
) -> None:
    connection = SpdyConnection(duplex, Role.SERVER, limits=_LIMITS, allowance=allowance)

    async def work() -> None:
        try:
            async with asyncio.timeout(STREAMS_SECONDS):
                streams = await _opened(connection, wanted)
        except TimeoutError:
            log.warning("client did not open its streams in time", protocol=agreed.protocol)
            return
        await _converse(OpenRemote(streams), serve)

    await connection.serve(work())


async def _opened(connection: SpdyConnection, wanted: Streams) -> Mapping[str, SpdyStream]:
    names = wanted.names()
    found: dict[str, SpdyStream] = {}
    while not names <= found.keys():
        stream = await connection.incoming()
        name = stream.header("streamtype")
        if name in names and name not in found:
            found[name] = stream
            stream.accept()
        else:
            log.warning("client opened a stream that it did not ask for", stream=name[:20])
            stream.reset()
    return found


async def _over_websocket(
    duplex: Duplex,
    *,
    agreed: Agreed,
    wanted: Streams,
    serve: Callable[[Remote], Awaitable[None]],
    allowance: Allowance | None,
) -> None:
    names = wanted.names()
    reads = [CHANNELS.index(name) for name in ("stdin", "resize") if name in names]
    half_close = agreed.protocol == V5
    connection = ChannelConnection(
        duplex, Side.SERVER, reads=reads, half_close=half_close, allowance=allowance
    )

    async def work() -> None:
        streams = {name: connection.channel(CHANNELS.index(name)) for name in names}
        # Tells the client that the connection stands.
        await streams[next(name for name in ("stdout", "stderr", "error") if name in names)].write(b"")
        await _converse(OpenRemote(streams), serve)

    await connection.serve(work())


async def _converse(remote: "OpenRemote", serve: Callable[[Remote], Awaitable[None]]) -> None:
    try:
        await serve(remote)
    except ConnectionEnded:
        raise
    except Exception as error:
        log.exception("session failed")
        await remote.status(_internal_error(f"error executing command in container: {error}"))
    # Without any status a client believes that all went well.
    await remote.status(_internal_error("error executing command in container: its end is not known"))


def _internal_error(reason: str) -> Json:
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"Internal error occurred: {reason}",
        "reason": "InternalError",
        "details": {"causes": [{"message": reason}]},
        "code": int(HTTPStatus.INTERNAL_SERVER_ERROR),
    }


class OpenRemote:
    """A `Remote` over streams of either protocol."""

    def __init__(self, streams: Mapping[str, Stream]) -> None:
        """`streams` by the names of `CHANNELS`; "error" is among them."""
        self._streams = streams
        self._sizes = Sizes()
        self._told = False

    async def stdin(self) -> bytes:
        """What the client sends next; empty at its end, or where none was asked for."""
        stream = self._streams.get("stdin")
        return await _until_cancelled(stream.read()) if stream else b""

    async def stdout(self, data: bytes) -> None:
        """Show; returns when the client keeps up. Dropped where none was asked for."""
        await self._write("stdout", data)

    async def stderr(self, data: bytes) -> None:
        """As `stdout`."""
        await self._write("stderr", data)

    async def resized(self) -> tuple[int, int]:
        """Wait for the next (columns, rows) of the client's terminal; for ever where it has none."""
        stream = self._streams.get("resize")
        while True:
            data = await _until_cancelled(stream.read()) if stream else b""
            if not data:
                await _for_ever()
            if size := self._sizes.feed(data):
                return size

    async def status(self, status: Json) -> None:
        """Tell how it ended, by a v1.Status, and end all streams; only the first counts."""
        if self._told:
            return
        self._told = True
        await self._write("error", msgspec.json.encode(status))
        for stream in self._streams.values():
            await _until_cancelled(stream.close())

    async def _write(self, name: str, data: bytes) -> None:
        stream = self._streams.get(name)
        if stream and data:
            await _until_cancelled(stream.write(data))


async def _until_cancelled(doing: Awaitable[T]) -> T:
    """The connection's end comes to whoever serves it in one way only: as cancellation."""
    try:
        return await doing
    except ConnectionEnded:
        await _for_ever()
        raise


async def _for_ever() -> None:
    await asyncio.Event().wait()
