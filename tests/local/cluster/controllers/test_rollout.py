from typing import Any

import msgspec
import pytest

from app.local.cluster.controllers.objects import Deployment, ReplicaSet, share
from app.local.cluster.controllers.rollout import Limits, limits, scaled, template_hash

TEMPLATE = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "a:1"}]}}


def a_deployment(replicas: int, *, surge: int | str = 1, unavailable: int | str = 0) -> Deployment:
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    spec = {"replicas": replicas, "template": TEMPLATE, "strategy": {"rollingUpdate": rolling}}
    return msgspec.convert({"metadata": {"name": "web"}, "spec": spec}, Deployment)


def a_set(name: str, replicas: int, *, available: int) -> ReplicaSet:
    body: dict[str, Any] = {
        "metadata": {"name": name},
        "spec": {"replicas": replicas},
        "status": {"replicas": replicas, "availableReplicas": available},
    }
    return msgspec.convert(body, ReplicaSet)


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        pytest.param(10, "25%", "25%", Limits(3, 2), id="surge-up-unavailable-down"),
        pytest.param(1, "25%", "25%", Limits(1, 0), id="one-replica"),
        pytest.param(10, 0, 0, Limits(0, 1), id="both-zero-could-never-move"),
        pytest.param(2, 0, "10%", Limits(0, 1), id="a-share-of-nothing-counts-as-zero"),
        pytest.param(3, 1, 5, Limits(1, 3), id="never-more-than-there-are"),
    ],
)
def test_limits(replicas: int, surge: int | str, unavailable: int | str, expected: Limits) -> None:
    assert limits(a_deployment(replicas, surge=surge, unavailable=unavailable)) == expected


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        pytest.param((0, 0), (3, 3), {"new": 1}, id="first-step-uses-the-surge"),
        pytest.param((1, 0), (3, 3), {}, id="nothing-until-the-new-pod-serves"),
        pytest.param((1, 1), (3, 3), {"old": 2}, id="one-old-pod-may-go"),
        pytest.param((1, 1), (2, 2), {"new": 2}, id="and-the-next-new-one-comes"),
        pytest.param((3, 3), (1, 1), {"old": 0}, id="last-step"),
        pytest.param((1, 0), (3, 2), {}, id="a-broken-old-pod-is-no-spare"),
    ],
)
def test_a_rollout_goes_step_by_step(
    new: tuple[int, int], old: tuple[int, int], expected: dict[str, int]
) -> None:
    sets = a_set("new", new[0], available=new[1]), a_set("old", old[0], available=old[1])
    assert scaled(a_deployment(3), sets[0], [sets[1]], old_pods=True) == expected


def test_old_pods_that_never_served_are_dropped_first() -> None:
    deployment = a_deployment(4, surge=1, unavailable=1)
    broken, serving = a_set("a-broken", 2, available=0), a_set("b-serving", 3, available=3)
    sizes = scaled(deployment, a_set("new", 0, available=0), [broken, serving], old_pods=True)
    assert sizes == {"a-broken": 0}


def test_equal_templates_have_equal_hashes_whatever_the_order() -> None:
    turned = {"spec": TEMPLATE["spec"], "metadata": {"labels": {"app": "web", "pod-template-hash": "x"}}}
    assert template_hash(turned) == template_hash(TEMPLATE)
    assert template_hash({**TEMPLATE, "spec": {}}) != template_hash(TEMPLATE)


@pytest.mark.parametrize(
    ("value", "of", "round_up", "expected"),
    [
        pytest.param("50%", 3, True, 2, id="up"),
        pytest.param("50%", 3, False, 1, id="down"),
        pytest.param(7, 3, True, 7, id="a-number-is-itself"),
        pytest.param("half", 3, True, 0, id="nonsense-is-none"),
    ],
)
def test_shares(value: int | str, of: int, *, round_up: bool, expected: int) -> None:
    assert share(value, of, round_up=round_up) == expected
