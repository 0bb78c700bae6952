"""Plans of a gate over one cluster, for the tests of what it decides."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from app.extender.cluster.facts import Facts
from app.extender.cluster.snapshot import Snapshot
from app.extender.decision.decisions import Decision, Plan
from app.extender.decision.gate import plan
from app.extender.decision.hindrance import GateConfig
from app.extender.decision.ledger import Lapses
from app.extender.decision.memory import Memory
from app.model.grant import Grant
from app.model.namespace import Namespace
from app.model.node import Node, is_virtual
from app.model.pod import Pod
from app.model.reason import Reason
from app.model.resources import Resources
from tests.builders import NOON, a_node, a_virtual_node
from tests.extender.fakes import ENABLED
from tests.fakes import FakeWatched

MIB = 2**20
ONE = Resources(cpu_milli=500, memory=512 * MIB, pods=1)
CLOSED = Resources(cpu_milli=1)
ONE_RUNS = Resources(cpu_milli=500, memory=512 * MIB)
"""A node that is closed behind one running pod: its room, and no slot."""
IMPOSSIBLE = (Reason("HostNetwork", "no"), Reason("Privileged", "no"))


def runnable(pod: Pod) -> tuple[Reason, ...]:
    return ()


def not_runnable(pod: Pod) -> tuple[Reason, ...]:
    return IMPOSSIBLE


def planned(
    *pods: Pod,
    nodes: tuple[Node, ...] = (a_virtual_node(), a_node()),
    grants: Mapping[str, tuple[Grant, ...]] | None = None,
    now: datetime = NOON,
    refusals: Any = runnable,
    config: GateConfig | None = None,
    lapses: Mapping[Any, Lapses] | None = None,
    namespaces: Mapping[str, Namespace] = ENABLED,
    memory: Memory | None = None,
) -> Plan:
    return plan(
        facts_of(pods, nodes=nodes, grants=grants or {}, namespaces=namespaces),
        memory or Memory(lapses=lapses or {}),
        now=now,
        config=config or GateConfig(),
        refusals=refusals,
    )


def facts_of(
    pods: Iterable[Pod],
    *,
    nodes: Iterable[Node],
    namespaces: Mapping[str, Namespace] = ENABLED,
    grants: Mapping[str, tuple[Grant, ...]] | None = None,
) -> Facts:
    """What a snapshot of such a cluster shows."""
    snapshot = Snapshot(FakeWatched(pods), FakeWatched(nodes))
    virtual = [each for each in nodes if is_virtual(each)]
    return snapshot.facts(virtual=virtual, namespaces=namespaces, grants=grants or {})


def only(decided: Plan) -> Decision:
    (decision,) = decided.decisions
    return decision
