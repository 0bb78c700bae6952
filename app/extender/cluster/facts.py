"""What the cluster shows at one moment, frozen: all that decisions are made from."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from app.extender.cluster.pressure import Pressure
from app.model.grant import Grant
from app.model.names import PodUid
from app.model.namespace import Namespace
from app.model.node import Node
from app.model.offer import TABLE, Offer
from app.model.pod import Pod
from app.model.resources import Resources

Ledger = Mapping[str, tuple[Grant, ...]]
"""Grants by virtual node."""


class RealNode(msgspec.Struct, frozen=True, kw_only=True):
    """A real node and what is taken of it.

    Attributes:
        node: as Kubernetes has it.
        allocatable: the room that it offers in all.
        used: what its pods that have not ended ask for, placeholders left out.
        placeholders: what pods of negative priority hold there, which others push aside.
    """

    node: Node
    allocatable: Resources
    used: Resources = Resources()
    placeholders: Resources = Resources()

    @property
    def free(self) -> Resources:
        """The room that is left once placeholders are pushed aside; below zero where it is overcommitted."""
        return self.allocatable - self.used


class Coming(msgspec.Struct, frozen=True, kw_only=True):
    """A node on its way: its labels and taints as far as they are known, and the room it will bring.

    `since` is when it was asked for; `source` is who says so: the Node itself while it is new and not
    Ready, a Karpenter NodeClaim, or cluster-autoscaler's status.
    """

    node: Node
    room: Resources
    since: datetime
    source: Literal["node", "node-claim", "cluster-autoscaler"]


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """What this cluster's own history says; `None` and 0 samples where there is none yet.

    Attributes:
        node_boot: how long a node takes from being asked for to Ready, three times out of four.
        fargate_start: how long an overflow pod takes from its binding to running, three times out of four.
    """

    node_boot: timedelta | None = None
    boots: int = 0
    fargate_start: timedelta | None = None
    starts: int = 0


NOTHING_LEARNED: Final = Learned()

SHIPPED_OFFER: Final = Offer(rates=TABLE)
"""What holds until a bridge has written prices of its own."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """The cluster at one moment.

    Attributes:
        unbound: live pods without a node, whatever they want.
        virtual: the virtual nodes, by name.
        on_virtual: the pods on each virtual node, ended ones included; every virtual node has an entry.
        adrift: pods on virtual nodes that are gone, or that lack our taint, by node: their tasks run on.
        taken: what the pods of each virtual node that have not ended ask for.
        namespaces: by name.
        grants: on each virtual node, as our newest writes have them.
        real: the real nodes, by name.
        coming: nodes on their way.
        learned: how long nodes and tasks take here.
        pressure: how full the nodes are that a pod could use, for pods that the scheduler finds no node for
            and for overflow pods; those whose reach is new may come a turn later.
        early: a pod of each controller whose pods allow early burst; it may be gone.
    """

    unbound: Mapping[PodUid, Pod]
    virtual: tuple[Node, ...]
    on_virtual: Mapping[str, tuple[Pod, ...]]
    adrift: Mapping[str, tuple[Pod, ...]] = {}
    taken: Mapping[str, Resources] = {}
    namespaces: Mapping[str, Namespace]
    grants: Ledger
    real: Mapping[str, RealNode] = {}
    coming: tuple[Coming, ...] = ()
    learned: Learned = NOTHING_LEARNED
    pressure: Mapping[PodUid, Pressure] = {}
    early: tuple[Pod, ...] = ()

    def uids_on_virtual(self) -> frozenset[PodUid]:
        """The pods on virtual nodes, those that are gone included."""
        places = (*self.on_virtual.values(), *self.adrift.values())
        return frozenset(pod.uid for pods in places for pod in pods)
