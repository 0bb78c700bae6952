from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.extender.cluster.reduction import Reduction, reduced
from app.extender.cluster.snapshot import is_placeholder
from app.model.node import Node
from app.model.pod import Pod, condition, controller_of, is_terminal
from app.model.requests import requests_of
from tests.builders import NOON, VIRTUAL, a_container, a_node, a_pod, a_virtual_node, owned_by
from tests.fakes import FakeWatched

READY = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}

QUANTITIES = st.sampled_from(["0", "1m", "100m", "1", "1500m", "0.1", "128Mi", "1Gi", "1e9", "123456789"])
REQUESTS = st.dictionaries(
    st.sampled_from(["cpu", "memory", "ephemeral-storage", "nvidia.com/gpu"]), QUANTITIES
)
INITS = st.builds(
    lambda asks, policy: {**_asking(asks), "restartPolicy": policy},
    REQUESTS,
    st.sampled_from(["Always", None]),
)


def _asking(requests: dict[str, str]) -> dict[str, Any]:
    return {"name": "main", "resources": {"requests": requests}}


@given(
    containers=st.lists(REQUESTS.map(_asking), max_size=3),
    inits=st.lists(INITS, max_size=3),
    overhead=REQUESTS,
    own=st.none() | REQUESTS.map(lambda asks: {"requests": asks}),
)
def test_a_reduced_pod_asks_for_the_same_as_before(
    containers: list[Any], inits: list[Any], overhead: dict[str, str], own: dict[str, Any] | None
) -> None:
    pod = a_pod(containers=containers, initContainers=inits, overhead=overhead, resources=own, node="a")
    assert requests_of(reduced(pod)) == requests_of(pod)


def test_who_it_is_where_it_sits_and_how_it_is_stays() -> None:
    pod = a_pod(node="a", metadata=owned_by("ReplicaSet"), status=READY, priority=-10)
    kept = reduced(pod)
    assert (kept.key, kept.uid, kept.spec.node_name) == (pod.key, pod.uid, "a")
    assert kept.metadata.resource_version == pod.metadata.resource_version
    assert controller_of(kept) == controller_of(pod)
    assert is_placeholder(kept)
    ready = condition(kept, "Ready")
    assert ready is not None
    assert ready.status == "True"


def test_an_end_and_a_deletion_stay() -> None:
    leaving = {"deletionTimestamp": NOON}
    kept = reduced(a_pod(node="a", metadata=leaving, phase="Succeeded"))
    assert is_terminal(kept)
    assert kept.metadata.deletion_timestamp == NOON


def test_what_it_runs_goes() -> None:
    pod = a_pod(node="a", labels={"app": "web"}, containers=[a_container(env=[{"name": "A", "value": "b"}])])
    kept = reduced(pod)
    assert (kept.metadata.labels, kept.spec.containers[0].env, kept.spec.containers[0].image) == ({}, (), "")


def test_pods_that_ask_alike_share_what_is_kept_of_it() -> None:
    one, two = reduced(a_pod("one", node="a")), reduced(a_pod("two", node="b"))
    assert one.spec.containers is two.spec.containers


def test_a_pod_whose_requests_do_not_parse_stays_as_it_is() -> None:
    pod = a_pod(cpu="lots", node="a")
    assert reduced(pod) is pod


@pytest.mark.parametrize(
    "pod",
    [
        pytest.param(a_pod(), id="without a node"),
        pytest.param(a_pod(node=VIRTUAL), id="on a virtual node"),
        pytest.param(a_pod(node="new"), id="on a node that the watch has not shown"),
    ],
)
def test_a_pod_that_is_asked_about_stays_whole(pod: Pod) -> None:
    nodes = FakeWatched([a_node("a"), a_virtual_node()])
    assert Reduction(nodes)(pod) is pod


def test_a_pod_is_reduced_once_its_node_is_known_to_be_real() -> None:
    nodes = FakeWatched[Node]()
    reduction, pod = Reduction(nodes), a_pod(node="a")
    assert reduction(pod) is pod
    nodes.put(a_node("a"))
    assert reduction(pod) == reduced(pod)


def test_what_allows_early_burst_stays_whole_on_a_real_node() -> None:
    pod = a_pod(node="ec2-0", annotations={"spillway.dev/early-burst": "allowed"})
    assert Reduction(FakeWatched([a_node("ec2-0")]))(pod) is pod


def test_what_must_overflow_stays_whole_on_a_real_node() -> None:
    pod = a_pod(node="ec2-0", labels={"spillway.dev/overflow": "required"})
    assert Reduction(FakeWatched([a_node("ec2-0")]))(pod) is pod
