"""Pods that bear the virtual nodes' taint, and that the scheduler asks nobody about."""

from typing import Any

import pytest

from app.doctor.finding import Level
from app.doctor.marker import check
from app.doctor.seen import Policy, Unread
from app.model import names
from app.model.pod import Pod
from tests.builders import NOON, a_container, a_pod, opted_in_toleration
from tests.doctor.look import NAMESPACE, a_configuration, a_look, configured, not_ok, told

EVERYTHING = {"operator": "Exists"}
MARKED = {"limits": {names.MARKER: "0"}, "requests": {names.MARKER: "0"}}
ABOUT_ALL = {"managedResources": None, "urlPrefix": "https://spillway-extender.spillway.svc"}


def bearing(name: str = "web", **fields: Any) -> Pod:
    """A pod that waits, and tolerates everything; nobody marked it."""
    return a_pod(name, **{"tolerations": [EVERYTHING], **fields})


def test_where_all_that_wait_are_marked_it_is_well() -> None:
    marked = a_container(resources=MARKED)
    seen = a_look(waiting=(bearing(containers=[marked]), bearing(initContainers=[marked])))
    assert not_ok(check, seen) == []
    assert "marked" in told(check, seen)


def test_who_bears_the_taint_unmarked_is_counted_and_named() -> None:
    pods = [bearing(name, namespace="kube-system") for name in ("d", "b", "a", "c")]
    [(level, seen)] = not_ok(check, a_look(waiting=tuple(pods)))
    assert level == Level.WARN
    assert "4 pods wait that bear the virtual nodes' taint and lack the marker" in seen
    assert "kube-system/a, kube-system/b, kube-system/c and 1 more" in seen


def test_the_mend_makes_them_anew_once_the_webhook_answers() -> None:
    said = told(check, a_look(waiting=(bearing(tolerations=[opted_in_toleration()]),)))
    assert "1 pod waits that bears the virtual nodes' taint and lacks the marker (shop/web)" in said
    assert "kubectl -n shop delete pod web" in said


@pytest.mark.parametrize(
    "pod",
    [
        pytest.param(a_pod("web"), id="bears-no-taint"),
        pytest.param(bearing(phase="Failed"), id="over"),
        pytest.param(bearing(metadata={"deletionTimestamp": NOON.isoformat()}), id="going"),
        pytest.param(bearing(tolerations=[{**EVERYTHING, "effect": "NoExecute"}]), id="another-effect"),
    ],
)
def test_who_does_not_come_to_a_virtual_node_does_not_count(pod: Pod) -> None:
    assert not_ok(check, a_look(waiting=(pod,))) == []


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"policy": Policy(actuator="toleration")}, id="nobody-is-asked"),
        pytest.param({"config_maps": configured(a_configuration(**ABOUT_ALL))}, id="asked-about-all"),
        pytest.param({"nodes": ()}, id="there-is-no-virtual-node"),
    ],
)
def test_where_no_marker_is_needed_nothing_is_said(changes: Any) -> None:
    assert list(check(a_look(waiting=(bearing(),), **changes))) == []


@pytest.mark.parametrize(
    "config_maps",
    [
        pytest.param(configured(), id="in-a-file"),
        pytest.param({NAMESPACE: Unread("403"), "kube-system": Unread("403")}, id="not-ours-to-read"),
        pytest.param(
            {NAMESPACE: (a_configuration(**ABOUT_ALL),), "kube-system": Unread("403")},
            id="half-of-it-not-ours-to-read",
        ),
        pytest.param(configured(a_configuration(**ABOUT_ALL), a_configuration()), id="one-of-two-schedulers"),
    ],
)
def test_a_configuration_that_cannot_be_seen_may_ask_about_marked_pods(config_maps: Any) -> None:
    assert not_ok(check, a_look(waiting=(bearing(),), config_maps=config_maps)) != []


def test_pods_that_may_not_be_read_are_skipped() -> None:
    [(level, seen)] = not_ok(check, a_look(waiting=Unread("GET /api/v1/pods: 403")))
    assert (level, "403" in seen) == (Level.SKIP, True)
