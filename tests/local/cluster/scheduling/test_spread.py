from app.local.cluster.scheduling.filters import filtered
from app.model import names
from tests.builders import a_node, a_pod, a_virtual_node, opted_in_toleration
from tests.local.cluster.scheduling.builders import WEB, a_snapshot, spread_over

ZONE = names.ZONE_LABEL
HOST = "kubernetes.io/hostname"


def test_a_fuller_zone_is_left_out() -> None:
    nodes = [a_node("ec2-a", labels={ZONE: "a"}), a_node("ec2-b", labels={ZONE: "b"})]
    snapshot = a_snapshot({"ec2-a": [a_pod(labels=WEB)]}, nodes=nodes)
    found = filtered(a_pod(labels=WEB, topologySpreadConstraints=[spread_over(ZONE)]), snapshot)
    assert found.feasible == ("ec2-b",)
    assert found.rejected["ec2-a"].reasons == ("node(s) didn't match pod topology spread constraints",)
    assert found.rejected["ec2-a"].resolvable


def test_a_node_without_the_key_is_no_empty_domain() -> None:
    nodes = [a_node("ec2-0", labels={HOST: "ec2-0"}), a_virtual_node()]
    snapshot = a_snapshot({"ec2-0": [a_pod(labels=WEB), a_pod(labels=WEB)]}, nodes=nodes)
    found = filtered(a_pod(labels=WEB, topologySpreadConstraints=[spread_over(HOST)]), snapshot)
    assert found.feasible == ("ec2-0",)


def test_a_virtual_node_with_a_hostname_would_block_pods_that_never_opted_in() -> None:
    nodes = [a_node("ec2-0", labels={HOST: "ec2-0"}), a_virtual_node(labels={HOST: "fargate"})]
    snapshot = a_snapshot({"ec2-0": [a_pod(labels=WEB)]}, nodes=nodes)
    found = filtered(a_pod(labels=WEB, topologySpreadConstraints=[spread_over(HOST)]), snapshot)
    assert found.feasible == ()


def test_an_opted_in_pod_spreads_onto_the_virtual_node_by_zone() -> None:
    nodes = [
        a_node("ec2-a", labels={ZONE: "a"}),
        a_virtual_node(labels={ZONE: "b"}, cpu="4", memory="8Gi", pods="10"),
    ]
    snapshot = a_snapshot({"ec2-a": [a_pod(labels=WEB)]}, nodes=nodes)
    pod = a_pod(
        labels=WEB,
        topologySpreadConstraints=[spread_over(ZONE)],
        tolerations=[opted_in_toleration()],
    )
    assert filtered(pod, snapshot).feasible == (nodes[1].name,)


def test_taints_are_honoured_only_where_the_constraint_says_so() -> None:
    nodes = [a_node("ec2-0", labels={HOST: "ec2-0"}), a_virtual_node(labels={HOST: "fargate"})]
    snapshot = a_snapshot({"ec2-0": [a_pod(labels=WEB)]}, nodes=nodes)
    constraint = spread_over(HOST, nodeTaintsPolicy="Honor")
    pod = a_pod(labels=WEB, topologySpreadConstraints=[constraint])
    assert filtered(pod, snapshot).feasible == ("ec2-0",)


def test_terminating_pods_and_other_namespaces_do_not_count() -> None:
    node = a_node("ec2-0", labels={HOST: "ec2-0"})
    empty = a_node("ec2-1", labels={HOST: "ec2-1"})
    leaving = a_pod(labels=WEB, metadata={"labels": WEB, "deletionTimestamp": "2026-01-01T12:00:00Z"})
    foreign = a_pod(labels=WEB, namespace="other")
    snapshot = a_snapshot({"ec2-0": [leaving, foreign]}, nodes=[node, empty])
    pod = a_pod(labels=WEB, topologySpreadConstraints=[spread_over(HOST)])
    assert filtered(pod, snapshot).feasible == ("ec2-0", "ec2-1")


def test_too_few_domains_keep_the_minimum_at_zero() -> None:
    node = a_node("ec2-0", labels={HOST: "ec2-0"})
    snapshot = a_snapshot({"ec2-0": [a_pod(labels=WEB)]}, nodes=[node])
    pod = a_pod(labels=WEB, topologySpreadConstraints=[spread_over(HOST, minDomains=2)])
    assert filtered(pod, snapshot).feasible == ()


def test_soft_constraints_reject_nothing() -> None:
    node = a_node("ec2-0")
    soft = spread_over(HOST, whenUnsatisfiable="ScheduleAnyway")
    pod = a_pod(labels=WEB, topologySpreadConstraints=[soft])
    assert filtered(pod, a_snapshot(nodes=[node])).feasible == ("ec2-0",)
