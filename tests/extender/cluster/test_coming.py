from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from app.extender.cluster.autoscaler_status import Growth
from app.extender.cluster.coming import EKS_GROUP_LABEL, Asked, ComingConfig, coming, is_starting
from app.extender.cluster.facts import Coming, RealNode
from app.model import names
from app.model.node import Node, allocatable
from app.model.node_claim import NodeClaim
from app.model.resources import Resources
from tests.builders import NOON, a_node
from tests.extender.cluster.bodies import GROUP, PROVIDER, a_claim

MINUTE = timedelta(minutes=1)
MIB = 2**20
UNREGISTERED = {"key": "karpenter.sh/unregistered", "effect": "NoExecute"}
NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
TEAM = {"key": "team", "value": "shop", "effect": "NoSchedule"}


def a_new_node(
    name: str = "ec2-9",
    *,
    age: timedelta = MINUTE,
    metadata: Mapping[str, Any] | None = None,
    spec: Mapping[str, Any] | None = None,
    status: Mapping[str, Any] | None = None,
    **fields: Any,
) -> Node:
    """A node that joined a while ago and is not Ready, with other fields where given."""
    fields.setdefault("ready", False)
    node = a_node(name, **fields)
    replace = msgspec.structs.replace
    return replace(
        node,
        metadata=replace(node.metadata, **{"creation_timestamp": NOON - age, **(metadata or {})}),
        spec=replace(node.spec, **(spec or {})),
        status=replace(node.status, **(status or {})),
    )


def found(*nodes: Node, used: Resources | None = None, asked: Asked | None = None) -> tuple[Coming, ...]:
    real = {
        node.name: RealNode(node=node, allocatable=allocatable(node), used=used or Resources())
        for node in nodes
    }
    starting = [node.name for node in nodes if is_starting(node)]
    return coming(real, asked or Asked(), starting=starting, now=NOON, config=ComingConfig())


def claimed(claim: NodeClaim, *nodes: Node) -> tuple[Coming, ...]:
    by_provider = {claim.status.provider_id: claim}
    return found(
        *nodes,
        asked=Asked(
            claims=(claim,),
            claim_of=lambda node: by_provider.get(node.spec.provider_id),
            joined={node.spec.provider_id for node in nodes},
        ),
    )


def grown(*nodes: Node, group: str = GROUP, **fields: Any) -> tuple[Coming, ...]:
    defaults = {"nodes": 2, "since": NOON - MINUTE, "seen": NOON}
    return found(*nodes, asked=Asked(growths=(Growth(group=group, **{**defaults, **fields}),)))


def test_a_new_node_brings_what_its_pods_leave_of_it() -> None:
    (each,) = found(a_new_node(), used=Resources(cpu_milli=500, pods=3))
    assert (each.node.name, each.source, each.since) == ("ec2-9", "node", NOON - MINUTE)
    assert (each.room.cpu_milli, each.room.pods) == (1500, 107)


@pytest.mark.parametrize(
    "node",
    [
        pytest.param(a_new_node(ready=True), id="Ready"),
        pytest.param(a_new_node(age=16 * MINUTE), id="not new"),
        pytest.param(a_new_node(metadata={"creation_timestamp": None}), id="of unknown age"),
        pytest.param(a_new_node(metadata={"deletion_timestamp": NOON}), id="being deleted"),
        pytest.param(a_new_node(spec={"unschedulable": True}), id="cordoned"),
    ],
)
def test_a_node_that_will_not_come_is_not_on_its_way(node: Node) -> None:
    assert found(node) == ()


@pytest.mark.parametrize(
    "taint",
    [
        pytest.param("karpenter.sh/unregistered", id="Karpenter"),
        pytest.param("node.cloudprovider.kubernetes.io/uninitialized", id="the cloud's controller"),
        pytest.param("startup-taint.cluster-autoscaler.kubernetes.io/gpu", id="declared to the autoscaler"),
        pytest.param("ebs.csi.aws.com/agent-not-ready", id="storage"),
    ],
)
def test_a_ready_node_that_is_not_set_up_is_still_on_its_way(taint: str) -> None:
    node = a_new_node(ready=True, taints=[{"key": taint, "effect": "NoExecute"}, TEAM, NOT_READY])
    (each,) = found(node)
    assert [left.key for left in each.node.spec.taints] == ["team"]


def test_a_node_that_has_not_reported_yet_brings_its_capacity_or_nothing() -> None:
    unreported = a_new_node("a", status={"allocatable": {}})
    unknown = a_new_node("b", status={"allocatable": {}, "capacity": {}})
    first, second = found(unreported, unknown)
    assert (first.room.cpu_milli, second.room) == (2000, Resources())


def test_a_launched_claim_brings_what_karpenter_expects() -> None:
    (each,) = claimed(a_claim())
    assert (each.source, each.since) == ("node-claim", NOON - timedelta(seconds=30))
    assert (each.room.cpu_milli, each.room.memory, each.room.pods) == (7910, 14162 * MIB, 58)
    assert [taint.key for taint in each.node.spec.taints] == ["team"]


def test_a_claims_labels_are_its_own_and_its_single_valued_requirements() -> None:
    (each,) = claimed(a_claim())
    labels = each.node.metadata.labels
    assert labels["karpenter.k8s.aws/instance-family"] == "c6a"
    assert labels[names.ZONE_LABEL] == "eu-west-2a"
    assert "karpenter.k8s.aws/instance-generation" not in labels
    (unlabelled,) = claimed(a_claim(metadata={"labels": {}}))
    assert names.ZONE_LABEL not in unlabelled.node.metadata.labels


