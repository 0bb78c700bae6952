import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.extender.cluster import gauge
from app.extender.cluster.facts import Coming
from app.extender.cluster.pressure import Pressure
from app.extender.cluster.snapshot import Snapshot
from app.extender.cluster.watermark import Watermark
from app.model import names
from app.model.node import Node
from app.model.pod import Pod
from app.model.resources import Resources
from tests.builders import (
    NOON,
    VIRTUAL,
    a_node,
    a_pod,
    a_virtual_node,
    opted_in_toleration,
    owned_by,
    unschedulable,
)
from tests.fakes import FakeWatched

GIB = 2**30
ARM: dict[str, Any] = {"nodeSelector": {names.ARCH_LABEL: "arm64"}}


class Shown:
    """Two nodes of 2 cores and 4 GiB, one of them arm64, and whatever the test adds."""

    def __init__(self, *nodes: Node) -> None:
        self.pods: FakeWatched[Pod] = FakeWatched()
        arm = a_node("arm", labels={names.ARCH_LABEL: "arm64"})
        self.nodes = FakeWatched(nodes or (a_node("amd"), arm, a_virtual_node()))
        self.snapshot = Snapshot(self.pods, self.nodes)

    def all(self, *, now: datetime = NOON, coming: tuple[Coming, ...] = ()) -> dict[str, Pressure]:
        """By the pod's name."""
        facts = self.snapshot.facts(virtual=(), namespaces={}, grants={}, coming=coming, now=now)
        by_uid = {pod.uid: pod.metadata.name for pod in self.pods.all()}
        return {by_uid[uid]: each for uid, each in facts.pressure.items()}

    def of(self, name: str = "asks", **words: Any) -> Pressure:
        """Where an Unschedulable pod of such words could go."""
        self.pods.put(a_pod(name, uid=f"uid-{name}", status=unschedulable(), **words))
        return self.all()[name]


def test_the_sums_are_of_the_nodes_that_the_pod_could_use() -> None:
    shown = Shown()
    shown.pods.put(a_pod("web", node="amd", cpu="1500m", memory="1Gi"))
    shown.pods.put(a_pod("other", node="arm", cpu="1", memory="3Gi"))
    anywhere, on_arm = shown.of("asks"), shown.of("arm", **ARM)
    assert (anywhere.nodes, on_arm.nodes) == (2, 1)
    assert anywhere.allocatable == Resources(cpu_milli=4000, memory=8 * GIB, pods=220)
    assert anywhere.used == Resources(cpu_milli=2500, memory=4 * GIB, pods=2)
    assert (on_arm.cpu, on_arm.memory, on_arm.pods) == (0.5, 0.75, 1 / 110)


def test_the_level_is_the_largest_share() -> None:
    shown = Shown()
    shown.pods.put(a_pod("web", node="arm", cpu="1", memory="3Gi"))
    assert shown.of(**ARM).level == 0.75


def test_pod_slots_count_as_cpu_and_memory_do() -> None:
    shown = Shown(a_node("small", pods="4"))
    for number in range(3):
        shown.pods.put(a_pod(f"web-{number}", node="small", cpu="1m", memory="1Mi"))
    assert shown.of().level == 0.75


def test_where_there_is_no_node_there_is_no_room() -> None:
    pressure = Shown().of(nodeSelector={"pool": "none"})
    assert (pressure.nodes, pressure.level) == (0, 1.0)


def test_placeholders_take_nothing_and_do_not_wait() -> None:
    shown = Shown()
    shown.pods.put(a_pod("pause", node="amd", priority=-5))
    shown.pods.put(a_pod("pause-2", priority=-5, status=unschedulable()))
    pressure = shown.of()
    assert (pressure.used, pressure.pending) == (Resources(), 1)


@pytest.mark.parametrize(
    "node",
    [
        pytest.param(a_node("amd", ready=False), id="not Ready"),
        pytest.param(
            msgspec.structs.replace(
                a_node("amd"), spec=msgspec.structs.replace(a_node().spec, unschedulable=True)
            ),
            id="cordoned",
        ),
        pytest.param(a_node("amd", taints=[{"key": "team", "effect": "NoSchedule"}]), id="tainted"),
        pytest.param(a_node("amd", labels={names.ARCH_LABEL: "s390x"}), id="relabelled"),
        pytest.param(a_virtual_node("amd"), id="virtual"),
    ],
)
def test_a_node_that_stops_taking_such_pods_leaves_with_what_it_held(node: Node) -> None:
    shown = Shown(a_node("amd"))
    shown.pods.put(a_pod("web", node="amd"))
    words: dict[str, Any] = {"nodeSelector": {names.ARCH_LABEL: "amd64"}}
    assert shown.of(**words).nodes == 1
    shown.nodes.put(node)
    left = shown.of(**words)
    assert (left.nodes, left.allocatable, left.used) == (0, Resources(), Resources())
    assert (left.pending, left.rejected) == (1, 1)
    shown.nodes.put(a_node("amd"))
    assert shown.of(**words).used == _half(1)


