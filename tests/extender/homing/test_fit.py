from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.extender.homing.fit import Berths, unjudged
from app.model.node import Node, NodeSpec
from app.model.pod import Pod
from tests.builders import a_container, a_node, a_pod, owned_by, unschedulable
from tests.extender.fakes import pin
from tests.extender.plans import facts_of


def berths(*pods: Pod, nodes: tuple[Node, ...] = (a_node(),)) -> Berths:
    """The room on nodes with these pods."""
    return Berths(facts_of(pods, nodes=nodes).real.values())


def a_cordoned_node() -> Node:
    return msgspec.structs.replace(a_node(), spec=NodeSpec(unschedulable=True))


def waiting(name: str, **fields: Any) -> Pod:
    return a_pod(name, status=unschedulable(), **fields)


def test_room_is_taken_pod_by_pod_until_there_is_none() -> None:
    room = berths(nodes=(a_node(cpu="1"),))
    assert [room.seat(a_pod()), room.seat(a_pod()), room.seat(a_pod())] == ["ec2-0", "ec2-0", None]


def test_what_runs_on_a_node_is_not_free() -> None:
    room = berths(a_pod(cpu="1600m", node="ec2-0", phase="Running"))
    assert room.seat(a_pod()) is None


def test_a_smaller_pod_of_the_same_controller_is_tried_although_a_larger_did_not_fit() -> None:
    room = berths(nodes=(a_node(cpu="500m"),))
    assert room.seat(a_pod(cpu="1", metadata=owned_by("ReplicaSet"))) is None
    assert room.seat(a_pod(cpu="250m", metadata=owned_by("ReplicaSet"))) == "ec2-0"


def test_a_pod_that_no_node_suits_speaks_for_no_unlike_one_of_its_controller() -> None:
    room, owned = berths(), owned_by("Workflow", "wf")
    assert room.seat(a_pod("picky", metadata=owned, nodeSelector={"disk": "none"})) is None
    assert room.seat(a_pod("plain", metadata=owned)) == "ec2-0"


def test_a_pod_that_bears_a_passing_taint_is_not_like_one_that_does_not() -> None:
    taint = {"key": "node.kubernetes.io/disk-pressure", "effect": "NoSchedule"}
    room = berths(nodes=(a_node(taints=[taint]),))
    bears = [{"key": taint["key"], "operator": "Exists"}]
    assert room.seat(a_pod("plain", metadata=owned_by("Workflow"))) is None
    assert room.seat(a_pod("bears", metadata=owned_by("Workflow"), tolerations=bears)) == "ec2-0"


def test_many_pods_of_a_kind_fill_one_node_after_the_other() -> None:
    room = berths(nodes=(a_node("ec2-0", cpu="1"), a_node("ec2-1", cpu="1")))
    found = [room.seat(a_pod(f"p{n}", metadata=owned_by("ReplicaSet"))) for n in range(5)]
    assert found == ["ec2-0", "ec2-0", "ec2-1", "ec2-1", None]


@pytest.mark.parametrize(
    "node",
    [
        pytest.param(a_node(ready=False), id="not ready"),
        pytest.param(a_cordoned_node(), id="cordoned"),
        pytest.param(a_node(taints=[{"key": "gpu", "effect": "NoSchedule"}]), id="tainted"),
        pytest.param(
            a_node(taints=[{"key": "DeletionCandidateOfClusterAutoscaler", "effect": "PreferNoSchedule"}]),
            id="about to be scaled in",
        ),
        pytest.param(a_node(labels={"kubernetes.io/arch": "arm64"}), id="other architecture"),
        pytest.param(a_node(pods="0"), id="no pod slot"),
    ],
)
def test_a_node_that_does_not_take_the_pod_is_no_home(node: Node) -> None:
    assert berths(nodes=(node,)).seat(a_pod(nodeSelector={"kubernetes.io/arch": "amd64"})) is None


def test_placeholders_keep_their_room() -> None:
    room = berths(a_pod("keeper", cpu="2", priority=-10, node="ec2-0", phase="Running"))
    assert room.seat(a_pod()) is None


def test_placeholders_make_way_where_they_may_be_pushed_aside() -> None:
    room = berths(a_pod("keeper", cpu="2", priority=-10, node="ec2-0", phase="Running"))
    found = [room.seat(a_pod(cpu="1"), aside=True) for _ in range(3)]
    assert found == ["ec2-0", "ec2-0", None]


def test_pods_that_wait_for_a_node_come_first() -> None:
    room = berths()
    room.give_way([waiting("large", cpu="1800m")])
    assert room.seat(a_pod()) is None


def test_a_waiting_pod_that_fits_nowhere_takes_nothing() -> None:
    room = berths()
    room.give_way([waiting("huge", cpu="64")])
    assert room.seat(a_pod()) == "ec2-0"


def test_a_gated_pod_takes_nothing() -> None:
    room = berths()
    room.give_way([a_pod("gated", cpu="2", schedulingGates=[{"name": "later"}])])
    assert room.seat(a_pod()) == "ec2-0"


