"""exec and attach over WebSocket v5, for a kubelet that is spoken to in SPDY: one stream for each channel.

https://kubernetes.io/blog/2024/08/20/websockets-transition/
As staging/src/k8s.io/apiserver/pkg/util/proxy/streamtranslator.go: the WebSocket is open before the kubelet
is asked, so whatever goes wrong then is told on the error channel.
"""

import asyncio
import ssl
from typing import Final

import msgspec

from app.local.cluster.streams.exit_statuses import broken, refusal_text, status_of
from app.local.cluster.streams.kubelets import SWITCHING, DialError, Reply, asked
from app.local.cluster.streams.locations import Location
from app.local.cluster.streams.pipes import Pipe
from app.local.cluster.streams.upgrading import UpgradeRequest
from app.local.cluster.streams.web_sockets import WebSocket, accepted
from app.ports.clock import Clock
from app.streaming.spdy.events import Broken, Event, Received, Replied
from app.streaming.spdy.frames import SpdyError
from app.streaming.spdy.session import Role, SpdySession

V5: Final = "v5.channel.k8s.io"
VERSIONS: Final = (V5, "v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io")
VERSION: Final = "X-Stream-Protocol-Version"
_PING_EVERY: Final = 5.0
_STDIN, _STDOUT, _STDERR, _ERROR, _RESIZE, _CLOSE = 0, 1, 2, 3, 4, 255
_NONE: Final = 254
"""A channel that nobody has."""


class _Size(msgspec.Struct, frozen=True, rename="pascal"):
    """A terminal's size."""

    width: int = 0
    height: int = 0


async def translate(
    request: UpgradeRequest, client: Pipe, location: Location, tls: ssl.SSLContext, *, clock: Clock
) -> None:
    """Accept the WebSocket, carry the streams, and say on the error channel how it ended."""
    socket = await accepted(request, client, protocol=V5)
    if socket is None:
        return
    await socket.send(bytes([_first_channel(location.wanted)]))
    status = await _status(socket, location, tls, clock=clock)
    try:
        await socket.send(bytes([_ERROR]) + msgspec.json.encode(status))
    finally:
        await socket.close()


async def _status(
    socket: WebSocket, location: Location, tls: ssl.SSLContext, *, clock: Clock
) -> dict[str, object]:
    try:
        reply, kubelet = await asked(location, tls, method="POST", headers=_headers(location))
    except DialError as why:
        return broken(f'error sending request: Post "https://{location.address}{location.path}": {why}')
    try:
        if reply.status != SWITCHING:
            return broken(f"unable to upgrade connection: {refusal_text(reply.body)}")
        said = await Translation(socket, kubelet, wanted=location.wanted, clock=clock).run()
    finally:
        kubelet.close()
    return status_of(said, version=_version(reply))


def _headers(location: Location) -> list[tuple[str, str]]:
    return [
        ("Host", location.address),
        ("User-Agent", "Go-http-client/1.1"),
        ("Content-Length", "0"),
        ("Connection", "Upgrade"),
        ("Upgrade", "SPDY/3.1"),
        *((VERSION, each) for each in VERSIONS),
    ]


def _version(reply: Reply) -> str:
    return reply.header(VERSION.lower()).strip()


def _first_channel(wanted: frozenset[str]) -> int:
    """The channel that an empty message goes to, as a sign that the connection is there."""
    return _STDOUT if "stdout" in wanted else _STDERR if "stderr" in wanted else _ERROR


