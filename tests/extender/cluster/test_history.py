from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from app.extender.cluster.claims import Claims
from app.extender.cluster.facts import NOTHING_LEARNED
from app.extender.cluster.history import History
from app.extender.cluster.snapshot import Snapshot
from app.model.node import Node, NodeCondition
from app.model.node_claim import NodeClaim
from app.model.pod import Pod
from tests.builders import NOON, VIRTUAL, a_node, a_pod, a_virtual_node, unschedulable
from tests.extender.cluster.bodies import PROVIDER, a_claim
from tests.fakes import FakeWatched

SECOND = timedelta(seconds=1)


def a_booting_node(
    name: str = "ec2-9", *, ready: timedelta | None = None, provider: str = "", **fields: Any
) -> Node:
    """A node made at noon; Ready so long after, or not yet."""
    node = a_node(name, ready=ready is not None, **fields)
    replace = msgspec.structs.replace
    since = NodeCondition(
        type="Ready",
        status="False" if ready is None else "True",
        last_transition_time=NOON + (ready or 0 * SECOND),
    )
    return replace(
        node,
        metadata=replace(node.metadata, creation_timestamp=NOON),
        spec=replace(node.spec, provider_id=provider),
        status=replace(node.status, conditions=(since,)),
    )


def a_running_pod(
    name: str = "over",
    *,
    node: str = VIRTUAL,
    bound: datetime | None = NOON,
    started: tuple[timedelta | None, ...] = (40 * SECOND,),
    restarts: int = 0,
    **fields: Any,
) -> Pod:
    """A pod bound at noon whose containers run since so long after."""
    scheduled = {"type": "PodScheduled", "status": "True"}
    statuses: list[dict[str, Any]] = [
        {
            "name": f"c{number}",
            "restartCount": restarts,
            "state": {"waiting": {}}
            if after is None
            else {"running": {"startedAt": (NOON + after).isoformat()}},
        }
        for number, after in enumerate(started)
    ]
    status = {
        "conditions": [scheduled | ({"lastTransitionTime": bound.isoformat()} if bound else {})],
        "containerStatuses": statuses,
    }
    return a_pod(name, node=node, **{"uid": name, "phase": "Running", "status": status, **fields})


class Past:
    """A cluster that the test changes, and what is learned from it."""

    def __init__(
        self, *, nodes: tuple[Node, ...] = (), pods: tuple[Pod, ...] = (), claims: tuple[NodeClaim, ...] = ()
    ) -> None:
        self.nodes = FakeWatched((a_virtual_node(), *nodes))
        self.pods = FakeWatched(pods)
        self.claims = FakeWatched(claims)
        snapshot = Snapshot(self.pods, self.nodes)
        index = Claims(self.claims, changed=lambda: None)
        self.history = History(
            self.pods, self.nodes, claims=self.claims, unbound=snapshot.unbound, claim_of=index.of
        )

    def boot(self) -> timedelta | None:
        return self.history.learned().node_boot

    def start(self) -> timedelta | None:
        return self.history.learned().fargate_start


def waiting(seconds: int, name: str = "asks", **fields: Any) -> Pod:
    """A pod that the scheduler has found no node for since so long before noon."""
    return a_pod(name, status=unschedulable(NOON - seconds * SECOND), **fields)


def test_nothing_is_learned_from_nothing() -> None:
    assert Past().history.learned() == NOTHING_LEARNED


def test_a_nodes_boot_counts_from_when_it_was_made_to_when_it_was_ready() -> None:
    past = Past()
    past.nodes.put(a_booting_node())
    assert past.boot() is None
    past.nodes.put(a_booting_node(ready=35 * SECOND))
    assert past.boot() == 35 * SECOND


def test_what_a_listing_shows_is_learned_as_well() -> None:
    past = Past(nodes=(a_booting_node(ready=35 * SECOND),), pods=(a_running_pod(),))
    learned = past.history.learned()
    assert (learned.node_boot, learned.boots) == (35 * SECOND, 1)
    assert (learned.fargate_start, learned.starts) == (40 * SECOND, 1)


@pytest.mark.parametrize(
    ("pods", "boot"),
    [
        pytest.param((waiting(20),), 55, id="its wait counts"),
        pytest.param((waiting(20, "a"), waiting(50, "b"), waiting(5, "c")), 85, id="the oldest of several"),
        pytest.param(
            (waiting(50, "a", nodeSelector={"pool": "db"}), waiting(20, "b")), 55, id="that could use it"
        ),
        pytest.param((waiting(7200, "a"), waiting(20, "b")), 55, id="not who has waited for ever"),
        pytest.param((a_pod(),), 35, id="not who was never tried"),
    ],
)
def test_a_node_was_asked_for_when_the_scheduler_first_found_none(pods: tuple[Pod, ...], boot: int) -> None:
    past = Past()
    for pod in pods:
        past.pods.put(pod)
    past.nodes.put(a_booting_node())
    for pod in pods:
        past.pods.drop(pod.key)
    past.nodes.put(a_booting_node(ready=35 * SECOND))
    assert past.boot() == boot * SECOND


