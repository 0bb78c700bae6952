"""Adds the toleration to granted pods, where no scheduler asks the extender (`actuator: toleration`).

A toleration cannot be taken back, only the room can. So it comes last: a pod gets it when its grant and its
room are written on the node, and only while the grant stands.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from datetime import datetime
from typing import Any, Final

import msgspec

from app.extender.metrics import GateMetrics
from app.model.actuator import OUR_TOLERATION, tolerates_virtual_nodes
from app.model.grant import Grant
from app.model.names import PodUid
from app.model.pod import Pod
from app.ports.clock import Clock
from app.ports.failures import NotFound, PortFailure
from app.ports.kubernetes import PendingPods
from app.telemetry import logs
from app.timing import backoff
from app.timing.waiting import within

_log = logs.get(__name__)

_FIRST_BACKOFF: Final = 0.05
_LONGEST_BACKOFF: Final = 5.0

Granted = tuple[Pod, Grant]
"""A pod without a node, and its grant, as they stand written on the virtual node."""


_Due = tuple[Pod, datetime]
"""A pod that lacks the toleration, and when its grant ends."""


class TolerationPace(msgspec.Struct, frozen=True, kw_only=True):
    """How fast pods are patched.

    Attributes:
        at_once: patches under way at a time: a storm of grants must not take the API server from others.
        timeout: seconds for one request.
    """

    at_once: int = 8
    timeout: float = 5.0


_PACE: Final = TolerationPace()


class Tolerator:
    """Brings each granted pod its toleration, once.

    It keeps nothing that matters: who lacks the toleration is seen on the pods, each time anew.

    Args:
        pods: where it reads and writes.
        clock: time.
        metrics: counts what became of each.
        leads: whether the Lease is surely ours.
        pace: how fast.
    """

    def __init__(
        self,
        pods: PendingPods,
        *,
        clock: Clock,
        metrics: GateMetrics,
        leads: Callable[[], bool] = lambda: True,
        pace: TolerationPace = _PACE,
    ) -> None:
        self._pods = pods
        self._clock = clock
        self._metrics = metrics
        self._leads = leads
        self._pace = pace
        self._due: dict[PodUid, _Due] = {}
        self._busy: set[PodUid] = set()
        self._done: set[PodUid] = set()
        self._slots = asyncio.Semaphore(pace.at_once)
        self._changed = asyncio.Event()

    def take(self, granted: Iterable[Granted]) -> None:
        """Who holds a grant now; everybody else's turn is over, also for what is under way."""
        self._due = {
            pod.uid: (pod, grant.expires) for pod, grant in granted if not tolerates_virtual_nodes(pod)
        }
        # The watch may show a pod as it was before our patch: that one is not due again.
        self._done &= self._due.keys()
        self._changed.set()

    async def run(self) -> None:
        """Work until cancelled."""
        self._due, self._busy, self._done = {}, set(), set()
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._changed.wait()
                self._changed.clear()
                for uid in self._due.keys() - self._busy - self._done:
                    self._busy.add(uid)
                    tasks.create_task(self._bring(uid))

    async def _bring(self, uid: PodUid) -> None:
        """Try until the pod has it, or its grant no longer stands."""
        failures = 0
        while (pod := self._due_now(uid)) is not None and uid not in self._done:
            try:
                async with self._slots:
                    await self._try(pod, again=failures > 0)
            except NotFound:
                self._finish(uid, "gone")
            except PortFailure as error:
                failures += 1
                self._metrics.tolerations.labels("failed").inc()
                _log.warning("toleration not added, tried again", pod=pod.key, error=str(error))
            # One leader adds tolerations, so that there is nobody to keep out of step with.
            pause = backoff.delay(failures, first=_FIRST_BACKOFF, longest=_LONGEST_BACKOFF, jitter=1.0)
            await self._clock.sleep(pause)
        self._busy.discard(uid)

    def _due_now(self, uid: PodUid) -> Pod | None:
        pod, expires = self._due.get(uid, (None, None))
        if expires is None or self._clock.now() >= expires or not self._leads():
            return None
        return pod

    async def _try(self, pod: Pod, *, again: bool) -> None:
        """One try. What a failed one left behind is unknown, or the pod has changed: then look first."""
        uid = pod.uid
        if again:
            pod = await self._asked(self._pods.get(pod.metadata.namespace, pod.metadata.name))
            if pod.uid != uid:
                self._finish(uid, "gone")
                return
            if pod.spec.node_name or tolerates_virtual_nodes(pod):
                self._finish(uid, "needless")
                return
        if self._due_now(uid) is not None:
            await self._asked(self._pods.tolerate(pod, OUR_TOLERATION))
            self._finish(uid, "added")
            _log.info("toleration added", pod=pod.key)

    def _finish(self, uid: PodUid, outcome: str) -> None:
        self._done.add(uid)
        self._metrics.tolerations.labels(outcome).inc()

    async def _asked(self, request: Coroutine[Any, Any, Pod]) -> Pod:
        return await within(self._clock, self._pace.timeout, request)
