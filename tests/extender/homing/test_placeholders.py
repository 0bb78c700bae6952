from datetime import timedelta
from typing import Any

import msgspec
import pytest

from app.extender.cluster import affinity
from app.extender.cluster.reduction import reduced
from app.extender.decision.candidates import candidates
from app.extender.homing.placeholders import PlaceholderConfig, manifest, placeholder_of
from app.model.names import ZONE_LABEL
from app.model.node import Node
from app.model.pod import Pod
from app.model.requests import requests_of
from tests.builders import NOON, a_container, a_node, a_virtual_node, unschedulable
from tests.extender.fakes import ENABLED
from tests.extender.homing.returns import an_overflow_pod

CONFIG = PlaceholderConfig(life=timedelta(minutes=75))
LATER = NOON + timedelta(hours=1)


def placeholder(pod: Pod) -> Pod:
    """As the API server would store it."""
    body = manifest(pod, CONFIG)
    body["spec"]["priority"] = -5
    return msgspec.convert(body, Pod)


def required(*terms: dict[str, Any]) -> dict[str, Any]:
    selector = {"nodeSelectorTerms": list(terms)}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": selector}}


def in_zone(*zones: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": ZONE_LABEL, "operator": "In", "values": list(zones)}]}


def takes(node: Node, pod: Pod) -> bool:
    return affinity.admits(pod, node) and affinity.bears(pod, node, transient=False)


def test_it_asks_for_what_the_pod_asks_for_in_one_container() -> None:
    pod = an_overflow_pod(containers=[a_container(cpu="250m", memory="1Gi"), a_container("b", cpu="1")])
    stand_in = placeholder(pod)
    assert requests_of(stand_in) == requests_of(pod)
    assert stand_in.spec.containers[0].resources.limits == {}


def test_a_pod_that_asks_for_nothing_has_a_placeholder_that_asks_for_nothing() -> None:
    pod = an_overflow_pod(containers=[a_container()])
    assert manifest(pod, CONFIG)["spec"]["containers"][0]["resources"] == {"requests": {}}


@pytest.mark.parametrize(
    "words",
    [
        pytest.param({}, id="whatever"),
        pytest.param({"nodeSelector": {ZONE_LABEL: "1a"}}, id="a selector"),
        pytest.param({"affinity": required(in_zone("1a"), in_zone("1a", "1c"))}, id="required affinity"),
        pytest.param({"tolerations": [{"operator": "Exists"}]}, id="tolerates everything"),
    ],
)
def test_it_goes_where_the_pod_could_go_but_never_onto_a_virtual_node(words: dict[str, Any]) -> None:
    pod = an_overflow_pod(**words)
    taken = {"key": "team", "value": "a", "effect": "NoSchedule"}
    zones = (a_node("a", labels={ZONE_LABEL: "1a"}), a_node("b", labels={ZONE_LABEL: "1b"}))
    nodes = (*zones, a_node("t", labels={ZONE_LABEL: "1a"}, taints=[taken]))
    virtual = a_virtual_node(labels={"type": "virtual-kubelet", ZONE_LABEL: "1a"})
    assert [takes(node, placeholder(pod)) for node in nodes] == [takes(node, pod) for node in nodes]
    assert not takes(virtual, placeholder(pod))


def test_an_empty_term_still_admits_no_node() -> None:
    pod = an_overflow_pod(affinity=required({}))
    assert not takes(a_node(), placeholder(pod))


def test_a_term_that_names_nodes_by_field_is_kept() -> None:
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["a"]}]}
    stand_in = placeholder(an_overflow_pod(affinity=required(term)))
    assert takes(a_node("a"), stand_in)
    assert not takes(a_node("b"), stand_in)


def test_it_is_made_so_that_it_can_neither_do_nor_keep_anything() -> None:
    spec = manifest(an_overflow_pod(schedulerName="spillway"), CONFIG)["spec"]
    assert (spec["terminationGracePeriodSeconds"], spec["activeDeadlineSeconds"]) == (0, 4500)
    assert (spec["priorityClassName"], spec["schedulerName"]) == ("spillway-placeholder", "spillway")
    assert not spec["automountServiceAccountToken"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["containers"][0]["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_it_is_named_for_the_pods_uid_and_says_whom_it_stands_for() -> None:
    metadata = manifest(an_overflow_pod("web-1", uid="u1"), CONFIG)["metadata"]
    assert (metadata["namespace"], metadata["name"]) == ("spillway", "spillway-placeholder-u1")
    assert metadata["labels"]["spillway.dev/placeholder-for"] == "u1"
    assert metadata["annotations"] == {"spillway.dev/placeholder-of": "shop/web-1"}


def test_it_is_known_again_by_what_is_kept_of_a_pod_on_a_real_node() -> None:
    stored = reduced(placeholder(an_overflow_pod(uid="u1")))
    found = placeholder_of(stored, namespace="spillway", made=LATER)
    assert found is not None
    assert (found.stands_for, found.made, found.waits) == ("u1", LATER, True)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"namespace": "shop"}, id="in another namespace"),
        pytest.param({"name": "spillway-extender-1"}, id="of another name"),
        pytest.param({"deletion_timestamp": LATER}, id="on its way out"),
    ],
)
def test_other_pods_are_no_placeholders(change: dict[str, Any]) -> None:
    pod = placeholder(an_overflow_pod())
    other = msgspec.structs.replace(pod, metadata=msgspec.structs.replace(pod.metadata, **change))
    assert placeholder_of(other, namespace="spillway", made=LATER) is None


def test_it_is_known_whatever_priority_it_was_given_so_that_it_is_taken_away() -> None:
    body = manifest(an_overflow_pod(uid="u1"), CONFIG)
    body["spec"]["priority"] = 0
    found = placeholder_of(msgspec.convert(body, Pod), namespace="spillway", made=LATER)
    assert found is not None
    assert found.stands_for == "u1"


def test_a_placeholder_without_a_node_is_no_pressure_and_is_granted_nothing() -> None:
    body = {**manifest(an_overflow_pod(), CONFIG), "status": unschedulable()}
    assert candidates([msgspec.convert(body, Pod)], nodes=[a_virtual_node()], namespaces=ENABLED) == ()
