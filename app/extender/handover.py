"""Hands overflow that stays over to nodes, while this replica leads: asks for them with placeholder pods.

What is decided stands in `app.extender.homing.handovers`. It spends on nodes, and is off unless it is
switched on; off, it only takes away what an earlier leader left. The pods themselves are moved by
`homecoming`, which asks here whose room stands ready.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final, assert_never

import msgspec

from app.extender.cluster.facts import Facts
from app.extender.controllers import Controllers
from app.extender.decider import Apart, at_once
from app.extender.homing.break_even import Buy
from app.extender.homing.handovers import (
    Ask,
    Command,
    HandoverConfig,
    Handovers,
    Memory,
    Remove,
    Standing,
    plan_handovers,
    switched_off,
)
from app.extender.homing.idlers import Idlers, held_off_until
from app.extender.homing.placeholders import (
    PRIORITY,
    Placeholder,
    PlaceholderConfig,
    manifest,
    placeholder_of,
)
from app.extender.homing.promises import GONE, has_left
from app.extender.homing.returning import overflow_pods
from app.extender.metrics import HandoverMetrics
from app.model.names import PodUid
from app.model.pod import Pod
from app.model.times import rfc3339
from app.ports.clock import Clock
from app.ports.failures import Conflict, PortFailure, Refused
from app.ports.kubernetes import Events, Placeholders
from app.ports.watched import Watched
from app.telemetry import logs
from app.timing.waiting import first_of, within

_log = logs.get(__name__)

REQUESTED: Final = "NodesRequested"
GIVEN_UP: Final = "HandoverGivenUp"
REFUSED: Final = "PlaceholderRefused"
"""Reasons of the Events on the virtual node."""


class HandoverShellConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The loop's settings.

    Attributes:
        enabled: whether nodes are asked for at all.
        policy: when.
        placeholders: with what pods.
        gather: seconds to let changes gather before they are looked at together.
        timeout: seconds that one call may take.
    """

    enabled: bool = False
    policy: HandoverConfig = HandoverConfig()
    placeholders: PlaceholderConfig = PlaceholderConfig()
    gather: float = 0.1
    timeout: float = 5.0


