"""Tells people why a pod does not burst, or not yet: one Event for each new answer, at a gentle pace."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from app.extender.decision.decisions import Burst, Decision, Refuse, Wait, WouldBurst
from app.extender.metrics import GateMetrics
from app.extender.notices import Notice, Notices
from app.fargate.prices import Cost
from app.model.names import PodUid
from app.model.node import Node
from app.model.pod import Pod
from app.model.reason import Reason
from app.ports.clock import Clock
from app.ports.kubernetes import Events
from app.telemetry import logs
from app.timing.waiting import first_of

_log = logs.get(__name__)

REFUSED: Final = "OverflowRefused"
WAITING: Final = "OverflowWaiting"
WOULD_BURST: Final = "WouldBurst"
"""Reasons of the Events."""

_EVENTS: Final = {"refuse": REFUSED, "wait": WAITING, "would-burst": WOULD_BURST}
_PAUSE: Final = 0.1
"""Seconds between two Events: a storm of refusals must not take the API server from the grants."""

_LONGEST_REASON: Final = 300
"""Characters of one reason: some quote what tenants wrote, and every reason is to be read."""


class Announcer:
    """Remembers what each pod was told last, and tells what is new; what could not be written comes again.

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
        self._notices = Notices()
        self._filled = asyncio.Event()

    def take(self, decisions: Iterable[Decision], *, alive: Collection[PodUid]) -> None:
        """Queue what is new among the decisions; forget pods that are no longer without a node."""
        for uid in self._told.keys() - alive:
            del self._told[uid]
            self._notices.drop(uid)
        for decision in decisions:
            match decision:
                case Burst(pod):
                    self._count("burst", ())
                    self._notices.drop(pod.uid)
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
                self._put(name, Notice(node, fault.code, fault.message))
        self._faults = {name: fault for name, (_, fault) in faults.items()}

    async def run(self) -> None:
        """Write the queued Events one after the other until cancelled."""
        while True:
            self._filled.clear()
            found = self._notices.take(self._clock.steady())
            if found is None:
                await self._until_due()
                continue
            await self._tell(*found)
            await self._clock.sleep(_PAUSE)

    async def _tell(self, key: str, notice: Notice) -> None:
        quiet = notice.reason in {WAITING, WOULD_BURST}
        written = await self._events.record(
            notice.about, reason=notice.reason, message=notice.message, warning=not quiet
        )
        if written is False:
            self._notices.failed(key, notice, self._clock.steady())

    async def _until_due(self) -> None:
        due = self._notices.next_due()
        if due is None:
            await self._filled.wait()
        else:
            await first_of(self._clock.sleep(due - self._clock.steady()), self._filled)

    def _note(self, kind: str, pod: Pod, reasons: tuple[Reason, ...]) -> None:
        words = tuple(_short(str(each)) for each in reasons)
        if self._told.get(pod.uid) == (kind, words):
            return
        self._told[pod.uid] = (kind, words)
        self._count(kind, reasons)
        self._put(pod.uid, Notice(pod, _EVENTS[kind], "; ".join(words)))

    def _put(self, key: str, notice: Notice) -> None:
        self._notices.put(key, notice)
        self._filled.set()

    def _count(self, kind: str, reasons: tuple[Reason, ...]) -> None:
        for code in [each.code for each in reasons] or [""]:
            self._metrics.decisions.labels(kind, code).inc()


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_REASON else f"{text[: _LONGEST_REASON - 1]}…"


def _would_burst(node: str, cost: Cost | None) -> Reason:
    size = "at an unknown price"
    if cost is not None:
        size = f"as {cost.vcpu:g} vCPU with {cost.memory_mib} MiB, for ${cost.hourly:.4f} an hour"
    return Reason(
        "Observed", f"would have burst to {node} {size}; the gate only observes, and grants nothing"
    )