def test_the_claim_says_best_when_its_node_was_asked_for() -> None:
    past = Past(claims=(a_claim(),))
    past.pods.put(waiting(300))
    past.nodes.put(a_booting_node(provider=PROVIDER))
    past.nodes.put(a_booting_node(provider=PROVIDER, ready=35 * SECOND))
    assert past.boot() == 65 * SECOND


def test_a_claim_that_becomes_known_later_puts_it_right() -> None:
    past = Past(nodes=(a_booting_node(provider=PROVIDER, ready=35 * SECOND),))
    past.claims.put(a_claim(nodeName="ec2-9"))
    learned = past.history.learned()
    assert (learned.node_boot, learned.boots) == (65 * SECOND, 1)


def test_a_node_that_becomes_ready_again_is_not_another_boot() -> None:
    past = Past(nodes=(a_booting_node(ready=35 * SECOND),))
    past.nodes.put(a_booting_node())
    past.nodes.put(a_booting_node(ready=600 * SECOND))
    assert (past.boot(), past.history.learned().boots) == (35 * SECOND, 1)


def test_a_node_that_was_made_again_under_its_name_is() -> None:
    past = Past(nodes=(a_booting_node(ready=35 * SECOND),))
    past.nodes.drop("ec2-9")
    past.nodes.put(a_booting_node(ready=45 * SECOND))
    assert past.boot() == 45 * SECOND


@pytest.mark.parametrize(
    "node",
    [
        pytest.param(a_booting_node(ready=timedelta(hours=3)), id="was Ready before we came"),
        pytest.param(a_booting_node(ready=-5 * SECOND), id="Ready before it was made"),
        pytest.param(a_node(), id="no times"),
        pytest.param(a_virtual_node("fargate-1b"), id="virtual"),
    ],
)
def test_times_that_say_nothing_are_not_learned_from(node: Node) -> None:
    assert Past(nodes=(node,)).boot() is None


def test_a_pod_counts_from_its_binding_to_its_last_container() -> None:
    past = Past()
    past.pods.put(a_running_pod(started=(30 * SECOND, None), phase="Pending"))
    past.pods.put(a_running_pod(started=(30 * SECOND, None)))
    assert past.start() is None
    past.pods.put(a_running_pod(started=(30 * SECOND, 45 * SECOND)))
    assert past.start() == 45 * SECOND


@pytest.mark.parametrize(
    "pod",
    [
        pytest.param(a_running_pod(node="ec2-0"), id="on a real node"),
        pytest.param(a_running_pod(bound=None), id="bound nobody knows when"),
        pytest.param(a_running_pod(restarts=1), id="restarted since"),
        pytest.param(a_running_pod(started=()), id="without containers"),
        pytest.param(a_running_pod(started=(-5 * SECOND,)), id="running before it was bound"),
        pytest.param(a_running_pod(started=(timedelta(hours=1),)), id="an hour later"),
        pytest.param(a_running_pod(status={"containerStatuses": [{"state": "odd"}]}), id="unreadable"),
    ],
)
def test_a_pod_that_says_nothing_of_fargate_is_not_learned_from(pod: Pod) -> None:
    assert Past(nodes=(a_node("ec2-0"),), pods=(pod,)).start() is None


def test_a_pod_counts_once() -> None:
    past = Past()
    past.pods.put(a_running_pod())
    past.pods.put(a_running_pod(metadata={"resourceVersion": "2"}))
    assert past.history.learned().starts == 1


def test_pods_that_are_known_before_their_node_are_learned_from_once_it_is() -> None:
    past = Past()
    past.pods.put(a_running_pod(node="fargate-1b"))
    past.nodes.put(a_virtual_node("fargate-1b"))
    assert past.start() == 40 * SECOND


def test_nothing_is_kept_of_what_is_gone() -> None:
    past = Past()
    for number in range(50):
        past.nodes.put(a_booting_node(f"n{number}"))
        past.nodes.drop(f"n{number}")
        past.nodes.put(a_booting_node(f"n{number}", ready=SECOND))
        past.nodes.drop(f"n{number}")
        past.pods.put(a_running_pod(f"p{number}"))
        past.pods.drop(f"shop/p{number}")
    kept = vars(past.history)
    assert (kept["_asked"], kept["_booted"], kept["_started"]) == ({}, set(), set())
    assert past.history.learned().boots == past.history.learned().starts == 20
