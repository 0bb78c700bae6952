"""Brings overflow pods home while this replica leads: looks, asks the controllers, writes down, evicts.

What is decided stands in `app.extender.homing`; here is only the order of the calls. An eviction is written
onto the virtual node before it is made, and made only while the Lease is surely ours.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal

import msgspec

from app.extender.cluster.facts import Facts
from app.extender.decider import Apart, at_once
from app.extender.homing.config import ReturnConfig
from app.extender.homing.memory import Eviction, ReturnMemory
from app.extender.homing.returning import Counted, Returns, objection, plan_returns
from app.extender.homing.trials import Trial, merged, read_trials, written_trials
from app.extender.metrics import HomingMetrics
from app.model.meta import OwnerReference
from app.model.names import HOMING_MANAGER, RETURNS, PodUid
from app.model.node import Node
from app.model.reason import Reason
from app.model.replicas import Replicas
from app.ports.clock import Clock
from app.ports.failures import Conflict, DisruptionBudget, NotFound, PortFailure, Refused
from app.ports.kubernetes import Events, Evictions, Nodes
from app.telemetry import logs
from app.timing.waiting import within

_log = logs.get(__name__)

RETURNING: Final = "ReturningHome"
NOT_RETURNING: Final = "ReturnRefused"
"""Reasons of the Events."""

_ASKED_EACH: Final = 5
"""Controllers asked at a look for each eviction that may follow: most have Ready replicas to spare."""


class HomecomingConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The loop's settings.

    Attributes:
        policy: when pods come home.
        every: seconds between two looks.
        timeout: seconds that one call may take.
    """

    policy: ReturnConfig = ReturnConfig()
    every: float = 10.0
    timeout: float = 5.0


class Homecoming:
    """The way home; `run` it beside the pressure loop.

    Args:
        config: policy and pace.
        evictions: how pods are evicted, and controllers asked.
        nodes: where the records are kept.
        events: where people read why a pod was evicted.
        clock: time.
        metrics: what came home.
        leads: whether the Lease is surely ours.
        urged: pods that nodes were asked for (`plan_returns`).
        apart: where it is decided, so that the event loop goes on meanwhile.
    """

    def __init__(  # noqa: PLR0913  (a shell is handed all that it touches)
        self,
        config: HomecomingConfig,
        *,
        evictions: Evictions,
        nodes: Nodes,
        events: Events,
        clock: Clock,
        metrics: HomingMetrics,
        leads: Callable[[], bool] = lambda: True,
        urged: Callable[[Facts], frozenset[PodUid]] = lambda _: frozenset(),
        apart: Apart = at_once,
    ) -> None:
        self._config = config
        self._evictions = evictions
        self._events = events
        self._clock = clock
        self._metrics = metrics
        self._leads = leads
        self._urged = urged
        self._apart = apart
        self._memory = ReturnMemory()
        self._turn = 0
        self._records = _Records(nodes, clock=clock, timeout=config.timeout)
        self.stays: Mapping[PodUid, Reason] = {}

    async def run(self, facts: Callable[[], Facts]) -> None:
        """Look again and again until cancelled; every term begins with the records on the nodes alone."""
        self._memory = ReturnMemory()
        self._records.forget()
        while True:
            await self._clock.sleep(self._config.every)
            if self._leads():
                await self._look(facts)

    async def _look(self, facts: Callable[[], Facts]) -> None:
        counted = await self._counted()
        seen = facts()
        self._recall(seen.virtual)
        urged = self._urged(seen)
        returns = await self._apart(
            lambda: plan_returns(
                seen,
                self._memory,
                now=self._clock.now(),
                config=self._config.policy,
                counted=counted,
                urged=urged,
            )
        )
        self._tell(returns)
        self._memory, self.stays = returns.memory, returns.stays
        if await self._records.keep(self._memory.trials.values(), seen.virtual):
            await self._carry_out(returns, seen.virtual)
        self._show()

    def _recall(self, virtual: Iterable[Node]) -> None:
        """Take in the records of virtual nodes that are new to us; what we know ourselves is newer."""
        found = self._records.recalled(virtual)
        trials = {**merged(found), **self._memory.trials}
        self._memory = msgspec.structs.replace(self._memory, trials=trials)

    async def _counted(self) -> Counted:
        """The replicas of controllers whose return is open: a batch, in turns where there are more."""
        waiting = [key for key, each in sorted(self._memory.trials.items()) if each.state == "open"]
        batch = self._config.policy.batch
        first = self._turn % max(1, len(waiting))
        asked = (waiting[first:] + waiting[:first])[:batch]
        self._turn += batch
        trials = [self._memory.trials[key] for key in asked]
        return {each.key: await self._replicas(each.namespace, each.owner) for each in trials}

    async def _replicas(self, namespace: str, owner: OwnerReference) -> Replicas | Literal["unknown"] | None:
        try:
            return await within(self._clock, self._config.timeout, self._evictions.replicas(namespace, owner))
        except NotFound:
            return None
        except PortFailure as error:
            _log.warning("controller not readable", kind=owner.kind, name=owner.name, error=str(error))
            return "unknown"

    async def _carry_out(self, returns: Returns, virtual: Iterable[Node]) -> None:
        left = returns.places
        for eviction in returns.evict[: left * _ASKED_EACH]:
            if left == 0 or not self._leads():
                return
            replicas = await self._spare(eviction)
            if replicas is not None:
                left -= 1
                await self._move(eviction, replicas, virtual)

    async def _spare(self, eviction: Eviction) -> Replicas | None:
        """The controller's replicas, if it can do without this one now; else the pod goes to the end."""
        replicas = await self._replicas(eviction.pod.metadata.namespace, eviction.owner)
        against = (
            Reason("ControllerUnknown", "its controller could not be asked how many replicas are Ready")
            if replicas == "unknown"
            else objection(replicas, config=self._config.policy)
        )
        if against is None and isinstance(replicas, Replicas):
            return replicas
        self._memory = self._memory.postponed(eviction, now=self._clock.now())
        if against is not None:
            self.stays = {**self.stays, eviction.pod.uid: against}
        return None

    async def _move(self, eviction: Eviction, replicas: Replicas, virtual: Iterable[Node]) -> None:
        before = self._memory
        self._memory = before.begun(
            eviction, replicas=replicas, now=self._clock.now(), config=self._config.policy
        )
        if not await self._records.keep(self._memory.trials.values(), virtual):
            self._memory = before
        elif self._leads():
            await self._evict(eviction, replicas)

    async def _evict(self, eviction: Eviction, replicas: Replicas) -> None:
        pod = eviction.pod
        try:
            await within(self._clock, self._config.timeout, self._evictions.evict(pod))
        except (DisruptionBudget, Refused) as error:
            self._memory = self._memory.refused(eviction, now=self._clock.now())
            await self._outcome(eviction, "refused", NOT_RETURNING, str(error))
        except (NotFound, Conflict):
            self._memory = self._memory.undone(eviction)
            self._metrics.evictions.labels("gone").inc()
        except PortFailure as error:
            # Whether it was evicted shows at the next looks.
            self._metrics.evictions.labels("failed").inc()
            _log.warning("eviction not answered", pod=pod.key, error=str(error))
        else:
            await self._outcome(eviction, "evicted", RETURNING, _why(eviction, replicas, self._config.policy))

    async def _outcome(self, eviction: Eviction, outcome: str, reason: str, message: str) -> None:
        self._metrics.evictions.labels(outcome).inc()
        _log.info("return", pod=eviction.pod.key, outcome=outcome, reason=message)
        await self._events.record(
            eviction.pod, reason=reason, message=message, warning=reason == NOT_RETURNING
        )

    def _tell(self, returns: Returns) -> None:
        """Count and log what came of earlier evictions."""
        for uid, trial in returns.memory.trials.items():
            before = self._memory.trials.get(uid)
            if before is not None and before.state != trial.state:
                self._metrics.returns.labels(trial.state).inc()
                _log.info("return over", controller=trial.name, outcome=trial.state, strikes=trial.strikes)

    def _show(self) -> None:
        self._metrics.staying.clear()
        for code, count in Counter(reason.code for reason in self.stays.values()).items():
            self._metrics.staying.labels(code).set(count)