def test_a_waiting_pod_pushes_placeholders_aside_only_where_nothing_is_free() -> None:
    nodes = (a_node("ec2-0"), a_node("ec2-1"))
    room = berths(a_pod("keeper", cpu="2", priority=-10, node="ec2-0", phase="Running"), nodes=nodes)
    room.give_way([waiting("first", cpu="2")])
    assert room.seat(a_pod()) is None
    assert room.seat(a_pod(), aside=True) == "ec2-0"


@pytest.mark.parametrize(
    "pod",
    [
        pytest.param(a_pod("next", cpu="2", status={"nominatedNodeName": "ec2-0"}), id="nominated"),
        pytest.param(
            a_pod("agent", cpu="2", affinity=pin("ec2-0"), metadata=owned_by("DaemonSet")),
            id="of a DaemonSet",
        ),
    ],
)
def test_a_pod_with_a_node_of_its_own_takes_its_room_there_though_others_use_it(pod: Pod) -> None:
    room = berths(a_pod("victim", cpu="1", node="ec2-0", phase="Running"))
    room.give_way([pod])
    assert room.seat(a_pod(cpu="1m")) is None


SPREAD = {"topologyKey": "topology.kubernetes.io/zone", "maxSkew": 1, "labelSelector": {}}
RULE = [{"topologyKey": "kubernetes.io/hostname", "labelSelector": {}}]
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


@pytest.mark.parametrize(
    ("spec", "fields"),
    [
        pytest.param({}, (), id="nothing"),
        pytest.param(
            {"topologySpreadConstraints": [{**SPREAD, "whenUnsatisfiable": "DoNotSchedule"}]},
            ("topologySpreadConstraints",),
            id="hard spread",
        ),
        pytest.param(
            {"topologySpreadConstraints": [{**SPREAD, "whenUnsatisfiable": "ScheduleAnyway"}]},
            (),
            id="soft spread",
        ),
        pytest.param(
            {"affinity": {"podAntiAffinity": {REQUIRED: RULE}}}, ("affinity.podAntiAffinity",), id="apart"
        ),
        pytest.param({"affinity": {"podAffinity": {REQUIRED: RULE}}}, ("affinity.podAffinity",), id="near"),
        pytest.param({"affinity": {"podAntiAffinity": {PREFERRED: RULE}}}, (), id="rather apart"),
        pytest.param(
            {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]},
            ("volumes",),
            id="claim",
        ),
        pytest.param(
            {"volumes": [{"name": "data", "hostPath": {"path": "/"}}]}, ("volumes",), id="host path"
        ),
        pytest.param(
            {"volumes": [{"name": "tmp", "emptyDir": {}}, {"name": "c", "configMap": {"name": "c"}}]},
            (),
            id="volumes that every node has",
        ),
        pytest.param({"resourceClaims": [{"name": "gpu"}]}, ("resourceClaims",), id="devices"),
        pytest.param(
            {"containers": [a_container(ports=[{"containerPort": 80, "hostPort": 80}])]},
            ("hostPort",),
            id="host port",
        ),
    ],
)
def test_what_is_not_simulated_is_named(spec: dict[str, Any], fields: tuple[str, ...]) -> None:
    assert unjudged(a_pod(**spec)) == fields


def test_a_pod_whose_quantities_mean_nothing_fits_nowhere() -> None:
    assert berths().seat(a_pod(cpu="much")) is None


@given(
    rooms=st.lists(st.integers(0, 4000), min_size=1, max_size=5),
    held=st.integers(0, 2000),
    sizes=st.lists(st.tuples(st.integers(1, 2500), st.booleans()), max_size=30),
)
def test_no_node_takes_more_than_it_has(rooms: list[int], held: int, sizes: list[tuple[int, bool]]) -> None:
    nodes = tuple(a_node(f"n{index}", cpu=f"{cpu}m") for index, cpu in enumerate(rooms))
    keeper = a_pod("keeper", cpu=f"{held}m", priority=-1, node="n0", phase="Running", memory="1Mi")
    room = berths(keeper, nodes=nodes)
    taken: Counter[str] = Counter()
    for cpu, aside in sizes:
        pod = a_pod(cpu=f"{cpu}m", memory="1Mi", metadata=owned_by("ReplicaSet"))
        taken[room.seat(pod, aside=aside) or "none"] += cpu
    assert all(taken[f"n{index}"] <= cpu for index, cpu in enumerate(rooms))


@given(sizes=st.lists(st.integers(1, 2500), max_size=30))
def test_who_is_turned_away_would_fit_nowhere(sizes: list[int]) -> None:
    left = {"n0": 2000, "n1": 3000}
    room = berths(nodes=(a_node("n0", cpu="2"), a_node("n1", cpu="3")))
    for cpu in sizes:
        where = room.seat(a_pod(cpu=f"{cpu}m", memory="1Mi", metadata=owned_by("ReplicaSet")))
        assert (where is None) == all(cpu > free for free in left.values())
        left[where or "none"] = left.get(where or "none", 0) - cpu
