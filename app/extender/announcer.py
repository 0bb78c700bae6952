"""Tells people why a pod does not burst, or not yet: one Event for each new answer, at a gentle pace."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from app.extender.decision.decisions import Burst, Decision, Refuse, Wait, WouldBurst
from app.extender.metrics import GateMetrics
from app.fargate.prices import Cost
from app.model.names import PodUid
from app.model.node import Node
from app.model.pod import Pod
from app.model.reason import Reason, joined
from app.ports.clock import Clock
from app.ports.kubernetes import Events
from app.telemetry import logs

_log = logs.get(__name__)

REFUSED: Final = "OverflowRefused"
WAITING: Final = "OverflowWaiting"
WOULD_BURST: Final = "WouldBurst"
"""Reasons of the Events."""

_EVENTS: Final = {"refuse": REFUSED, "wait": WAITING, "would-burst": WOULD_BURST}
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
        self._faults: dict[str, Reason] = {}
        self._queue: dict[str, tuple[Pod | Node, str, str]] = {}
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
                case WouldBurst(pod, node, cost):
                    self._note("would-burst", pod, (_would_burst(node, cost),))
                case Wait(pod):
                    self._note("wait", pod, decision.reasons)
                case Refuse(pod, reasons):
                    self._note("refuse", pod, reasons)

    def take_faults(self, faults: Mapping[str, tuple[Node, Reason]]) -> None:
        """Queue what is newly wrong with what people wrote on nodes, by name."""
        for name, (node, fault) in faults.items():
            if self._faults.get(name) != fault:
                _log.warning(fault.message, node=name)
                self._queue[name] = (node, fault.code, fault.message)
                self._filled.set()
        self._faults = {name: fault for name, (_, fault) in faults.items()}

    async def run(self) -> None:
        """Write the queued Events one after the other until cancelled."""
        while True:
            await self._filled.wait()
            while self._queue:
                about, reason, message = self._queue.pop(next(iter(self._queue)))
                quiet = reason in {WAITING, WOULD_BURST}
                await self._events.record(about, reason=reason, message=message, warning=not quiet)
                await self._clock.sleep(_PAUSE)
            self._filled.clear()

    def _note(self, kind: str, pod: Pod, reasons: tuple[Reason, ...]) -> None:
        said = (kind, tuple(str(each) for each in reasons))
        if self._told.get(pod.uid) == said:
            return
        self._told[pod.uid] = said
        self._count(kind, reasons)
        self._queue[pod.uid] = (pod, _EVENTS[kind], joined(reasons))
        self._filled.set()

    def _count(self, kind: str, reasons: tuple[Reason, ...]) -> None:
        for code in [each.code for each in reasons] or [""]:
            self._metrics.decisions.labels(kind, code).inc()


def _would_burst(node: str, cost: Cost | None) -> Reason:
    size = "at an unknown price"
    if cost is not None:
        size = f"as {cost.vcpu:g} vCPU with {cost.memory_mib} MiB, for ${cost.hourly:.4f} an hour"
    return Reason(
        "Observed", f"would have burst to {node} {size}; the gate only observes, and grants nothing"
    )
