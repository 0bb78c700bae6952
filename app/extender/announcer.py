"""Tells people why a pod bursts or does not, or not yet: one Event for each new answer, at a gentle pace."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from app.extender.decision.decisions import Burst, Decision, Refuse, Wait, WouldBurst
from app.extender.decision.telling import BURSTING, OVERFLOW_WAITING, WOULD_BURST, event_of, told
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

_QUIET: Final = frozenset({OVERFLOW_WAITING, WOULD_BURST, BURSTING})
"""Events that are no warnings."""

_PAUSE: Final = 0.1
"""Seconds between two Events: a storm of refusals must not take the API server from the grants."""

_MOST_BURSTS: Final = 1000
"""Bursts that wait to be told; of more at once the first are, since a whole storm has one cause."""


Words = Callable[[], str]


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
        self._told: dict[PodUid, tuple[str, str]] = {}
        self._bursts: dict[PodUid, tuple[Pod, Words]] = {}
        self._faults: dict[str, Reason] = {}
        self._notices = Notices()
        self._filled = asyncio.Event()

    def take(
        self,
        decisions: Iterable[Decision],
        *,
        alive: Collection[PodUid],
        why: Callable[[Burst], Words],
    ) -> None:
        """Queue what is new among the decisions; forget pods that are no longer without a node.

        Args:
            decisions: of this turn.
            alive: the pods without a node.
            why: what says why a pod bursts; its words are asked for when they are told.
        """
        for uid in self._told.keys() - alive:
            del self._told[uid]
            self._notices.drop(uid)
        for decision in decisions:
            match decision:
                case Burst():
                    self._note_burst(decision, why)
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
            found = self._notices.take(self._clock.steady()) or self._next_burst()
            if found is None:
                await self._until_due()
                continue
            await self._tell(*found)
            await self._clock.sleep(_PAUSE)

    async def _tell(self, key: str, notice: Notice) -> None:
        quiet = notice.reason in _QUIET
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
        words = told(reasons)
        if self._told.get(pod.uid) == (kind, words):
            return
        self._told[pod.uid] = (kind, words)
        self._bursts.pop(pod.uid, None)
        self._count(kind, reasons)
        self._put(pod.uid, Notice(pod, event_of(kind), words))

    def _note_burst(self, burst: Burst, why: Callable[[Burst], Words]) -> None:
        """What was queued of the pod is over. A grant that is given anew on the same node is no news."""
        uid, news = burst.pod.uid, ("burst", burst.node)
        self._count("burst", ())
        self._notices.drop(uid)
        if self._told.get(uid) != news and len(self._bursts) < _MOST_BURSTS:
            self._bursts[uid] = (burst.pod, why(burst))
            self._filled.set()
        self._told[uid] = news

    def _next_burst(self) -> tuple[str, Notice] | None:
        """The burst that has waited longest; it is told though its pod has landed, once nothing else is."""
        uid = next(iter(self._bursts), None)
        if uid is None:
            return None
        pod, words = self._bursts.pop(uid)
        return uid, Notice(pod, BURSTING, words())

    def _put(self, key: str, notice: Notice) -> None:
        self._notices.put(key, notice)
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