def test_a_taint_of_the_nodes_passing_state_keeps_nobody_out() -> None:
    passing = [{"key": "node.kubernetes.io/memory-pressure", "effect": "NoSchedule"}]
    assert Shown(a_node("amd", taints=passing)).of().nodes == 1


def test_who_waits_for_any_of_the_nodes_is_pending_opted_in_or_not() -> None:
    shown = Shown()
    shown.of("one")
    shown.of("two", tolerations=[opted_in_toleration()])
    on_arm = shown.of("three", cpu="1", **ARM)
    elsewhere = shown.of("four", nodeSelector={"pool": "none"})
    assert (on_arm.pending, on_arm.wanted) == (3, Resources(cpu_milli=2000, memory=GIB + GIB // 2, pods=3))
    assert (elsewhere.pending, elsewhere.rejected) == (1, 1)


@pytest.mark.parametrize(
    "pod",
    [
        pytest.param(a_pod("asks"), id="not tried yet"),
        pytest.param(
            a_pod("asks", status=unschedulable(), metadata=owned_by("DaemonSet")), id="of a DaemonSet"
        ),
        pytest.param(a_pod("asks", status=unschedulable(), phase="Failed"), id="ended"),
    ],
)
def test_who_does_not_wait_for_room_is_not_asked_for(pod: Pod) -> None:
    shown = Shown()
    shown.pods.put(pod)
    assert shown.all() == {}


def test_overflow_pods_are_measured_too_and_wait_for_nothing() -> None:
    shown = Shown()
    shown.pods.put(a_pod("over", node=VIRTUAL, phase="Running", **ARM))
    assert shown.all()["over"].nodes == 1
    assert shown.all()["over"].pending == 0


def test_rejections_count_for_a_while_whatever_became_of_the_pod() -> None:
    shown = Shown()
    shown.of("first")
    shown.of("second")
    shown.pods.put(a_pod("first", uid="uid-first", node="amd"))
    assert (shown.of("second").pending, shown.of("second").rejected) == (1, 2)
    assert shown.all(now=NOON + timedelta(minutes=6))["second"].rejected == 0


def test_a_rejection_that_is_dated_after_now_grows_old_as_any_other() -> None:
    shown = Shown()
    shown.of("asks")
    yesterday = NOON - timedelta(days=1)
    assert shown.all(now=yesterday)["asks"].rejected == 1
    assert shown.all(now=yesterday + timedelta(minutes=6))["asks"].rejected == 0


def test_nodes_on_their_way_are_counted_where_the_pod_could_use_them() -> None:
    shown = Shown()
    node = a_node("new", labels={names.ARCH_LABEL: "arm64"}, ready=False)
    coming = Coming(node=node, room=Resources(cpu_milli=8000, pods=58), since=NOON, source="node")
    shown.of("arm", **ARM)
    shown.of("amd", nodeSelector={names.ARCH_LABEL: "amd64"})
    found = shown.all(coming=(coming, coming))
    assert (found["arm"].coming, found["arm"].coming_room) == (2, Resources(cpu_milli=16000, pods=116))
    assert (found["amd"].coming, found["amd"].coming_room) == (0, Resources())


def test_without_a_time_nothing_is_measured() -> None:
    shown = Shown()
    shown.of()
    assert shown.snapshot.facts(virtual=(), namespaces={}, grants={}).pressure == {}


def test_reaches_beyond_the_most_are_left_out_and_those_in_use_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gauge, "MOST_REACHES", 3)
    shown = Shown()
    for number in range(5):
        shown.pods.put(
            a_pod(
                f"web-{number}", uid=f"uid-{number}", status=unschedulable(), nodeSelector={"n": str(number)}
            )
        )
    assert set(shown.all()) == {"web-0", "web-1", "web-2"}
    shown.pods.drop("shop/web-1")
    assert set(shown.all()) == {"web-0", "web-2", "web-3"}


def test_new_reaches_beyond_a_turns_share_come_a_turn_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gauge, "NEW_REACHES", 1)
    shown = Shown()
    shown.pods.put(a_pod("one", status=unschedulable(), nodeSelector={"n": "1"}))
    shown.pods.put(a_pod("two", status=unschedulable(), nodeSelector={"n": "2"}))
    assert set(shown.all()) == {"one"}
    found = shown.all()
    assert (found["two"].pending, found["two"].rejected) == (1, 1)