class Handover:
    """The hand-over; `run` it beside the pressure loop.

    Args:
        config: policy and pace.
        pods: all pods of the cluster.
        placeholders: where placeholders are made.
        controllers: who knows whether a pod's controller can do without it for a moment.
        events: where people read that nodes were asked for.
        clock: time.
        metrics: what was paid, and asked for.
        leads: whether the Lease is surely ours.
        apart: where it is decided, so that the event loop goes on meanwhile.
    """

    def __init__(  # noqa: PLR0913  (a shell is handed all that it touches)
        self,
        config: HandoverShellConfig,
        *,
        pods: Watched[Pod],
        placeholders: Placeholders,
        controllers: Controllers,
        events: Events,
        clock: Clock,
        metrics: HandoverMetrics,
        leads: Callable[[], bool] = lambda: True,
        apart: Apart = at_once,
    ) -> None:
        self._config = config
        self._apart = apart
        self._placeholders = placeholders
        self._events = events
        self._clock = clock
        self._metrics = metrics
        self._leads = leads
        self._controllers = controllers
        self._memory = Memory()
        self._ready: frozenset[PodUid] = frozenset()
        self._held: dict[str, Placeholder] = {}
        self._left: set[PodUid] = set()
        self._changed = asyncio.Event()
        self._prioritised = False
        for pod in pods.all():
            self._pod_changed(None, pod)
        pods.on_change(self._pod_changed)

    def ready(self, _: Facts) -> frozenset[PodUid]:
        """The overflow pods whose room on a real node stands ready (`homecoming`'s `urged`)."""
        return self._ready

    async def run(self, facts: Callable[[], Facts]) -> None:
        """Look again and again until cancelled; every term begins with empty accounts."""
        self._memory, self._ready, self._prioritised = Memory(), frozenset(), False
        while True:
            self._changed.clear()
            if self._leads():
                await self._look(facts)
            await first_of(self._clock.sleep(self._config.policy.look.total_seconds()), self._changed)
            if self._changed.is_set():
                await self._make_way()
                await self._clock.sleep(self._config.gather)

    async def _look(self, facts: Callable[[], Facts]) -> None:
        if not self._config.enabled:
            await self._carry_out(switched_off(self._held.values()), None)
            return
        stuck = await self._controllers.stuck(overflow_pods(facts()))
        seen = facts()
        held, now = tuple(self._held.values()), self._clock.now()
        plan = await self._apart(
            lambda: plan_handovers(seen, held, self._memory, stuck=stuck, now=now, config=self._config.policy)
        )
        known, self._memory, self._ready = self._memory.idlers, plan.memory, plan.ready
        self._show(plan)
        await self._tell(plan.standings, seen)
        await self._tell_idlers(known, seen)
        await self._carry_out(await self._permitted(plan.commands, seen), seen)

    async def _make_way(self) -> None:
        """Free the room of pods that have just left: their successors are about to look for it."""
        left, self._left = self._left, set()
        leaving = [each for each in self._held.values() if each.stands_for in left]
        await self._carry_out((Remove(each.pod, GONE) for each in leaving), None)

    async def _carry_out(self, commands: Iterable[Command], seen: Facts | None) -> None:
        for command in commands:
            if not self._leads():
                return
            match command:
                case Ask(pod):
                    await self._ask(pod, seen)
                case Remove(placeholder, reason):
                    await self._remove(placeholder, reason.code)
                case _:
                    assert_never(command)

    async def _ask(self, pod: Pod, seen: Facts | None) -> None:
        try:
            await self._within(self._placeholders.create(manifest(pod, self._config.placeholders)))
        except Conflict:
            self._metrics.made.labels("there").inc()
        except Refused as error:
            self._metrics.made.labels("refused").inc()
            await self._announce(seen, REFUSED, f"placeholder for {pod.key}: {error}", warning=True)
        except PortFailure as error:
            # Should it be there after all, the watch shows it; if not, the pod has to earn it anew.
            self._metrics.made.labels("failed").inc()
            _log.warning("placeholder not made", pod=pod.key, error=str(error))
        else:
            self._metrics.made.labels("made").inc()

    async def _remove(self, placeholder: Pod, reason: str) -> None:
        try:
            await self._within(self._placeholders.remove(placeholder))
        except PortFailure as error:
            _log.warning("placeholder not removed, tried again", pod=placeholder.key, error=str(error))
            return
        self._metrics.removed.labels(reason).inc()
        _log.info("placeholder removed", pod=placeholder.key, reason=reason)

    async def _permitted(self, commands: tuple[Command, ...], seen: Facts) -> Iterable[Command]:
        """All of them, but for asks where placeholders could not give way to others."""
        if not any(isinstance(each, Ask) for each in commands) or await self._ensure_priority(seen):
            return commands
        return tuple(each for each in commands if not isinstance(each, Ask))

    async def _ensure_priority(self, seen: Facts) -> bool:
        """Until it is done once a term. Where we may not, the installation has made the class."""
        name = self._config.placeholders.priority_class
        try:
            if not self._prioritised and self._leads():
                await self._within(self._placeholders.ensure_priority(name, value=PRIORITY))
                self._prioritised = True
        except Conflict as error:
            await self._announce(seen, REFUSED, str(error), warning=True)
            return False
        except PortFailure as error:
            _log.warning("PriorityClass not made; is it there already?", name=name, error=str(error))
        return True

    async def _within(self, work: Coroutine[Any, Any, None]) -> None:
        await within(self._clock, self._config.timeout, work)

    async def _tell(self, standings: Iterable[Standing], seen: Facts) -> None:
        for each in standings:
            if each.gave_up:
                message = _giving_up(each, self._config.policy)
                await self._announce(seen, GIVEN_UP, message, warning=True)
            if isinstance(each.verdict, Buy):
                self._metrics.nodes.inc(each.verdict.nodes)
                await self._announce(seen, REQUESTED, _request(each, each.verdict))

    async def _tell_idlers(self, known: Idlers, seen: Facts) -> None:
        for owner, each in self._memory.idlers.items():
            before = known.get(owner)
            if before is None or before.strikes != each.strikes or before.struck < each.struck:
                until = rfc3339(held_off_until(each, self._config.policy.stay))
                message = (
                    f"a node came for pods of {each.name}, and they did not use it: {each.reason.message}; "
                    f"its pods earn no other before {until}"
                )
                await self._announce(seen, GIVEN_UP, message, warning=True)

    async def _announce(
        self, seen: Facts | None, reason: str, message: str, *, warning: bool = False
    ) -> None:
        _log.info("handover", reason=reason, message=message)
        if seen is not None and seen.virtual:
            await self._events.record(seen.virtual[0], reason=reason, message=message, warning=warning)

    def _show(self, plan: Handovers) -> None:
        self._metrics.paid.set(sum(each.verdict.paid for each in plan.standings))
        self._metrics.price.set(sum(each.verdict.price for each in plan.standings))
        self._metrics.placeholders.labels("ready").set(len(plan.ready))
        self._metrics.placeholders.labels("waiting").set(len(self._held) - len(plan.ready))

    def _pod_changed(self, before: Pod | None, after: Pod | None) -> None:
        pod = after or before
        if pod is None:
            return
        known = self._held.get(pod.key)
        namespace = self._config.placeholders.namespace
        if pod.metadata.namespace == namespace:
            made = known.made if known else self._clock.now()
            held = None if after is None else placeholder_of(after, namespace=namespace, made=made)
            self._held.pop(pod.key, None)
            if held is not None:
                self._held[pod.key] = held
            if (known or held) and _state(known) != _state(held):
                self._changed.set()
        elif pod.uid in self._ready and (after is None or has_left(after)):
            self._left.add(pod.uid)
            self._changed.set()


def _state(placeholder: Placeholder | None) -> tuple[bool, bool] | None:
    return None if placeholder is None else (placeholder.waits, placeholder.is_over)


def _request(standing: Standing, verdict: Buy) -> str:
    shape = standing.shape
    size = f"{shape.room.cpu_milli / 1000:g} cpu and {shape.room.memory / 2**30:.3g} GiB"
    return (
        f"what one {shape.name or 'node'} ({size}) would carry has cost {_dollars(verdict.paid)} on Fargate "
        f"within {standing.stay}, for which the node costs {_dollars(verdict.price)}: "
        f"asked for {verdict.nodes} with {standing.asks} placeholder pods"
    )


def _dollars(amount: float) -> str:
    return f"${amount:.2f}" if amount >= 1 else f"${amount:.2g}"


def _giving_up(standing: Standing, policy: HandoverConfig) -> str:
    return (
        f"no node came for the placeholder pods within {policy.timeout}; they are taken away, and overflow "
        f"must now have cost what a node costs in {standing.stay}"
    )