class _Records:
    """The annotations in which the records outlive this process."""

    def __init__(self, nodes: Nodes, *, clock: Clock, timeout: float) -> None:
        self._nodes = nodes
        self._clock = clock
        self._timeout = timeout
        self._known: dict[str, str] = {}

    def forget(self) -> None:
        """Believe the nodes anew."""
        self._known = {}

    def recalled(self, virtual: Iterable[Node]) -> list[Trial]:
        """The records on those nodes that were not read yet; nodes that are gone are forgotten."""
        virtual = tuple(virtual)
        names = {node.name for node in virtual}
        self._known = {name: text for name, text in self._known.items() if name in names}
        found: list[Trial] = []
        for node in virtual:
            if node.name not in self._known:
                self._known[node.name] = node.metadata.annotations.get(RETURNS, "")
                found += read_trials(node.metadata.annotations)
        return found

    async def keep(self, trials: Iterable[Trial], virtual: Iterable[Node]) -> bool:
        """Write what is not written yet; false where a write failed, and nothing may be evicted."""
        trials = tuple(trials)
        for node in virtual:
            text = written_trials(trials, node=node.name)
            if text != (self._known.get(node.name) or "[]") and not await self._write(node.name, text):
                return False
        return True

    async def _write(self, node: str, text: str) -> bool:
        manifest = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": node, "annotations": {RETURNS: text}},
        }
        try:
            await within(
                self._clock, self._timeout, self._nodes.apply_status(manifest, manager=HOMING_MANAGER)
            )
        except PortFailure as error:
            # What stands there now is unknown: no text of ours equals this one.
            self._known[node] = "unknown"
            _log.warning("returns not written down, nothing is evicted", node=node, error=str(error))
            return False
        self._known[node] = text
        return True


def _why(eviction: Eviction, replicas: Replicas, policy: ReturnConfig) -> str:
    room = f"real nodes have had room for it for {policy.after.total_seconds():.0f} s"
    if eviction.urged:
        room = "the room that a node was asked for in its name stands ready"
    return (
        f"{room}; "
        f"{eviction.owner.kind} {eviction.owner.name} makes it anew there ({replicas.ready} of its replicas "
        "are Ready)"
    )
