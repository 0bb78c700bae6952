"""Plans of a gate over one cluster, for the tests of what it decides."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.extender.decisions import Decision, Plan
from app.extender.gate import Facts, plan
from app.extender.hindrance import GateConfig
from app.extender.ledger import Lapses
from app.model.grant import Grant
from app.model.node import Node
from app.model.pod import Pod
from app.model.reason import Reason
from app.model.resources import Resources
from tests.builders import NOON, a_node, a_virtual_node
from tests.extender.fakes import ENABLED

MIB = 2**20
ONE = Resources(cpu_milli=500, memory=512 * MIB, pods=1)
CLOSED = Resources(cpu_milli=1)
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
) -> Plan:
    facts = Facts(pods=pods, nodes=nodes, namespaces=ENABLED, grants=grants or {}, lapses=lapses or {})
    return plan(facts, now=now, config=config or GateConfig(), refusals=refusals)


def only(decided: Plan) -> Decision:
    (decision,) = decided.decisions
    return decision
