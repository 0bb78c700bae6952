"""Nodes on their way: new Nodes that take no pods yet, Karpenter's open NodeClaims, growing node groups.

A machine is counted once: a claim whose Node is there is that Node, and of a growing group only those that
have not joined count. Unknown room counts as none, so that no pod waits for it. The room of a claim or of a
group is what its node will offer in all; what DaemonSets will take of it nobody says.
"""

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from app.extender.cluster.affinity import is_transient
from app.extender.cluster.autoscaler_status import Growth
from app.extender.cluster.facts import Coming, RealNode
from app.model.meta import ObjectMeta
from app.model.node import Node, NodeSpec, Taint, is_ready
from app.model.node_claim import NodeClaim
from app.model.quantity import QuantityError
from app.model.resources import Resources

_SET_UP_LATER: Final = (
    "node.cloudprovider.kubernetes.io/",
    "karpenter.sh/unregistered",
    "startup-taint.cluster-autoscaler.kubernetes.io/",
    "ignore-taint.cluster-autoscaler.kubernetes.io/",
)
"""Beginnings of taints that a node carries until somebody has set it up.

https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md (startup taints) and
https://karpenter.sh/docs/concepts/nodeclaims/
"""
_NOT_SET_UP: Final = "agent-not-ready"
"""End of those that network and storage agents take off."""

