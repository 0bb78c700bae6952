"""A pod on the loopback, programs in it, and kubectl's side of a forwarded connection."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from app.kubelet.forwarding.port_forward import SPDY_PROTOCOL, TUNNEL_PROTOCOL, PortForward
from app.kubelet.messages import Request, Upgrade
from app.model.pod import Pod
from app.ports.containers import Running
from app.ports.failures import NotFound, Refused
from app.streaming.connections.channels import Tunnel
from app.streaming.connections.spdy import SpdyConnection, SpdyStream
from app.streaming.spdy.session import Role
from app.streaming.transport import Duplex
from app.streaming.websocket import Side
from tests.fakes import VirtualClock, settle
from tests.kubelet.streaming.requests import over_spdy, over_websocket
from tests.streaming.fakes import duplexes

Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
NOWHERE = 1
"""A port of the loopback on which nothing listens."""


class OnePod:
    """shop/web-1 stands on the loopback, shop/web-2 has no address yet (app.ports.containers.Containers)."""

    end = ""

    def running(self, namespace: str, pod: str, container: str) -> Running:
        raise NotFound(f'pod "{pod}" does not exist')

    def over(self, namespace: str, pod: str, where: Running) -> str:
        return ""

    def address(self, namespace: str, pod: str) -> str:
        match pod:
            case "web-1":
                return "127.0.0.1"
            case "web-2":
                raise Refused('pod "web-2" has no address yet')
            case _:
                raise NotFound(f'pod "{pod}" does not exist')

    def moved(self, namespace: str, pod: str, address: str) -> str:
        return self.end

    def pods(self) -> Sequence[Pod]:
        return ()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1000):
        writer.write(data)
        await writer.drain()
    writer.close()


async def greet_and_close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"hello")
    writer.close()


async def listen_for_ever(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.transport.abort()


class Client:
    """kubectl's side, and the programs in the pod."""

    def __init__(self) -> None:
        self.duplex, self.server_end = duplexes()
        self.clock = VirtualClock()
        self.pod = OnePod()
        self.forward = PortForward(self.pod, clock=self.clock)
        self.tasks: list[asyncio.Future[None]] = []
        self.programs: list[asyncio.Server] = []
        self.handling: list[asyncio.Future[None]] = []
        self.requests = 0

    async def listen(self, handle: Handle) -> int:
        async def handled(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.handling.append(asyncio.ensure_future(handle(reader, writer)))
            await asyncio.gather(self.handling[-1], return_exceptions=True)
            writer.close()

        program = await asyncio.start_server(handled, "127.0.0.1", 0)
        self.programs.append(program)
        return int(program.sockets[0].getsockname()[1])

    async def start(self, request: Request, query: str = "") -> None:
        upgrade = await self.forward.answer(request, "shop", "web-1", query)
        assert isinstance(upgrade, Upgrade)
        self.serving = asyncio.ensure_future(upgrade.run(self.server_end))

    async def spdy(self, *, tunnel: bool = False) -> SpdyConnection:
        await self.start(over_websocket(TUNNEL_PROTOCOL) if tunnel else over_spdy(SPDY_PROTOCOL))
        connection = SpdyConnection(self._tunnelled() if tunnel else self.duplex, Role.CLIENT)
        self.tasks.append(asyncio.ensure_future(connection.run()))
        return connection

    def _tunnelled(self) -> Duplex:
        tunnel = Tunnel(self.duplex, Side.CLIENT)
        self.tasks.append(asyncio.ensure_future(tunnel.run()))
        return tunnel

    async def pair(self, connection: SpdyConnection, port: int) -> tuple[SpdyStream, SpdyStream]:
        """The data and the error stream of a new connection, as kubectl opens them."""
        self.requests += 1
        common = (("port", str(port)), ("requestid", str(self.requests)))
        error = await connection.open((("streamtype", "error"), *common))
        await error.close()
        return await connection.open((("streamtype", "data"), *common)), error

    async def finish(self) -> None:
        self.duplex.close()
        if hasattr(self, "serving"):
            async with asyncio.timeout(30):
                await self.serving
        for program in self.programs:
            program.close()
        tasks = [*self.tasks, *self.handling]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await settle()
