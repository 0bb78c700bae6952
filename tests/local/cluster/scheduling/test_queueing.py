from collections.abc import Sequence

import msgspec
import pytest

from app.local.cluster.scheduling.hints import EXTENDER, NodeChange, PodChange
from app.local.cluster.scheduling.queueing import FLUSH_AFTER, Entry, SchedulingQueue
from app.model.pod import Pod
from tests.builders import a_node, a_pod, a_virtual_node, unschedulable

FIT = frozenset({"NodeResourcesFit"})
BY_EXTENDER = frozenset({EXTENDER})
ANNOTATED = NodeChange.of(a_virtual_node(), a_virtual_node(annotations={"spillway.dev/grants": "[]"}))
GROWN = NodeChange.of(a_virtual_node(), a_virtual_node(cpu="4", memory="8Gi", pods="4"))


def a_queue(*pods: Pod) -> SchedulingQueue:
    queue = SchedulingQueue()
    for pod in pods:
        queue.add(pod)
    return queue


def taken(queue: SchedulingQueue, now: float = 0.0) -> Entry:
    entry = queue.pop(now=now)
    assert entry is not None
    return entry


def a_rejected_pod(rejectors: frozenset[str], *, attempts: int = 1) -> tuple[SchedulingQueue, Pod]:
    pod = a_pod()
    queue = a_queue(pod)
    entry = taken(queue)
    entry.attempts = attempts - 1
    queue.rejected(entry, pod, rejectors, now=0.0)
    return queue, pod


def test_higher_priority_goes_first_then_whoever_came_first() -> None:
    first, second, urgent = a_pod("first"), a_pod("second"), a_pod("urgent", priority=5)
    queue = a_queue(first, second, urgent)
    order = [taken(queue).pod.metadata.name for _ in range(3)]
    assert order == ["urgent", "first", "second"]


def test_a_rejected_pod_waits_for_something_that_may_help() -> None:
    queue, _ = a_rejected_pod(FIT)
    queue.changed(ANNOTATED, now=1.0)
    assert queue.pop(now=1.0) is None
    queue.changed(GROWN, now=1.0)
    assert queue.pop(now=1.0) is not None


def test_an_annotation_on_a_node_wakes_pods_that_an_extender_rejected() -> None:
    queue, pod = a_rejected_pod(BY_EXTENDER)
    queue.changed(ANNOTATED, now=1.0)
    assert taken(queue, 1.0).pod == pod


def test_a_heartbeat_wakes_nobody() -> None:
    queue, _ = a_rejected_pod(BY_EXTENDER)
    queue.changed(NodeChange.of(a_node(), a_node()), now=1.0)
    assert queue.pop(now=1.0) is None


def test_a_change_during_the_attempt_is_not_lost() -> None:
    pod = a_pod()
    queue = a_queue(pod)
    entry = taken(queue)
    queue.changed(GROWN, now=0.0)
    queue.rejected(entry, pod, FIT, now=0.0)
    assert taken(queue).pod == pod


def test_the_schedulers_own_condition_gives_an_extender_rejected_pod_one_more_try() -> None:
    queue, pod = a_rejected_pod(BY_EXTENDER)
    told = msgspec.structs.replace(pod, status=a_pod(status=unschedulable()).status)
    queue.update(pod, told, now=0.0)
    entry = taken(queue)
    queue.rejected(entry, told, BY_EXTENDER, now=0.0)
    assert queue.pop(now=0.0) is None


def test_the_schedulers_own_condition_does_not_wake_a_pod_without_room() -> None:
    queue, pod = a_rejected_pod(FIT)
    told = msgspec.structs.replace(pod, status=a_pod(status=unschedulable()).status)
    queue.update(pod, told, now=0.0)
    assert queue.pop(now=0.0) is None


def test_a_pod_that_leaves_makes_room() -> None:
    queue, pod = a_rejected_pod(FIT)
    queue.changed(PodChange.of(a_pod(node="ec2-0"), None), now=0.0)
    assert taken(queue).pod == pod


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [
        pytest.param(1, 1.0, id="first"),
        pytest.param(2, 2.0, id="second"),
        pytest.param(4, 8.0, id="fourth"),
        pytest.param(5, 10.0, id="never-more-than-ten"),
        pytest.param(60, 10.0, id="long-after"),
    ],
)
def test_errors_back_off(failures: int, seconds: float) -> None:
    pod = a_pod()
    queue = a_queue(pod)
    entry = taken(queue)
    entry.errors = failures - 1
    queue.rejected(entry, pod, frozenset(), now=100.0)
    assert queue.pop(now=100.0 + seconds - 0.01) is None
    assert queue.next_wake() == 100.0 + seconds
    assert queue.pop(now=100.0 + seconds) is not None


def test_a_backing_off_pod_yields_to_active_ones_but_does_not_wait_in_an_idle_queue() -> None:
    queue, pod = a_rejected_pod(FIT)
    other = a_pod("other")
    queue.changed(GROWN, now=0.0)
    queue.add(other)
    assert [taken(queue).pod, taken(queue).pod] == [other, pod]


def test_a_pod_that_nothing_helps_is_tried_again_after_five_minutes() -> None:
    queue, pod = a_rejected_pod(FIT)
    assert queue.pop(now=FLUSH_AFTER - 1) is None
    assert taken(queue, FLUSH_AFTER).pod == pod


def test_a_removed_pod_is_never_tried() -> None:
    pod = a_pod()
    queue = a_queue(pod)
    queue.remove(pod.uid)
    assert queue.pop(now=0.0) is None


@pytest.mark.parametrize(
    ("before", "after", "rejectors"),
    [
        pytest.param(
            [],
            [{"key": "virtual-kubelet.io/provider", "operator": "Exists"}],
            {"TaintToleration"},
            id="toleration",
        ),
    ],
)
def test_a_toleration_added_to_the_pod_brings_it_back(
    before: Sequence[object], after: Sequence[object], rejectors: set[str]
) -> None:
    queue, pod = a_rejected_pod(frozenset(rejectors))
    tolerant = msgspec.structs.replace(pod, spec=a_pod(tolerations=list(after)).spec)
    queue.update(pod, tolerant, now=0.0)
    assert taken(queue).pod == tolerant


def test_a_new_node_with_too_little_room_wakes_nobody() -> None:
    queue, _ = a_rejected_pod(FIT)
    small = a_node(cpu="100m")
    queue.changed(NodeChange.of(None, small), now=0.0)
    assert queue.pop(now=0.0) is None
    queue.changed(NodeChange.of(None, a_node()), now=0.0)
    assert queue.pop(now=0.0) is not None
