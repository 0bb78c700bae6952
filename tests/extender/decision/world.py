"""A small cluster whose scheduler honours grants and room, and an oracle that counts by itself what is spent.

The oracle knows prices (`app.fargate.prices`) and nothing of the gate's own sums.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from fractions import Fraction

import msgspec

from app.extender.cluster.facts import SHIPPED_OFFER
from app.extender.decision.budget import Limits
from app.extender.decision.decisions import Burst, Plan, WouldBurst
from app.extender.decision.gate import IN_FLIGHT, plan
from app.extender.decision.hindrance import GateConfig
from app.extender.decision.memory import Memory
from app.extender.decision.priced import Priced
from app.fargate.prices import cost_of
from app.model import names
from app.model.grant import Grant
from app.model.names import PodUid
from app.model.namespace import Namespace
from app.model.node import Node
from app.model.pod import Pod
from tests.builders import NOON, a_node, a_virtual_node
from tests.extender.fakes import a_namespace, a_pressing_pod
from tests.extender.plans import facts_of, runnable

Shown = dict[str, tuple[Grant, ...]]
"""The grants that each virtual node shows."""

Binding = dict[PodUid, tuple[str, datetime]]
"""The node that the scheduler chose for a pod, and when."""

Spent = tuple[int, Fraction, Fraction]
"""Pods, vCPU, dollars an hour."""

NOTHING: Spent = (0, Fraction(0), Fraction(0))


def price(pod: Pod) -> Spent:
    """What one pod takes, to the billionth of a dollar."""
    cost = cost_of(pod, SHIPPED_OFFER)
    assert cost is not None
    return (1, Fraction(cost.vcpu), Fraction(round(cost.hourly * 10**9), 10**9))


def summed(pods: Iterable[Pod]) -> Spent:
    rows = [NOTHING, *map(price, pods)]
    return (
        sum(row[0] for row in rows),
        sum((row[1] for row in rows), Fraction(0)),
        sum((row[2] for row in rows), Fraction(0)),
    )


def within(spent: Spent, limits: Limits) -> bool:
    most: tuple[float | None, ...] = (limits.pods, limits.vcpu, limits.hourly)
    figures = (Fraction(spent[0]), spent[1], spent[2])
    return all(
        limit is None or figure <= Fraction(str(limit)) for figure, limit in zip(figures, most, strict=True)
    )


class World:
    """Pods, virtual nodes and the gate, turned by hand."""

    def __init__(
        self, nodes: tuple[str, ...] = ("v1", "v2"), namespaces: tuple[str, ...] = ("a", "b")
    ) -> None:
        self.now: datetime = NOON
        self.pods: dict[PodUid, Pod] = {}
        self.shown: Shown = dict.fromkeys(nodes, ())
        self.modes: dict[str, str] = dict.fromkeys(nodes, "")
        self.budgets: dict[str, Limits] = {name: Limits() for name in namespaces}
        self.limits = Limits()
        self.memory = Memory()
        self.binding: Binding = {}
        self.priced = Priced(cost_of)
        self.serial = 0

    def arrive(self, namespace: str, cpu: str) -> None:
        self.serial += 1
        name = f"p{self.serial:04}"
        pod = a_pressing_pod(
            name,
            uid=name,
            namespace=namespace,
            cpu=cpu,
            metadata={"creationTimestamp": self.now.isoformat()},
        )
        self.pods[pod.uid] = pod

    def waiting(self) -> list[Pod]:
        return [pod for pod in self.pods.values() if not pod.spec.node_name and pod.status.phase == "Pending"]

    def bind(self, pod: Pod, node: str) -> None:
        spec = msgspec.structs.replace(pod.spec, node_name=node)
        self.pods[pod.uid] = msgspec.structs.replace(pod, spec=spec)
        self.binding.pop(pod.uid, None)

    def end(self, pod: Pod) -> None:
        status = msgspec.structs.replace(pod.status, phase="Succeeded")
        self.pods[pod.uid] = msgspec.structs.replace(pod, status=status)

    def drop(self, pod: Pod) -> None:
        del self.pods[pod.uid]
        self.binding.pop(pod.uid, None)

    def granted_on(self, pod: Pod) -> list[str]:
        """The virtual nodes that the extender lets the pod pass for."""
        return [
            node
            for node, grants in self.shown.items()
            if any(grant.uid == pod.uid and self.now < grant.expires for grant in grants)
        ]

    def choose(self, pod: Pod) -> None:
        """The scheduler has its answer, and begins to bind."""
        for node in self.granted_on(pod)[:1]:
            self.binding[pod.uid] = (node, self.now)

    def land(self) -> None:
        """What the scheduler was binding lands, though the gate may have taken the grant back meanwhile."""
        for uid, (node, _) in list(self.binding.items()):
            self.bind(self.pods[uid], node)
        self.binding.clear()

    def pass_by(self, seconds: float) -> None:
        """Time passes; a binding takes less than the gate allows for it."""
        if any(
            since + IN_FLIGHT <= self.now + timedelta(seconds=seconds) for _, since in self.binding.values()
        ):
            self.land()
        self.now += timedelta(seconds=seconds)

    def turn(self, *, failing: Iterable[str] = ()) -> Plan:
        """One turn of the gate; the writes of failing nodes come to nothing."""
        decided = plan(
            facts_of(
                self.pods.values(), nodes=self._nodes(), namespaces=self._namespaces(), grants=self.shown
            ),
            self.memory,
            now=self.now,
            config=GateConfig(budget=self.limits),
            refusals=runnable,
            costs=self.priced,
        )
        self.memory = decided.memory
        self._check(decided)
        for opening in decided.openings:
            if opening.node not in failing:
                self.shown[opening.node] = opening.grants
        for pod in self.pods.values():
            assert len(self.granted_on(pod)) <= 1, f"{pod.key} is granted twice"
        return decided

    def running(self) -> list[Pod]:
        """The pods that have a task."""
        return [
            pod
            for pod in self.pods.values()
            if pod.spec.node_name in self.shown and pod.status.phase == "Pending"
        ]

    def _check(self, decided: Plan) -> None:
        """Whoever gets a place gets it within every budget, all open grants counted."""
        granted = {grant.uid for opening in decided.openings for grant in opening.grants}
        granted |= {
            grant.uid
            for grants in self.shown.values()
            for grant in grants
            if self.now < grant.expires + IN_FLIGHT
        }
        granted |= self.binding.keys()
        placed = self.running() + [pod for pod in self.waiting() if pod.uid in granted]
        given = [each.pod for each in decided.decisions if isinstance(each, Burst)]
        assert len({pod.uid for pod in given}) == len(given), "a pod is granted twice in one turn"
        assert {pod.uid for pod in given} <= {pod.uid for pod in self.waiting()}
        self._within(given, placed)
        observed = [pod for uid, pod in self.pods.items() if uid in decided.memory.observed]
        would = [each.pod for each in decided.decisions if isinstance(each, WouldBurst)]
        self._within(would, placed + observed)

    def _within(self, given: list[Pod], placed: list[Pod]) -> None:
        if given:
            assert within(summed(placed), self.limits), "the cluster's budget is exceeded"
        for name in {pod.metadata.namespace for pod in given}:
            mine = [pod for pod in placed if pod.metadata.namespace == name]
            assert within(summed(mine), self.budgets[name]), f"the budget of {name} is exceeded"

    def _nodes(self) -> list[Node]:
        virtual = [a_virtual_node(name, annotations={names.GATE: mode}) for name, mode in self.modes.items()]
        return [*virtual, a_node("real")]

    def _namespaces(self) -> Mapping[str, Namespace]:
        return {
            name: a_namespace(name, annotations=_annotations(limits)) for name, limits in self.budgets.items()
        }


def _annotations(limits: Limits) -> dict[str, str]:
    words = {
        names.MAX_PODS: limits.pods,
        names.MAX_VCPU: limits.vcpu,
        names.MAX_HOURLY_COST: limits.hourly,
    }
    return {key: str(word) for key, word in words.items() if word is not None}
