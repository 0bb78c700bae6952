"""Namespaces, network, quotas and autoscalers around an installation."""

from typing import Any

import msgspec
import pytest

from app.doctor import autoscalers, namespaces, network, quotas
from app.doctor.finding import Level
from app.doctor.seen import Unread, left_out
from app.model import names
from app.model.node import Node
from app.model.objects import ConfigMap, NetworkPolicy, Service
from app.model.offer import TABLE, Offer, VcpuQuota, written_offer
from app.model.webhook_configuration import MutatingWebhookConfiguration
from tests.doctor.look import a_look, a_namespace, a_virtual, a_workload, not_ok, told

DNS = msgspec.convert({"metadata": {"name": "kube-dns"}, "spec": {"clusterIP": "10.96.0.10"}}, Service)
STATUS = msgspec.convert({"metadata": {"name": "cluster-autoscaler-status"}}, ConfigMap)
POLICY = msgspec.convert({"metadata": {"namespace": "shop", "name": "deny-all"}}, NetworkPolicy)


def offering(**quota: float) -> Node:
    offer = Offer(rates=TABLE, quota=VcpuQuota(**quota), capacity="spot-first")
    return a_virtual(annotations={names.OFFER: written_offer(offer)})


def test_no_namespace_that_overflows_is_told_with_the_command() -> None:
    text = told(namespaces.check, a_look(namespaces=(a_namespace("shop"),)))
    assert text == (
        "WARN no namespace has the label spillway.dev/overflow: nothing bursts"
        " | kubectl label namespace NAME spillway.dev/overflow=enabled (or permitted)"
    )


@pytest.mark.parametrize("name", ["kube-system", "spillway"])
def test_namespaces_that_the_webhook_leaves_out_are_told(name: str) -> None:
    both = (a_namespace("a", overflow="enabled"), a_namespace(name, overflow="enabled"))
    found = not_ok(namespaces.check, a_look(namespaces=both))
    [(level, seen)] = found
    assert (level, seen.split(": ")[0]) == (
        Level.WARN,
        f"{name} has the label spillway.dev/overflow, and the webhook leaves it out",
    )
    assert "OK pods may overflow in a |" in told(namespaces.check, a_look(namespaces=both))


def leaving_out(*excluded: str) -> MutatingWebhookConfiguration:
    selector = {
        "matchLabels": {names.OVERFLOW: "enabled"},
        "matchExpressions": [
            {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": list(excluded)}
        ],
    }
    entries = [{"name": "enabled.overflow.spillway.dev", "namespaceSelector": selector}]
    return msgspec.convert({"webhooks": entries}, MutatingWebhookConfiguration)


def test_a_namespace_that_the_operator_excludes_is_told_like_them() -> None:
    both = (a_namespace("a", overflow="enabled"), a_namespace("db", overflow="enabled"))
    look = a_look(namespaces=both, webhooks=(leaving_out("kube-system", "db"),))
    assert [seen.partition(" ")[0] for _, seen in not_ok(namespaces.check, look)] == ["db"]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param((leaving_out("a", "b"),), {"a", "b"}, id="one"),
        pytest.param((leaving_out("a", "b"), leaving_out("b")), {"b"}, id="what-both-releases-leave-out"),
        pytest.param((), set(), id="none"),
        pytest.param(Unread("403"), set(), id="unread"),
    ],
)
def test_whom_no_webhook_of_ours_is_asked_about(
    found: tuple[MutatingWebhookConfiguration, ...] | Unread, expected: set[str]
) -> None:
    assert left_out(found, own="spillway") == {"kube-system", "spillway", *expected}


def test_what_namespaces_may_say_is_well() -> None:
    words = {names.MAX_PODS: "3", names.ALLOWED_ROLES: "*", names.SECURITY_GROUPS: "sg-1"}
    found = a_namespace("shop", annotations=words, overflow="permitted")
    assert not_ok(namespaces.check, a_look(namespaces=(found,))) == []


def test_many_namespaces_are_not_all_named() -> None:
    many = tuple(a_namespace(f"team-{number}", overflow="enabled") for number in range(7))
    [found] = namespaces.check(a_look(namespaces=many))
    assert found.seen.endswith("team-3, team-4 and 2 more")


def test_the_clusters_dns_is_named_with_what_tasks_resolve() -> None:
    [found, _] = network.check(a_look(services=(DNS,)))
    assert found.level == Level.OK
    assert "kube-dns at 10.96.0.10" in found.seen
    assert "no name of a Service" in found.seen


