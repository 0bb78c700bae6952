from datetime import timedelta

import pytest

from app.local.cluster.controllers.replicas import active, deletion_cost, plan
from app.model.names import DELETION_COST
from app.model.pod import Pod
from tests.builders import NOON, a_pod

LATER = NOON + timedelta(hours=2)


def running(
    name: str, *, ready_since: int = 0, node: str = "ec2-0", restarts: int = 0, cost: str = "0"
) -> Pod:
    """A ready pod; minutes after noon."""
    since = (NOON + timedelta(minutes=ready_since)).isoformat()
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": since}
    status = {"conditions": [ready], "containerStatuses": [{"restartCount": restarts}]}
    return a_pod(name, node=node, phase="Running", status=status, annotations={DELETION_COST: cost})


def pending(name: str, *, node: str = "") -> Pod:
    return a_pod(name, node=node)


def unready(name: str) -> Pod:
    return a_pod(name, node="ec2-0", phase="Running")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(pending("a"), pending("b", node="ec2-0"), id="unassigned-before-assigned"),
        pytest.param(pending("a", node="ec2-0"), unready("b"), id="pending-before-running"),
        pytest.param(unready("a"), running("b"), id="unready-before-ready"),
        pytest.param(running("a", cost="-1"), running("b"), id="cheap-before-dear"),
        pytest.param(running("a", ready_since=50), running("b"), id="ready-for-less-time"),
        pytest.param(running("a", restarts=3), running("b"), id="more-restarts"),
    ],
)
def test_the_less_useful_pod_goes_first(first: Pod, second: Pod) -> None:
    pods = [second, first]
    assert plan(pods, wanted=1, related=pods, now=LATER).delete == (first,)


def test_a_crowded_node_loses_one_before_the_age_counts() -> None:
    lone = running("lone", ready_since=50, node="ec2-1")
    crowd = [running("x"), running("y")]
    chosen = plan([lone, *crowd], wanted=2, related=[lone, *crowd], now=LATER).delete
    assert chosen[0] in crowd


def test_fargate_goes_before_real_nodes_when_it_is_cheaper() -> None:
    overflow = running("overflow", node="fargate-1a", cost="-100")
    crowd = [running("x"), running("y"), overflow]
    assert plan(crowd, wanted=2, related=crowd, now=LATER).delete == (overflow,)


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        pytest.param("-100", -100, id="negative"),
        pytest.param("much", 0, id="not-a-number"),
        pytest.param("4294967296", 0, id="too-large"),
    ],
)
def test_a_deletion_cost_is_a_32_bit_number(text: str, cost: int) -> None:
    assert deletion_cost(a_pod(annotations={DELETION_COST: text})) == cost


def test_finished_and_leaving_pods_do_not_count() -> None:
    leaving = a_pod(metadata={"deletionTimestamp": NOON.isoformat()})
    kept = a_pod("kept")
    assert active([a_pod(phase="Succeeded"), a_pod(phase="Failed"), leaving, kept]) == (kept,)


def test_what_is_missing_is_created() -> None:
    assert plan([a_pod()], wanted=4, related=[], now=NOON).create == 3
