"""What goes wrong in silence, and the leader sees: a webhook that is away, and keys that nobody reads."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Gauge

from app.extender.cluster.facts import Facts
from app.extender.decider import Apart
from app.extender.decision.hindrance import Refusals
from app.extender.insight.unprepared import unprepared, webhook_missed
from app.fargate import eligibility
from app.model.actuator import Actuator
from app.model.namespace import Namespace
from app.model.pod import Pod
from app.model.reason import Reason, joined
from app.model.spelling import unread_on_namespace
from app.ports.clock import Clock
from app.ports.kubernetes import Events
from app.ports.watched import Watched
from app.telemetry import logs
from app.timing.waiting import first_of

_log = logs.get(__name__)

NOT_READ: Final = "OverflowKeyNotRead"
"""Reason of the Event on a namespace."""

_EVERY: Final = 30.0
"""Seconds between two looks at all pods."""
_PACE: Final = 1.0
_AGAIN: Final = 60.0
_BETWEEN: Final = 0.1
"""Seconds between two Events."""


class LookoutMetrics:
    """What was seen."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.unprepared = Gauge(
            "spillway_gate_unprepared_pods",
            "Pods of labelled namespaces that were created without the webhook: of the last hour without a "
            "node, or on real nodes though they must overflow.",
            registry=registry,
        )
        self.namespace_faults = Gauge(
            "spillway_gate_namespace_faults",
            "Labels and annotations of ours on namespaces that mean nothing, by code.",
            ["code"],
            registry=registry,
        )


class WebhookLookout:
    """Counts the pods that the webhook did not prepare, and tells of a count that grows.

    Args:
        pods: all of the cluster.
        namespaces: likewise.
        own: Spillway's namespace.
        actuator: what the webhook adds depends on it.
        clock: time.
        metrics: show the count.
        refusals: why Fargate cannot run a pod.
        apart: where it is judged, so that the event loop goes on meanwhile.
    """

    def __init__(  # noqa: PLR0913  (a shell is handed all that it touches)
        self,
        pods: Watched[Pod],
        namespaces: Watched[Namespace],
        *,
        own: str,
        actuator: Actuator,
        clock: Clock,
        metrics: LookoutMetrics,
        apart: Apart,
        refusals: Refusals = eligibility.refusals,
    ) -> None:
        self._pods = pods
        self._namespaces = namespaces
        self._own = own
        self._actuator = actuator
        self._clock = clock
        self._metrics = metrics
        self._apart = apart
        self._refusals = refusals

    async def run(self, _: Callable[[], Facts]) -> None:
        """Look every half minute until cancelled; a follower shows 0."""
        before = 0
        try:
            while True:
                found = await self._apart(self._look)
                self._metrics.unprepared.set(len(found))
                reason = webhook_missed(found, now=self._clock.now())
                if reason is not None and len(found) > before:
                    _log.warning(reason.message)
                before = len(found)
                await self._clock.sleep(_EVERY)
        finally:
            self._metrics.unprepared.set(0)

    def _look(self) -> tuple[Pod, ...]:
        return unprepared(
            self._pods.all(),
            namespaces={each.name: each for each in self._namespaces.all()},
            own=self._own,
            actuator=self._actuator,
            now=self._clock.now(),
            refusals=self._refusals,
        )


class SpellingLookout:
    """Tells of labels and annotations on namespaces that mean nothing: an Event there, once for each change.

    Args:
        namespaces: all of the cluster.
        events: where people read it.
        clock: time.
        metrics: count them.
        leads: whether the Lease is surely ours.
    """

    def __init__(
        self,
        namespaces: Watched[Namespace],
        *,
        events: Events,
        clock: Clock,
        metrics: LookoutMetrics,
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        self._namespaces = namespaces
        self._events = events
        self._clock = clock
        self._metrics = metrics
        self._leads = leads
        self._told: dict[str, tuple[Reason, ...]] = {}
        self._shown: set[str] = set()
        self._changed = asyncio.Event()
        namespaces.on_change(lambda _, __: self._changed.set())

    async def run(self, _: Callable[[], Facts]) -> None:
        """Look whenever a namespace changes, until cancelled."""
        try:
            while True:
                self._changed.clear()
                await self._look()
                await first_of(self._clock.sleep(_AGAIN), self._changed)
                await self._clock.sleep(_PACE)
        finally:
            self._show({})

    async def _look(self) -> None:
        found = {each.name: (each, unread_on_namespace(each.metadata)) for each in self._namespaces.all()}
        faulty = {name: faults for name, (_, faults) in found.items() if faults}
        self._show(faulty)
        self._told = {name: faults for name, faults in self._told.items() if faulty.get(name) == faults}
        for name, faults in faulty.items():
            if name not in self._told and self._leads():
                await self._tell(found[name][0], faults)

    async def _tell(self, namespace: Namespace, faults: tuple[Reason, ...]) -> None:
        """What could not be written is told again at the next look."""
        message = joined(faults)
        _log.warning("a namespace says what nobody reads", namespace=namespace.name, fault=message)
        written = await self._events.record(namespace, reason=NOT_READ, message=message, warning=True)
        if written is not False:
            self._told[namespace.name] = faults
        await self._clock.sleep(_BETWEEN)

    def _show(self, faulty: dict[str, tuple[Reason, ...]]) -> None:
        counted = Counter(each.code for faults in faulty.values() for each in faults)
        self._shown |= counted.keys()
        for code in self._shown:
            self._metrics.namespace_faults.labels(code).set(counted[code])