def test_with_a_cluster_domain_tasks_resolve_services() -> None:
    bridge = a_workload("bridge", CLUSTER_DOMAIN="cluster.local")
    [found, _] = network.check(a_look(services=(DNS,), workloads=(bridge,)))
    assert "names of Services under cluster.local" in found.seen


def test_a_policy_where_pods_may_overflow_is_told_with_the_way_out() -> None:
    text = told(network.check, a_look(services=(DNS,), policies=(POLICY,)))
    assert "WARN shop has NetworkPolicy deny-all: pods that one selects are refused" in text
    assert "kubectl annotate namespace shop spillway.dev/network-policies=ignored" in text


def test_policies_that_the_namespace_lets_go_are_told_as_unbound() -> None:
    shop = a_namespace("shop", annotations={names.NETWORK_POLICIES: "ignored"}, overflow="enabled")
    [(level, seen)] = not_ok(network.check, a_look(services=(DNS,), policies=(POLICY,), namespaces=(shop,)))
    assert (level, "does not bind tasks" in seen) == (Level.WARN, True)


def test_a_policy_elsewhere_does_not_matter() -> None:
    seen = a_look(services=(DNS,), policies=(POLICY,), namespaces=(a_namespace("shop"),))
    assert not_ok(network.check, seen) == []


@pytest.mark.parametrize(
    ("node", "level"),
    [
        pytest.param(offering(on_demand=4000.0, spot=4000.0), [], id="raised"),
        pytest.param(offering(on_demand=6.0, spot=4000.0), [Level.WARN], id="new-account"),
        pytest.param(offering(), [Level.SKIP], id="not-asked"),
        pytest.param(a_virtual(), [Level.SKIP], id="no-offer-yet"),
        pytest.param(a_virtual(annotations={names.OFFER: "?"}), [Level.SKIP], id="unreadable"),
    ],
)
def test_the_quota_is_judged_as_the_bridge_published_it(node: Node, level: list[Level]) -> None:
    assert [each for each, _ in not_ok(quotas.check, a_look(nodes=(node,)))] == level


def test_the_smallest_quota_is_the_one_to_raise() -> None:
    text = told(quotas.check, a_look(nodes=(offering(on_demand=4000.0, spot=6.0),)))
    assert "--quota-code L-36FBB829 " in text


@pytest.mark.parametrize(
    ("labels", "level", "said"),
    [
        pytest.param(
            {names.COMPUTE_TYPE_LABEL: "ec2"}, Level.WARN, "an instance that was deleted", id="autoscaler"
        ),
        pytest.param({"karpenter.sh/nodepool": "x"}, Level.FAIL, "takes it for its own", id="karpenter"),
    ],
)
def test_a_node_that_autoscalers_mind_is_told(labels: Any, level: Level, said: str) -> None:
    seen = a_look(nodes=(a_virtual(labels=labels),), karpenter=True)
    [(found, words)] = not_ok(autoscalers.check, seen)
    assert (found, said in words) == (level, True)


def test_the_id_of_an_instance_is_told() -> None:
    node = a_virtual()
    spec = msgspec.structs.replace(node.spec, provider_id="aws:///us-east-1a/i-1")
    seen = a_look(nodes=(msgspec.structs.replace(node, spec=spec),))
    [(level, words)] = not_ok(autoscalers.check, seen)
    assert (level, "aws:///us-east-1a/i-1" in words) == (Level.WARN, True)


def test_autoscalers_that_leave_it_alone_are_named() -> None:
    [found] = autoscalers.check(a_look(karpenter=True, config_maps={"kube-system": (STATUS,)}))
    assert found.seen == "Karpenter and Cluster Autoscaler leave the virtual nodes alone"


def test_without_a_look_at_kube_system_nobody_says_that_there_is_no_autoscaler() -> None:
    found = not_ok(autoscalers.check, a_look(config_maps={"kube-system": Unread("403")}))
    assert found == [(Level.SKIP, "whether there is Cluster Autoscaler cannot be read: 403")]


def test_a_node_is_judged_though_nobody_knows_which_autoscalers_there_are() -> None:
    node = a_virtual(labels={"karpenter.sh/nodepool": "x"})
    found = not_ok(autoscalers.check, a_look(nodes=(node,), karpenter=Unread("403")))
    assert [level for level, _ in found] == [Level.FAIL, Level.SKIP]