_EKS_GROUP: Final = re.compile(r"eks-(.+)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
EKS_GROUP_LABEL: Final = "eks.amazonaws.com/nodegroup"
"""EKS names the Auto Scaling group of a managed node group after it; nodes of others do not say theirs."""

_OWN_LABELS: Final = frozenset({"kubernetes.io/hostname"})
_PLACE_LABELS: Final = ("topology.", "failure-domain.")
_MOST: Final = 1000


class ComingConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What is still believed.

    Attributes:
        young: what was asked for longer ago is not coming any more. Karpenter and cluster-autoscaler both
            give a machine up after 15 minutes.
        stale: a status that cluster-autoscaler has not renewed for so long says nothing; it looks every
            ten seconds.
        skew: a time that lies further ahead is no other clock's, and means nothing.
    """

    young: timedelta = timedelta(minutes=15)
    stale: timedelta = timedelta(minutes=3)
    skew: timedelta = timedelta(minutes=1)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Who said that nodes were asked for.

    Attributes:
        claims: Karpenter's open claims.
        claim_of: the claim that a Node came of, if any.
        joined: the provider IDs of the nodes that there are.
        growths: the node groups that cluster-autoscaler has growing.
    """

    claims: tuple[NodeClaim, ...] = ()
    claim_of: Callable[[Node], NodeClaim | None] = lambda _: None
    joined: Container[str] = frozenset()
    growths: tuple[Growth, ...] = ()


def coming(
    real: Mapping[str, RealNode],
    asked: Asked,
    *,
    starting: Iterable[str],
    now: datetime,
    config: ComingConfig,
) -> tuple[Coming, ...]:
    """The nodes on their way, each once.

    Args:
        real: the real nodes, by name.
        asked: who said that nodes were asked for.
        starting: the names of those that `is_starting`; a superset does no harm.
        now: the time.
        config: what is still believed.
    """
    found = [real[name] for name in starting if name in real and _may_come(real[name].node)]
    open_claims = [
        each
        for each in asked.claims
        if each.status.node_name not in real and each.status.provider_id not in asked.joined
    ]
    everything = (
        *(_of_node(each, asked.claim_of(each.node)) for each in found),
        *(_of_claim(each) for each in open_claims),
        *_of_groups(asked.growths, real, now=now, config=config),
    )
    return tuple(
        each for each in everything if each is not None and -config.skew <= now - each.since <= config.young
    )


def is_starting(node: Node) -> bool:
    """Whether the node is not Ready, or carries a taint that goes away once it is set up."""
    return not is_ready(node) or any(_is_set_up_later(each.key) for each in node.spec.taints)


def _may_come(node: Node) -> bool:
    return is_starting(node) and not node.spec.unschedulable and node.metadata.deletion_timestamp is None


def _of_node(each: RealNode, claim: NodeClaim | None) -> Coming | None:
    since = (claim or each.node).metadata.creation_timestamp
    if since is None:
        return None
    room = each.free
    if not each.node.status.allocatable:
        promised = claim.status.allocatable if claim else {}
        room = _room(promised or each.node.status.capacity) - each.used
    passing = {taint.key for taint in claim.spec.startup_taints} if claim else set()
    lasting = tuple(
        taint
        for taint in each.node.spec.taints
        if taint.key not in passing and not _is_set_up_later(taint.key) and not is_transient(taint.key)
    )
    node = msgspec.structs.replace(each.node, spec=msgspec.structs.replace(each.node.spec, taints=lasting))
    return Coming(node=node, room=room, since=since, source="node")


def _of_claim(claim: NodeClaim) -> Coming | None:
    if claim.metadata.creation_timestamp is None:
        return None
    single = {
        each.key: each.values[0]
        for each in claim.spec.requirements
        if each.operator == "In" and len(each.values) == 1
    }
    # Until it is launched only the pods are known that it was made for, not how large it will be.
    room = _room(claim.status.allocatable or claim.spec.resources.requests)
    return Coming(
        node=_node(claim.name, labels={**single, **claim.metadata.labels}, taints=claim.spec.taints),
        room=room,
        since=claim.metadata.creation_timestamp,
        source="node-claim",
    )


def _of_groups(
    growths: Iterable[Growth], real: Mapping[str, RealNode], *, now: datetime, config: ComingConfig
) -> Iterator[Coming]:
    left = _MOST
    shapes = _shapes(growths, real)
    for each in growths:
        if not -config.skew <= now - each.seen <= config.stale or not left:
            continue
        model, room = shapes(each.group)
        for number in range(min(each.nodes, left)):
            node = _node(f"{each.group}/{number}", labels=model.metadata.labels, taints=model.spec.taints)
            yield Coming(node=node, room=room, since=each.since, source="cluster-autoscaler")
        left -= min(each.nodes, left)


def _shapes(
    growths: Iterable[Growth], real: Mapping[str, RealNode]
) -> Callable[[str], tuple[Node, Resources]]:
    """What a node of each group looks like, by those that it has: one walk over the nodes for all groups."""
    labels = {each.group: match[1] for each in growths if (match := _EKS_GROUP.fullmatch(each.group))}
    siblings: dict[str, list[RealNode]] = {label: [] for label in labels.values()}
    for node in real.values() if siblings else ():
        found = siblings.get(node.node.metadata.labels.get(EKS_GROUP_LABEL, ""))
        if found is not None:
            found.append(node)
    known = {label: _shape(found) for label, found in siblings.items()}
    return lambda group: known[labels[group]] if group in labels else _shape([])


def _shape(siblings: list[RealNode]) -> tuple[Node, Resources]:
    """What they have in common; nothing where none is known to be of the group."""
    if not siblings:
        return Node(), Resources()
    labels = dict(siblings[0].node.metadata.labels)
    taints = set(siblings[0].node.spec.taints)
    for each in siblings[1:]:
        labels = dict(labels.items() & each.node.metadata.labels.items())
        taints &= set(each.node.spec.taints)
    smallest = min(
        (each.allocatable for each in siblings), key=lambda room: (room.cpu_milli, room.memory, room.pods)
    )
    # One node alone does not tell whether its group keeps to one zone.
    shared = {key: value for key, value in labels.items() if not _is_own(key, alone=len(siblings) == 1)}
    return _node("", labels=shared, taints=_lasting(taints)), smallest


def _lasting(taints: Iterable[Taint]) -> tuple[Taint, ...]:
    lasting = (each for each in taints if not _is_set_up_later(each.key) and not is_transient(each.key))
    return tuple(sorted(lasting, key=lambda each: (each.key, each.value, each.effect)))


def _is_own(key: str, *, alone: bool) -> bool:
    return key in _OWN_LABELS or (alone and key.startswith(_PLACE_LABELS))


def _node(name: str, *, labels: Mapping[str, str], taints: tuple[Taint, ...]) -> Node:
    return Node(metadata=ObjectMeta(name=name, labels=dict(labels)), spec=NodeSpec(taints=taints))


def _is_set_up_later(key: str) -> bool:
    return key.startswith(_SET_UP_LATER) or key.endswith(_NOT_SET_UP)


def _room(wire: Mapping[str, str]) -> Resources:
    try:
        return Resources.parse(wire)
    except QuantityError:
        # Whoever wrote it, nobody can say what it means.
        return Resources()
