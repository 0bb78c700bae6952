from typing import Any

from app.local.cluster.scheduling.filters import filtered
from tests.builders import a_node, a_pod
from tests.local.cluster.scheduling.builders import WEB, a_snapshot

HOST = "kubernetes.io/hostname"
NODES = [a_node("ec2-0", labels={HOST: "ec2-0"}), a_node("ec2-1", labels={HOST: "ec2-1"})]


def rule(kind: str) -> dict[str, Any]:
    term = {"topologyKey": HOST, "labelSelector": {"matchLabels": WEB}}
    return {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def test_anti_affinity_keeps_two_of_a_kind_apart() -> None:
    snapshot = a_snapshot({"ec2-0": [a_pod(labels=WEB)]}, nodes=NODES)
    found = filtered(a_pod(labels=WEB, affinity=rule("podAntiAffinity")), snapshot)
    assert found.feasible == ("ec2-1",)
    assert found.rejected["ec2-0"].reasons == ("node(s) didn't match pod anti-affinity rules",)


def test_a_running_pods_anti_affinity_keeps_others_away() -> None:
    snapshot = a_snapshot({"ec2-0": [a_pod(affinity=rule("podAntiAffinity"))]}, nodes=NODES)
    found = filtered(a_pod(labels=WEB), snapshot)
    assert found.feasible == ("ec2-1",)
    assert found.rejected["ec2-0"].reasons == ("node(s) didn't satisfy existing pods anti-affinity rules",)


def test_affinity_follows_the_pods_it_names() -> None:
    snapshot = a_snapshot({"ec2-1": [a_pod(labels=WEB)]}, nodes=NODES)
    assert filtered(a_pod(affinity=rule("podAffinity")), snapshot).feasible == ("ec2-1",)


def test_the_first_pod_of_a_group_that_attracts_itself_may_go_anywhere() -> None:
    snapshot = a_snapshot(nodes=NODES)
    first = a_pod(labels=WEB, affinity=rule("podAffinity"))
    assert filtered(first, snapshot).feasible == ("ec2-0", "ec2-1")
    assert filtered(a_pod(affinity=rule("podAffinity")), snapshot).feasible == ()
