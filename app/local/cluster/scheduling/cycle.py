"""One scheduling cycle for one pod: filters, the extender, scores; else preemption and an explanation."""

from collections.abc import Mapping

import msgspec

from app.local.cluster.apiserver.api import Object
from app.local.cluster.scheduling import explain, preemption, scoring
from app.local.cluster.scheduling.extender import Extender, ExtenderError
from app.local.cluster.scheduling.filters import Filtered, filtered
from app.local.cluster.scheduling.snapshot import Rejection, Snapshot
from app.model.pod import Pod
from app.telemetry import logs


class Placed(msgspec.Struct, frozen=True):
    """The pod goes to this node."""

    node: str


class Unplaced(msgspec.Struct, frozen=True, kw_only=True):
    """The pod fits nowhere now.

    Attributes:
        message: why, for people.
        rejectors: the plugins whose rejection a change may lift.
        nominated: the node that preemption makes room on; "" clears an earlier one, None keeps it.
        victims: the pods to evict for it.
    """

    message: str
    rejectors: frozenset[str]
    nominated: str | None = None
    victims: tuple[Pod, ...] = ()


class Broken(msgspec.Struct, frozen=True):
    """Something went wrong that says nothing about the pod; it is tried again after its backoff."""

    message: str


Outcome = Placed | Unplaced | Broken


class Cycle:
    """Runs cycles over snapshots; the extender is the only thing that it talks to."""

    def __init__(self, extender: Extender | None) -> None:
        self._extender = extender
        self._log = logs.get(__name__)

    async def attempt(
        self, pod: Pod, raw_pod: Object, snapshot: Snapshot, raw_nodes: Mapping[str, Object]
    ) -> Outcome:
        """Where the pod goes, or why it goes nowhere.

        Args:
            pod: the pod.
            raw_pod: the same as the API server has it, for the extender.
            snapshot: the nodes now.
            raw_nodes: the same by name, as the API server has them.
        """
        if not snapshot.nodes:
            return Unplaced(message=explain.NO_NODES, rejectors=_ANY_NODE, nominated="")
        try:
            found = await self._feasible(pod, raw_pod, snapshot, raw_nodes)
            if found.feasible:
                return Placed(await self._best(pod, raw_pod, found.feasible, snapshot, raw_nodes))
        except ExtenderError as error:
            return Broken(str(error))
        return await self._unplaced(pod, raw_pod, snapshot, found)

    async def _feasible(
        self, pod: Pod, raw_pod: Object, snapshot: Snapshot, raw_nodes: Mapping[str, Object]
    ) -> Filtered:
        """The node that the pod was nominated to is tried alone first: others would only crowd it out."""
        verdicts = filtered(pod, snapshot)
        nominated = pod.status.nominated_node_name
        if nominated in verdicts.feasible:
            alone = msgspec.structs.replace(verdicts, feasible=(nominated,))
            left = await self._extended(raw_pod, alone, raw_nodes)
            if left.feasible:
                return left
        return await self._extended(raw_pod, verdicts, raw_nodes)

    async def _extended(
        self, raw_pod: Object, verdicts: Filtered, raw_nodes: Mapping[str, Object]
    ) -> Filtered:
        extender = self._concerned(raw_pod)
        if extender is None or not extender.config.filter_verb or not verdicts.feasible:
            return verdicts
        try:
            asked = {name: raw_nodes[name] for name in verdicts.feasible}
            result = await extender.filter(raw_pod, asked)
        except ExtenderError as error:
            if not extender.config.ignorable:
                raise
            self._log.info("extender skipped", error=str(error))
            return verdicts
        return msgspec.structs.replace(
            verdicts, feasible=result.feasible, rejected={**verdicts.rejected, **result.rejected}
        )

    def _concerned(self, raw_pod: Object) -> Extender | None:
        """The extender, where it is to be asked about the pod."""
        extender = self._extender
        return extender if extender is not None and extender.is_interested(raw_pod) else None

    async def _best(
        self,
        pod: Pod,
        raw_pod: Object,
        feasible: tuple[str, ...],
        snapshot: Snapshot,
        raw_nodes: Mapping[str, Object],
    ) -> str:
        if len(feasible) == 1:
            return feasible[0]
        total = scoring.scores(pod, [snapshot.nodes[name] for name in feasible])
        for name, bonus in (await self._bonus(raw_pod, feasible, raw_nodes)).items():
            total[name] = total.get(name, 0) + bonus
        return scoring.best({name: total[name] for name in feasible})

    async def _bonus(
        self, raw_pod: Object, feasible: tuple[str, ...], raw_nodes: Mapping[str, Object]
    ) -> Mapping[str, int]:
        extender = self._concerned(raw_pod)
        if extender is None:
            return {}
        try:
            return await extender.prioritize(raw_pod, {name: raw_nodes[name] for name in feasible})
        except ExtenderError as error:
            self._log.info("extender's scores skipped", error=str(error))
            return {}

    async def _unplaced(self, pod: Pod, raw_pod: Object, snapshot: Snapshot, found: Filtered) -> Outcome:
        hopeless = _is_hopeless(pod.status.nominated_node_name, found)
        outcome = preemption.ineligible(pod, snapshot, nominated_is_hopeless=hopeless)
        if outcome:
            return _explained(found, snapshot, explain.unhelpful(outcome), nominated=None)
        run = preemption.dry_run(pod, snapshot, rejected=found.rejected)
        if not run.candidates:
            why = explain.no_victims(len(snapshot.nodes), run)
            return _explained(found, snapshot, why, nominated=None if run.idle else "")
        try:
            candidates = await self._agreed(raw_pod, run.candidates, snapshot)
        except ExtenderError as error:
            return _explained(found, snapshot, explain.failed(str(error)), nominated=None)
        if not candidates:
            why = explain.unhelpful("no candidate node for preemption")
            return _explained(found, snapshot, why, nominated=None)
        node = preemption.preferred_node(candidates)
        return msgspec.structs.replace(
            _explained(found, snapshot, "", nominated=node), victims=candidates[node]
        )

    async def _agreed(
        self, raw_pod: Object, candidates: Mapping[str, tuple[Pod, ...]], snapshot: Snapshot
    ) -> Mapping[str, tuple[Pod, ...]]:
        extender = self._concerned(raw_pod)
        if extender is None or not extender.config.preempt_verb:
            return candidates
        running = {name: snapshot.nodes[name].pods for name in snapshot.nodes}
        try:
            return await extender.preempt(raw_pod, candidates, running)
        except ExtenderError as error:
            if not extender.config.ignorable:
                raise
            self._log.info("extender's veto skipped", error=str(error))
            return candidates


_ANY_NODE = frozenset({"NodeName"})
"""A cluster without nodes: only a new node helps."""


def _is_hopeless(node: str, found: Filtered) -> bool:
    why = found.rejected.get(node, found.absent)
    return why is not None and not why.resolvable


def _explained(found: Filtered, snapshot: Snapshot, preempting: str, *, nominated: str | None) -> Unplaced:
    message = explain.fit_error(
        len(snapshot.nodes), found.rejected, absent=found.absent, preemption=preempting
    )
    return Unplaced(message=message, rejectors=_rejectors(found), nominated=nominated)


def _rejectors(found: Filtered) -> frozenset[str]:
    """Every plugin that turned a node down; a node that was never looked at counts for affinity."""
    reasons: list[Rejection] = [*found.rejected.values(), *([found.absent] if found.absent else [])]
    return frozenset(why.plugin for why in reasons)
