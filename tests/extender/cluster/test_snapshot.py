from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.extender.cluster.facts import Facts
from app.extender.cluster.snapshot import Snapshot
from app.model.node import Node, is_virtual
from app.model.pod import Pod
from app.model.resources import Resources
from tests.builders import NOON, VIRTUAL, a_node, a_pod, a_virtual_node
from tests.fakes import FakeWatched

HALF = Resources(cpu_milli=500, memory=512 * 2**20, pods=1)
NOTHING = Resources()


class Shown:
    """A cluster that the test changes, and the snapshot that follows it."""

    def __init__(self, *nodes: Node) -> None:
        self.pods: FakeWatched[Pod] = FakeWatched()
        self.nodes = FakeWatched(nodes or (a_virtual_node(), a_node()))
        self.snapshot = Snapshot(self.pods, self.nodes)

    def facts(self, snapshot: Snapshot | None = None) -> Facts:
        virtual = [each for each in self.nodes.all() if is_virtual(each)]
        return (snapshot or self.snapshot).facts(virtual=virtual, namespaces={}, grants={})

    def used(self) -> Resources:
        return self.facts().real["ec2-0"].used


def bound(pod: Pod, node: str) -> Pod:
    return msgspec.structs.replace(pod, spec=msgspec.structs.replace(pod.spec, node_name=node))


def in_phase(pod: Pod, phase: str) -> Pod:
    return msgspec.structs.replace(pod, status=msgspec.structs.replace(pod.status, phase=phase))


def test_pods_are_found_by_where_they_are() -> None:
    shown = Shown()
    waiting = a_pod("waiting")
    landed = a_pod("landed", node=VIRTUAL, phase="Running")
    leaving = a_pod("leaving", metadata={"deletionTimestamp": NOON.isoformat()})
    for pod in (waiting, landed, a_pod("elsewhere", node="ec2-0"), a_pod("over", phase="Failed"), leaving):
        shown.pods.put(pod)
    facts = shown.facts()
    assert facts.unbound == {waiting.uid: waiting}
    assert facts.on_virtual == {VIRTUAL: (landed,)}


def test_a_pod_holds_room_from_its_binding_to_its_end() -> None:
    shown = Shown()
    pod = a_pod()
    shown.pods.put(pod)
    assert shown.used() == NOTHING
    shown.pods.put(bound(pod, "ec2-0"))
    assert shown.used() == HALF
    shown.pods.put(in_phase(bound(pod, "ec2-0"), "Succeeded"))
    assert shown.used() == NOTHING


@pytest.mark.parametrize(
    "leave",
    [
        pytest.param(lambda shown, pod: shown.pods.drop(pod.key), id="deleted"),
        pytest.param(lambda shown, pod: shown.pods.put(a_pod(pod.metadata.name)), id="replaced, name reused"),
    ],
)
def test_a_pod_that_is_gone_leaves_nothing_behind(leave: Callable[[Shown, Pod], None]) -> None:
    shown = Shown()
    on_real, on_virtual = a_pod("one", node="ec2-0"), a_pod("two", node=VIRTUAL)
    for pod in (on_real, on_virtual):
        shown.pods.put(pod)
        leave(shown, pod)
    assert shown.used() == NOTHING
    assert shown.facts().on_virtual == {VIRTUAL: ()}


def test_placeholders_are_counted_apart_and_do_not_fill_a_node() -> None:
    shown = Shown()
    shown.pods.put(a_pod("pause", node="ec2-0", priority=-5))
    node = shown.facts().real["ec2-0"]
    assert (node.used, node.placeholders) == (NOTHING, HALF)
    assert node.free == node.allocatable


def test_a_pod_seen_before_its_node_counts_once_the_node_is_there() -> None:
    shown = Shown(a_node())
    pod = a_pod(node=VIRTUAL)
    shown.pods.put(pod)
    shown.nodes.put(a_virtual_node())
    assert shown.facts().on_virtual == {VIRTUAL: (pod,)}


def test_a_node_that_is_gone_is_no_longer_shown() -> None:
    shown = Shown()
    shown.pods.put(a_pod(node="ec2-0"))
    shown.nodes.drop("ec2-0")
    assert dict(shown.facts().real) == {}


def test_facts_do_not_change_under_the_hand_that_holds_them() -> None:
    shown = Shown()
    before = shown.facts()
    shown.pods.put(a_pod(node="ec2-0"))
    assert (before.real["ec2-0"].used, shown.used()) == (NOTHING, HALF)


_EVENTS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(["", "ec2-0", "ec2-1", VIRTUAL]),
        st.sampled_from(["Pending", "Running", "Failed", "gone"]),
        st.sampled_from(["250m", "1"]),
    ),
    max_size=30,
)


@given(_EVENTS)
def test_following_every_change_shows_what_looking_afresh_shows(
    events: list[tuple[int, str, str, str]],
) -> None:
    shown = Shown(a_virtual_node(), a_node(), a_node("ec2-1"))
    for number, node, phase, cpu in events:
        pod = a_pod(f"web-{number}", uid=f"uid-{number}", node=node, phase=phase, cpu=cpu)
        if phase != "gone":
            shown.pods.put(pod)
        elif shown.pods.get(pod.key):
            shown.pods.drop(pod.key)
        shown.facts()
    afresh = shown.facts(Snapshot(FakeWatched(shown.pods.all()), FakeWatched(shown.nodes.all())))
    followed = shown.facts()
    assert dict(followed.real) == dict(afresh.real)
    assert followed.unbound == afresh.unbound
    assert {name: set(map(id, pods)) for name, pods in followed.on_virtual.items()} == {
        name: set(map(id, pods)) for name, pods in afresh.on_virtual.items()
    }
