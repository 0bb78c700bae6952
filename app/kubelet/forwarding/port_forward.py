"""`/portForward/…`: a client's connection, and in it as many connections to a pod's ports as it opens."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, Final

import msgspec

from app.kubelet.forwarding.forwarder import Dial, Forwarder, Target, dial
from app.kubelet.forwarding.pairs import Pair, Pairs
from app.kubelet.forwarding.ports import ports_of
from app.kubelet.lifetime import Over, alongside, until_over
from app.kubelet.messages import Answer, Duplex, Request, Upgrade
from app.kubelet.streaming.negotiation import Agreed, agree
from app.ports.clock import Clock
from app.ports.containers import Containers
from app.ports.failures import NotFound, PortFailure
from app.streaming.connections.allowance import Allowance
from app.streaming.connections.channels import ChannelConnection, Tunnel
from app.streaming.connections.spdy import SpdyConnection, SpdyStream
from app.streaming.spdy.session import Role
from app.streaming.transport import ConnectionEnded, Stream
from app.streaming.websocket import Side
from app.telemetry import logs

SPDY_PROTOCOL: Final = "portforward.k8s.io"
TUNNEL_PROTOCOL: Final = "SPDY/3.1+portforward.k8s.io"
"""The same, in the binary messages of a WebSocket."""

CHANNELS_PROTOCOL: Final = "v4.channel.k8s.io"
"""A pair of channels for each port in the query, once."""

PAIR_SECONDS: Final = 30.0
"""Until the second stream of a pair must have been opened."""

log = logs.get(__name__)


_Way = Callable[[Duplex, "Pod"], Awaitable[None]]


class Pod(msgspec.Struct, frozen=True, kw_only=True):
    """The pod that a client forwards to."""

    namespace: str
    name: str
    address: str

    def target(self, port: int) -> Target:
        """One of its ports."""
        return Target(pod=self.name, address=self.address, port=port)


class PortForward:
    """Serves `kubectl port-forward` from the addresses of pods' tasks."""

    def __init__(self, containers: Containers, *, clock: Clock, dial: Dial = dial) -> None:
        self._containers = containers
        self._clock = clock
        self._allowance = Allowance()
        self._forwarder = Forwarder(clock=clock, dial=dial)

    async def answer(self, request: Request, namespace: str, pod: str, query: str) -> Answer | Upgrade:
        """An upgrade, or why not: 404 for a pod that is not here, 400 and 403 in the kubelet's words."""
        try:
            found = Pod(namespace=namespace, name=pod, address=self._containers.address(namespace, pod))
        except NotFound as missing:
            return Answer(status=HTTPStatus.NOT_FOUND, text=str(missing))
        except PortFailure as failure:
            return Answer(status=HTTPStatus.BAD_REQUEST, text=str(failure))
        agreed = agree(request, spdy=(SPDY_PROTOCOL,), websockets=(TUNNEL_PROTOCOL, CHANNELS_PROTOCOL))
        return agreed if isinstance(agreed, Answer) else self._upgrade(agreed, found, query)

    def _upgrade(self, agreed: Agreed, pod: Pod, query: str) -> Answer | Upgrade:
        if not agreed.over_websocket:
            return Upgrade(agreed.headers, partial(self._run, self._over_spdy, pod))
        if agreed.protocol == TUNNEL_PROTOCOL:
            return Upgrade(agreed.headers, partial(self._run, self._through_tunnel, pod))
        ports = ports_of(query)
        if isinstance(ports, Answer):
            return ports
        return Upgrade(agreed.headers, partial(self._run, partial(self._over_channels, ports), pod))

    async def _run(self, way: _Way, pod: Pod, duplex: Duplex) -> None:
        """Clients take the connection's end for the pod's: kubectl says that it lost it, and fails."""
        try:
            await way(duplex, pod)
        except Over as end:
            log.info("port-forward ended", pod=f"{pod.namespace}/{pod.name}", reason=str(end))

    async def _while_it_runs(self, work: Coroutine[Any, Any, None], pod: Pod) -> None:
        # Nothing is heard any more of connections whose other end was a task that has stopped.
        look = partial(self._containers.moved, pod.namespace, pod.name, pod.address)
        await alongside(work, until_over(look, clock=self._clock, grace=0.0))

    async def _through_tunnel(self, duplex: Duplex, pod: Pod) -> None:
        tunnel = Tunnel(duplex, Side.SERVER, allowance=self._allowance)
        await tunnel.serve(self._over_spdy(tunnel, pod))

    async def _over_spdy(self, duplex: Duplex, pod: Pod) -> None:
        connection = SpdyConnection(duplex, Role.SERVER, allowance=self._allowance)
        await connection.serve(self._while_it_runs(self._forward_pairs(connection, pod), pod))

    async def _forward_pairs(self, connection: SpdyConnection, pod: Pod) -> None:
        pairs: Pairs[SpdyStream] = Pairs()
        expiring: dict[str, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as tasks:
            while True:
                stream = await connection.incoming()
                pair = pairs.add(stream)
                if pair is None:
                    log.debug("client opened a stream that makes no sense", stream=stream.number)
                    stream.reset()
                    continue
                stream.accept()
                if pair.data and pair.error:
                    _cancel(expiring, pair.request)
                    tasks.create_task(self._forward(pod.target(pair.port), pair.data, pair.error))
                else:
                    expiring[pair.request] = tasks.create_task(self._expire(pairs, pair, expiring))

    async def _expire(
        self, pairs: Pairs[SpdyStream], pair: Pair[SpdyStream], expiring: dict[str, asyncio.Task[None]]
    ) -> None:
        await self._clock.sleep(PAIR_SECONDS)
        pairs.give_up(pair)
        del expiring[pair.request]
        if pair.error:
            await pair.error.write(b"timed out waiting for streams")
            await pair.error.close()
        for stream in (pair.data, pair.error):
            if stream:
                stream.reset()

    async def _forward(self, target: Target, data: SpdyStream, error: SpdyStream) -> None:
        try:
            await self._forward_one(target, data, error)
        finally:
            # Nothing where both sides have ended them.
            data.reset()
            error.reset()

    async def _forward_one(self, target: Target, data: Stream, error: Stream) -> None:
        try:
            await self._forwarder.forward(target, data=data, error=error)
        except ConnectionEnded as ended:
            log.debug("client is gone", reason=str(ended))
        except Exception:
            # Whatever went wrong with one connection must not end the others.
            log.exception("forwarding failed", pod=target.pod, port=target.port)

    async def _over_channels(self, ports: tuple[int, ...], duplex: Duplex, pod: Pod) -> None:
        channels = {2 * index: port for index, port in enumerate(ports)}
        connection = ChannelConnection(duplex, Side.SERVER, reads=channels, allowance=self._allowance)
        work = self._forward_channels(connection, pod, channels)
        await connection.serve(self._while_it_runs(work, pod))

    async def _forward_channels(
        self, connection: ChannelConnection, pod: Pod, channels: Mapping[int, int]
    ) -> None:
        async with asyncio.TaskGroup() as tasks:
            for number, port in channels.items():
                data, error = connection.channel(number), connection.channel(number + 1)
                for channel in (data, error):
                    await channel.write(port.to_bytes(2, "little"))
                tasks.create_task(self._forward_one(pod.target(port), data, error))


def _cancel(expiring: dict[str, asyncio.Task[None]], request: str) -> None:
    waiting = expiring.pop(request, None)
    if waiting:
        waiting.cancel()
