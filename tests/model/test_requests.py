"""What the scheduler reserves for a pod."""

from typing import Any

import pytest

from app.model.quantity import GIB, MIB, QuantityError
from app.model.requests import requests_of
from app.model.resources import Resources
from tests.builders import a_container, a_pod


def asked(*containers: dict[str, Any], **spec: Any) -> Resources:
    return requests_of(a_pod(containers=containers, **spec))


def a_sidecar(name: str, **fields: Any) -> dict[str, Any]:
    return a_container(name, restartPolicy="Always", **fields)


def test_containers_are_summed_beside_one_pod_slot() -> None:
    assert asked(a_container("a", cpu="1", memory="1Gi"), a_container("b", cpu="500m")) == Resources(
        cpu_milli=1500, memory=GIB, pods=1
    )


def test_a_limit_stands_in_for_a_missing_request() -> None:
    requirements = {"requests": {"cpu": "1"}, "limits": {"cpu": "2", "memory": "1Gi"}}
    assert asked(a_container(resources=requirements)) == Resources(cpu_milli=1000, memory=GIB, pods=1)


def test_a_pod_that_asks_for_nothing_takes_its_slot() -> None:
    assert asked(a_container()) == Resources(pods=1)


def test_a_large_init_container_counts_alone() -> None:
    inits = [a_container("i", cpu="3"), a_container("j", cpu="2")]
    assert asked(a_container(cpu="1", memory="1Gi"), initContainers=inits) == Resources(
        cpu_milli=3000, memory=GIB, pods=1
    )


def test_a_sidecar_runs_beside_the_containers() -> None:
    assert asked(a_container(cpu="1"), initContainers=[a_sidecar("s", cpu="500m")]).cpu_milli == 1500


def test_an_init_container_runs_beside_the_sidecars_before_it_only() -> None:
    inits = [a_sidecar("s", cpu="1"), a_container("i", cpu="3"), a_sidecar("t", cpu="2")]
    assert asked(a_container(cpu="500m"), initContainers=inits).cpu_milli == 4000


def test_overhead_is_added() -> None:
    assert asked(a_container(cpu="1"), overhead={"cpu": "250m", "memory": "64Mi"}) == Resources(
        cpu_milli=1250, memory=64 * MIB, pods=1
    )


def test_the_pods_own_requests_win_for_what_they_name() -> None:
    amount = asked(a_container(cpu="1", memory="1Gi"), resources={"requests": {"cpu": "3"}})
    assert (amount.cpu_milli, amount.memory) == (3000, GIB)


def test_the_pods_own_limit_stands_in_for_its_request() -> None:
    assert asked(a_container(memory="1Gi"), resources={"limits": {"memory": "2Gi"}}).memory == 2 * GIB


def test_extended_resources_are_reserved_by_name() -> None:
    amount = asked(a_container(resources={"limits": {"nvidia.com/gpu": "2"}}))
    assert amount.extended == (("nvidia.com/gpu", 2),)


def test_a_request_that_is_no_quantity_is_an_error() -> None:
    with pytest.raises(QuantityError, match='"lots" is not a quantity'):
        asked(a_container(cpu="lots"))
