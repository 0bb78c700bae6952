"""When each pod was granted a place, and when it was bound, as watches show it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from app.model.grant import read_grants
from app.model.names import PodUid
from app.model.node import Node, is_virtual
from app.model.pod import Pod
from app.timing.waiting import cancelled
from app.wiring import kubernetes
from app.wiring.clock import SystemClock
from tests.system.actors import Actors

Moments = dict[PodUid, float]


class Stopwatch:
    """Times by pod, on one steady clock."""

    def __init__(self) -> None:
        self._clock = SystemClock()
        self._granted: Moments = {}
        self._bound: Moments = {}

    def seconds(self) -> list[float]:
        """For each pod that was granted a place, how long it took from there to its binding, in order."""
        return sorted(self._bound[uid] - granted for uid, granted in self._granted.items())

    def see_node(self, before: Node | None, after: Node | None) -> None:
        """Note who is granted a place."""
        if after is not None and is_virtual(after):
            for grant in read_grants(after.metadata.annotations):
                self._granted.setdefault(grant.uid, self._clock.steady())

    def see_pod(self, before: Pod | None, after: Pod | None) -> None:
        """Note who is bound."""
        if after is not None and after.spec.node_name:
            self._bound.setdefault(after.uid, self._clock.steady())


@contextlib.asynccontextmanager
async def stopwatch(actors: Actors) -> AsyncIterator[Stopwatch]:
    """Runs from the moment that both watches have begun."""
    watch = Stopwatch()
    parts = kubernetes.parts(actors.stack.connection, clock=SystemClock(), component="stopwatch")
    nodes, pods = parts.watch_nodes(), parts.watch_pods()
    nodes.on_change(watch.see_node)
    pods.on_change(watch.see_pod)
    running = [asyncio.create_task(nodes.run()), asyncio.create_task(pods.run())]
    try:
        await nodes.synced()
        await pods.synced()
        yield watch
    finally:
        await cancelled(*running)