def test_the_mark_follows_the_level_no_faster_than_the_dwell_time() -> None:
    shown = Shown(a_node("ec2-0"))
    shown.of("asks")
    shown.pods.put(a_pod("web", uid="web", node="ec2-0", cpu="1900m"))
    minute = timedelta(minutes=1)
    assert shown.all(now=NOON + minute / 2)["asks"].mark == Watermark("low", NOON)
    assert shown.all(now=NOON + minute)["asks"].mark == Watermark("high", NOON + minute)
    shown.pods.drop("shop/web")
    assert shown.all(now=NOON + 1.5 * minute)["asks"].mark == Watermark("high", NOON + minute)
    assert shown.all(now=NOON + 2 * minute)["asks"].mark == Watermark("low", NOON + 2 * minute)


def _unmarked(found: dict[str, Pressure]) -> dict[str, Pressure]:
    """Without what depends on when somebody first looked."""
    return {name: msgspec.structs.replace(each, mark=None, changes_at=None) for name, each in found.items()}


def _half(pods: int) -> Resources:
    return Resources(cpu_milli=500 * pods, memory=pods * GIB // 2, pods=pods)


_LABELS = st.sampled_from(["a", "b"])
_CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("node"), st.integers(0, 2), _LABELS, st.booleans()),
        st.tuples(st.just("gone"), st.integers(0, 2), _LABELS, st.booleans()),
        st.tuples(st.just("bind"), st.integers(0, 4), st.sampled_from(["n0", "n1", "n2"]), st.booleans()),
        st.tuples(st.just("ask"), st.integers(0, 4), _LABELS, st.booleans()),
    ),
    max_size=25,
)


def _node(shown: Shown, number: int, label: str, flag: bool) -> None:
    taints = [{"key": "t", "effect": "NoSchedule"}] if number == 0 and flag else []
    shown.nodes.put(a_node(f"n{number}", labels={"l": label}, ready=not flag, taints=taints))


def _gone(shown: Shown, number: int, label: str, flag: bool) -> None:
    if shown.nodes.get(f"n{number}"):
        shown.nodes.drop(f"n{number}")


def _bind(shown: Shown, number: int, label: str, flag: bool) -> None:
    shown.pods.put(a_pod(f"p{number}", uid=f"u{number}", node=label, priority=-1 if flag else 0))


def _ask(shown: Shown, number: int, label: str, flag: bool) -> None:
    words: dict[str, Any] = {"tolerations": [{"operator": "Exists"}]} if flag else {}
    pod = a_pod(f"p{number}", uid=f"u{number}", status=unschedulable(), nodeSelector={"l": label}, **words)
    shown.pods.put(pod)


_DO: dict[str, Callable[[Shown, int, str, bool], None]] = {
    "node": _node,
    "gone": _gone,
    "bind": _bind,
    "ask": _ask,
}


@given(_CHANGES)
def test_following_every_change_measures_what_looking_afresh_measures(
    changes: list[tuple[str, int, str, bool]],
) -> None:
    shown = Shown(a_node("n0", labels={"l": "a"}))
    for kind, number, label, flag in changes:
        _DO[kind](shown, number, label, flag)
        shown.all()
    afresh = Shown(*shown.nodes.all()) if shown.nodes.all() else Shown(a_virtual_node())
    for pod in shown.pods.all():
        afresh.pods.put(pod)
    late = NOON + timedelta(hours=1)
    assert _unmarked(shown.all(now=late)) == _unmarked(afresh.all(now=late))


def test_a_turn_over_5000_nodes_and_50_reaches_costs_milliseconds() -> None:
    shown = Shown(*(a_node(f"n{each}", labels={"pool": str(each % 50)}) for each in range(5000)))
    for number in range(500):
        shown.pods.put(a_pod(f"p{number}", status=unschedulable(), nodeSelector={"pool": str(number % 50)}))
    for _ in range(15):
        shown.all()
    took = []
    for _ in range(5):
        begun = time.thread_time()
        shown.snapshot.facts(virtual=(), namespaces={}, grants={}, now=NOON)
        took.append(time.thread_time() - begun)
    assert min(took) < 0.05
