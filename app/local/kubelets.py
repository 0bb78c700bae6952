"""Nodes without machines: registered, kept Ready, and their pods reported as running, through the ports only.

They stand in for a cluster's real nodes, on the embedded and on a real control plane alike. Nothing runs:
a pod "runs" until it is deleted, or for as many seconds as its annotation says.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Final

from app.local.kubelet_objects import (
    FakeNode,
    ended,
    node_manifest,
    require_quantities,
    run_seconds,
    running,
    says_ready,
    status_manifest,
)
from app.model.names import PodUid
from app.model.node import Node, is_ready
from app.model.pod import Pod, is_terminal
from app.model.wire import Json
from app.ports.clock import Clock
from app.ports.failures import Conflict, NotFound, PortFailure, Refused
from app.ports.kubernetes import Leases, Nodes, Pods
from app.ports.watched import Watched
from app.telemetry import logs

__all__ = ["FakeKubelets", "FakeNode"]

MANAGER: Final = "fake-kubelet"

_LEASES: Final = "kube-node-lease"
_HEARTBEAT: Final = 10.0
_LEASE_SECONDS: Final = 40
_START_TAKES: Final = 0.2
_RETRY: Final = 1.0

log = logs.get(__name__)


class FakeKubelets:
    """The kubelets of all fake nodes."""

    def __init__(
        self,
        nodes: tuple[FakeNode, ...],
        *,
        nodes_api: Nodes,
        pods_api: Pods,
        leases: Leases,
        pods: Watched[Pod],
        clock: Clock,
    ) -> None:
        """Nothing is registered yet; `pods` must be run by whoever made it.

        Raises:
            ValueError: a node's cpu or memory is no quantity.
        """
        for node in nodes:
            require_quantities(node)
        self._nodes = {node.name: node for node in nodes}
        self._nodes_api = nodes_api
        self._pods_api = pods_api
        self._leases = leases
        self._pods = pods
        self._clock = clock
        self._addresses = itertools.count(1)
        self._lives: dict[PodUid, asyncio.Task[None]] = {}
        self._ending: set[PodUid] = set()

    async def run(self) -> None:
        """Register the nodes and serve them until cancelled; the Nodes stay behind."""
        self._pods.on_change(self._see)
        try:
            async with asyncio.TaskGroup() as group:
                for node in self._nodes.values():
                    group.create_task(self._keep_ready(node))
                await self._pods.synced()
                for pod in self._pods.all():
                    self._see(None, pod)
        finally:
            for life in self._lives.values():
                life.cancel()

    async def _keep_ready(self, fake: FakeNode) -> None:
        trouble = ""
        while True:
            try:
                await self._heartbeat(fake)
            except PortFailure as failure:  # the next heartbeat tries again, as a kubelet does
                if str(failure) != trouble:
                    log.warning("a heartbeat failed", node=fake.name, error=str(failure))
                trouble = str(failure)
            else:
                trouble = ""
            await self._clock.sleep(_HEARTBEAT)

    async def _heartbeat(self, fake: FakeNode) -> None:
        try:
            node = await self._nodes_api.get(fake.name)
        except NotFound:
            node = await self._register(fake)
        if not is_ready(node):
            node = await self._nodes_api.apply_status(
                status_manifest(fake, now=self._clock.now()), manager=MANAGER
            )
        await self._leases.renew(_LEASES, fake.name, holder=fake.name, seconds=_LEASE_SECONDS, owner=node)

    async def _register(self, fake: FakeNode) -> Node:
        try:
            return await self._nodes_api.create(node_manifest(fake))
        except Conflict:
            return await self._nodes_api.get(fake.name)

    def _see(self, before: Pod | None, after: Pod | None) -> None:
        pod = after or before
        if pod is None or pod.spec.node_name not in self._nodes:
            return
        if after is None:
            self._forget(pod.uid)
        elif after.metadata.deletion_timestamp is not None:
            self._end(after)
        elif not is_terminal(after) and self._is_news(before, after):
            self._forget(pod.uid)
            self._begin(pod.uid, self._live(after))

    def _is_news(self, before: Pod | None, after: Pod) -> bool:
        """A pod that was not here before, or one that somebody else declared unready: it is told anew."""
        if after.uid not in self._lives:
            return True
        return before is not None and says_ready(before) and not says_ready(after)

    def _begin(self, uid: PodUid, work: Coroutine[None, None, None]) -> None:
        self._lives[uid] = asyncio.get_running_loop().create_task(work)

    def _end(self, pod: Pod) -> None:
        if pod.uid in self._ending:
            return
        self._forget(pod.uid)
        self._ending.add(pod.uid)
        self._begin(pod.uid, self._die(pod))

    def _forget(self, uid: PodUid) -> None:
        self._ending.discard(uid)
        life = self._lives.pop(uid, None)
        if life is not None:
            life.cancel()

    async def _live(self, pod: Pod) -> None:
        started = pod.status.start_time
        if pod.status.phase != "Running" or started is None:
            await self._clock.sleep(_START_TAKES)
            started = self._clock.now()
        if not says_ready(pod):
            address = pod.status.pod_ip or self._address()
            status = running(pod, started=started, now=self._clock.now(), address=address)
            await self._report(pod, status)
        seconds = run_seconds(pod)
        if seconds is not None:
            left = started + timedelta(seconds=seconds) - self._clock.now()
            await self._clock.sleep(left.total_seconds())
            await self._report(pod, ended(pod, began=started, now=self._clock.now()))

    async def _die(self, pod: Pod) -> None:
        if not is_terminal(pod):
            now = self._clock.now()
            await self._report(pod, ended(pod, began=pod.status.start_time or now, now=now))
        await self._insist(lambda: self._pods_api.remove(pod))

    async def _report(self, pod: Pod, status: dict[str, Json]) -> None:
        await self._insist(lambda: self._pods_api.set_status(pod, status))

    async def _insist(self, call: Callable[[], Awaitable[object]]) -> None:
        while True:
            try:
                await call()
            except (NotFound, Conflict, Refused):
                return  # the pod is gone, or the API server will never take this
            except PortFailure:
                await self._clock.sleep(_RETRY)
            else:
                return

    def _address(self) -> str:
        number = next(self._addresses)
        return f"10.1.{number // 250 % 250}.{number % 250 + 1}"
