"""Tells people why a pod does not burst, or not yet: one Event for each new answer, at a gentle pace."""

import asyncio
from collections.abc import Collection, Iterable
from typing import Final

from app.extender.decisions import Burst, Decision, Refuse, Wait
from app.extender.metrics import GateMetrics
from app.model.names import PodUid
from app.model.pod import Pod
from app.model.reason import Reason, joined
from app.ports.clock import Clock
from app.ports.kubernetes import Events

REFUSED: Final = "OverflowRefused"
WAITING: Final = "OverflowWaiting"
"""Reasons of the Events."""

_PAUSE: Final = 0.1
"""Seconds between two Events: a storm of refusals must not take the API server from the grants."""


class Announcer:
    """Remembers what each pod was told last, and tells what is new.

    Args:
        events: where people read it.
        clock: sets the pace.
        metrics: counts each new decision.
    """

    def __init__(self, events: Events, *, clock: Clock, metrics: GateMetrics) -> None:
        self._events = events
        self._clock = clock
        self._metrics = metrics
        self._told: dict[PodUid, tuple[str, tuple[str, ...]]] = {}
        self._queue: dict[PodUid, tuple[Pod, str, str]] = {}
        self._filled = asyncio.Event()

    def take(self, decisions: Iterable[Decision], *, alive: Collection[PodUid]) -> None:
        """Queue what is new among the decisions; forget pods that are no longer without a node."""
        for uid in self._told.keys() - alive:
            del self._told[uid]
            self._queue.pop(uid, None)
        for decision in decisions:
            match decision:
                case Burst(pod):
                    self._count("burst", ())
                    self._queue.pop(pod.uid, None)
                    self._told.pop(pod.uid, None)
                case Wait(pod, reason):
                    self._note("wait", pod, (reason,))
                case Refuse(pod, reasons):
                    self._note("refuse", pod, reasons)

    async def run(self) -> None:
        """Write the queued Events one after the other until cancelled."""
        while True:
            await self._filled.wait()
            while self._queue:
                pod, reason, message = self._queue.pop(next(iter(self._queue)))
                await self._events.record(pod, reason=reason, message=message, warning=reason == REFUSED)
                await self._clock.sleep(_PAUSE)
            self._filled.clear()

    def _note(self, kind: str, pod: Pod, reasons: tuple[Reason, ...]) -> None:
        said = (kind, tuple(str(each) for each in reasons))
        if self._told.get(pod.uid) == said:
            return
        self._told[pod.uid] = said
        self._count(kind, reasons)
        reason = REFUSED if kind == "refuse" else WAITING
        self._queue[pod.uid] = (pod, reason, joined(reasons))
        self._filled.set()

    def _count(self, kind: str, reasons: tuple[Reason, ...]) -> None:
        for code in [each.code for each in reasons] or [""]:
            self._metrics.decisions.labels(kind, code).inc()