class Translation:
    """A WebSocket's channels and a kubelet's SPDY streams; `run` it once."""

    def __init__(self, socket: WebSocket, kubelet: Pipe, *, wanted: frozenset[str], clock: Clock) -> None:
        self._socket = socket
        self._kubelet = kubelet
        self._clock = clock
        self._session = SpdySession(Role.CLIENT)
        self._channels: dict[int, int] = {}
        self._accepted: set[int] = set()
        self._progress = asyncio.Event()
        self._waiting: set[int] = set()
        self._said: list[bytes] = []
        for name, channel in _streams(wanted):
            self._channels[self._session.open([("streamType", name)])] = channel
        self._streams = {channel: stream for stream, channel in self._channels.items()}
        self._waiting = {each for each in (_STDOUT, _STDERR, _ERROR) if each in self._streams}

    async def run(self) -> bytes:
        """Carry both ways until the kubelet has ended what it sends, or the client is gone.

        Returns:
            What the kubelet said on the error stream.
        """
        tasks = {asyncio.create_task(each()) for each in (self._from_kubelet, self._from_client, self._pings)}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return b"".join(self._said)

    async def _from_kubelet(self) -> None:
        try:
            await self._flush()
            while self._waiting and (data := await self._kubelet.read()):
                for event in self._session.receive(data):
                    await self._hear(event)
                await self._flush()
        except (OSError, SpdyError):
            return  # whoever breaks off has ended every stream

    async def _hear(self, event: Event) -> None:
        match event:
            case Replied():
                self._accepted.add(event.stream)
                self._progress.set()
            case Received():
                await self._deliver(self._channels.get(event.stream, _CLOSE), event.data)
                if event.ended:
                    self._waiting.discard(self._channels.get(event.stream, _CLOSE))
            case Broken():
                self._waiting.discard(self._channels.get(event.stream, _CLOSE))
            case _:
                return

    async def _deliver(self, channel: int, data: bytes) -> None:
        if channel == _ERROR:
            self._said.append(data)
        elif data and channel in {_STDOUT, _STDERR}:
            await self._socket.send(bytes([channel]) + data)

    async def _from_client(self) -> None:
        await self._all_accepted()
        try:
            channel = _NONE
            async for piece in self._socket.pieces():
                data = piece.data
                if piece.first:
                    channel, data = data[0] if data else _NONE, data[1:]
                self._obey(channel, data)
                await self._flush()
            self._obey(_CLOSE, bytes([_STDIN]))
            await self._flush()
        except OSError:
            return  # the kubelet broke off

    async def _all_accepted(self) -> None:
        """Wait until the kubelet has accepted each stream: what comes before, it drops."""
        while len(self._accepted) < len(self._channels):
            self._progress.clear()
            await self._progress.wait()

    def _obey(self, channel: int, data: bytes) -> None:
        if channel == _STDIN and _STDIN in self._streams:
            self._session.send(self._streams[_STDIN], data)
        elif channel == _RESIZE and _RESIZE in self._streams:
            self._session.send(self._streams[_RESIZE], _resized(data))
        elif channel == _CLOSE and data == bytes([_STDIN]) and _STDIN in self._streams:
            self._session.send(self._streams[_STDIN], b"", ended=True)

    async def _pings(self) -> None:
        try:
            while True:
                await self._clock.sleep(_PING_EVERY)
                self._session.ping()
                await self._flush()
        except OSError:
            return  # the kubelet broke off

    async def _flush(self) -> None:
        data = self._session.data_to_send()
        if data:
            await self._kubelet.write(data)


def _streams(wanted: frozenset[str]) -> list[tuple[str, int]]:
    """The streams in the order they are opened, and their channels; a terminal has no stderr."""
    has_terminal = "tty" in wanted
    asked_for = {
        "error": True,
        "stdin": "stdin" in wanted,
        "stdout": "stdout" in wanted,
        "stderr": "stderr" in wanted and not has_terminal,
        "resize": has_terminal,
    }
    channels = {"stdin": _STDIN, "stdout": _STDOUT, "stderr": _STDERR, "error": _ERROR, "resize": _RESIZE}
    return [(name, channels[name]) for name, is_wanted in asked_for.items() if is_wanted]


def _resized(data: bytes) -> bytes:
    """A size in the API server's own words; nothing where it is none."""
    try:
        return msgspec.json.encode(msgspec.json.decode(data, type=_Size)) + b"\n"
    except (msgspec.DecodeError, msgspec.ValidationError):
        return b""