def test_a_claim_that_is_not_launched_brings_what_it_was_made_for() -> None:
    (each,) = claimed(a_claim(conditions={"Launched": "Unknown"}, allocatable={}))
    assert (each.room.cpu_milli, each.room.pods) == (3250, 7)


def test_a_claim_of_nonsense_room_brings_none() -> None:
    (each,) = claimed(a_claim(allocatable={"cpu": "lots"}))
    assert each.room == Resources()


@pytest.mark.parametrize(
    "claim",
    [
        pytest.param(a_claim(metadata={"creationTimestamp": "2026-01-01T11:44:00Z"}), id="given up by now"),
        pytest.param(a_claim(metadata={"creationTimestamp": None}), id="of unknown age"),
        pytest.param(a_claim(nodeName="there"), id="its node is there"),
    ],
)
def test_a_claim_that_brings_no_node_is_not_on_its_way(claim: NodeClaim) -> None:
    assert claimed(claim, a_node("there")) == ()


def test_a_claim_whose_node_is_there_is_that_node_asked_for_when_the_claim_was() -> None:
    node = a_new_node(
        age=timedelta(0), spec={"provider_id": PROVIDER}, taints=[UNREGISTERED, NOT_READY, TEAM]
    )
    (each,) = claimed(a_claim(), node)
    assert (each.node.name, each.since) == (node.name, NOON - timedelta(seconds=30))


def test_a_claims_startup_taints_do_not_last() -> None:
    cilium = {"key": "node.cilium.io/agent-not-ready", "value": "true", "effect": "NoExecute"}
    own = {"key": "example.com/warming", "effect": "NoSchedule"}
    claim = a_claim()
    node = a_new_node(spec={"provider_id": PROVIDER}, taints=[cilium, own])
    (each,) = claimed(claim, node)
    assert [taint.key for taint in each.node.spec.taints] == ["example.com/warming"]
    warming = msgspec.structs.replace(claim.spec, startup_taints=each.node.spec.taints)
    (later,) = claimed(msgspec.structs.replace(claim, spec=warming), node)
    assert later.node.spec.taints == ()


def test_a_node_that_has_not_reported_brings_what_its_claim_promises() -> None:
    node = a_new_node(spec={"provider_id": PROVIDER}, status={"allocatable": {}, "capacity": {}})
    (each,) = claimed(a_claim(), node)
    assert each.room.cpu_milli == 7910


def test_a_group_that_grows_brings_nodes_as_those_it_has() -> None:
    zones = {"ec2-0": "eu-west-2a", "ec2-1": "eu-west-2b"}
    nodes = (
        a_node(
            name,
            cpu="4" if name == "ec2-0" else "2",
            labels={EKS_GROUP_LABEL: "workers", names.ZONE_LABEL: zone, "kubernetes.io/hostname": name},
            taints=[TEAM, NOT_READY],
        )
        for name, zone in zones.items()
    )
    first, second = grown(*nodes)
    assert (first.source, first.since, first.room.cpu_milli) == ("cluster-autoscaler", NOON - MINUTE, 2000)
    assert first.node.metadata.labels == {
        names.OS_LABEL: "linux",
        names.ARCH_LABEL: "amd64",
        EKS_GROUP_LABEL: "workers",
    }
    assert [taint.key for taint in first.node.spec.taints] == ["team"]
    assert first.node.name != second.node.name


def test_one_node_alone_does_not_tell_its_groups_zone() -> None:
    first, _ = grown(a_node(labels={EKS_GROUP_LABEL: "workers", names.ZONE_LABEL: "eu-west-2a"}))
    assert names.ZONE_LABEL not in first.node.metadata.labels


@pytest.mark.parametrize(
    "group",
    [
        pytest.param(GROUP, id="without nodes"),
        pytest.param("workers", id="not named by EKS"),
        pytest.param("eks-workers-2cc3f4a6", id="almost named by EKS"),
    ],
)
def test_a_group_of_unknown_shape_is_counted_without_room(group: str) -> None:
    nodes = (a_node(labels={EKS_GROUP_LABEL: "other"}), a_node("ec2-1", labels={EKS_GROUP_LABEL: ""}))
    assert [(each.room, each.node.metadata.labels) for each in grown(*nodes, group=group)] == [
        (Resources(), {}),
        (Resources(), {}),
    ]


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"seen": NOON - 4 * MINUTE}, id="the autoscaler is silent"),
        pytest.param({"since": NOON - 16 * MINUTE}, id="it has grown for too long"),
        pytest.param({"seen": NOON.replace(year=9999)}, id="the autoscaler will look one day"),
        pytest.param({"since": NOON.replace(year=9999)}, id="it will grow one day"),
    ],
)
def test_a_group_that_nothing_comes_of_is_not_counted(fields: dict[str, Any]) -> None:
    assert grown(**fields) == ()


def test_a_clock_that_is_a_little_ahead_is_believed() -> None:
    assert len(grown(since=NOON + MINUTE, seen=NOON + MINUTE)) == 2


def test_an_absurd_number_of_nodes_is_cut() -> None:
    assert len(grown(nodes=900_000)) == 1000
