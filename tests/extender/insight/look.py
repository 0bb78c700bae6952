"""Looks at clusters, for the tests of what is said of them."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from app.extender.cluster.snapshot import Snapshot
from app.extender.insight.seen import Seen
from app.model.grant import Grant, read_grants
from app.model.lease import LeaseHolding, LeaseObject
from app.model.namespace import Namespace
from app.model.node import Node, is_virtual
from app.model.pod import Pod
from app.model.reason import Reason
from tests.builders import NOON, a_node, a_virtual_node
from tests.extender.fakes import ENABLED
from tests.fakes import FakeWatched

BROKEN = (Reason("HostNetwork", "Fargate has no host"),)


def runnable(pod: Pod) -> tuple[Reason, ...]:
    return ()


def not_runnable(pod: Pod) -> tuple[Reason, ...]:
    return BROKEN


def a_lease(holder: str = "somebody", *, renewed: datetime | None = NOON) -> LeaseObject:
    """A Lease of 15 s."""
    return LeaseObject(
        spec=LeaseHolding(holder_identity=holder, lease_duration_seconds=15, renew_time=renewed)
    )


def a_look(
    *pods: Pod,
    nodes: Iterable[Node] = (a_virtual_node(), a_node()),
    namespaces: Mapping[str, Namespace] = ENABLED,
    now: datetime = NOON,
    **fields: Any,
) -> Seen:
    """A look at a healthy installation, unless told otherwise."""
    nodes = tuple(nodes)
    snapshot = Snapshot(FakeWatched(pods), FakeWatched(nodes))
    virtual = [node for node in nodes if is_virtual(node)]
    facts = snapshot.facts(
        virtual=virtual,
        namespaces=namespaces,
        grants={node.name: _grants(node) for node in virtual},
        now=now,
    )
    fields.setdefault("gate_lease", a_lease("extender-0", renewed=now))
    fields.setdefault("node_leases", {node.name: a_lease("bridge-0", renewed=now) for node in virtual})
    fields.setdefault("refusals", runnable)
    return Seen(facts=facts, now=now, **fields)


def _grants(node: Node) -> tuple[Grant, ...]:
    try:
        return read_grants(node.metadata.annotations)
    except ValueError:
        return ()


def codes(reasons: Iterable[Reason]) -> list[str]:
    return [each.code for each in reasons]


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)
