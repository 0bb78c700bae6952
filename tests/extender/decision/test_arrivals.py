from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.extender.cluster.facts import Coming, Facts, Learned
from app.extender.decision.arrivals import seats
from app.extender.decision.decisions import Burst, Decision, Wait
from app.extender.decision.gate import plan
from app.extender.decision.hindrance import NODE_ON_ITS_WAY, GateConfig
from app.extender.decision.memory import NO_ARRIVALS, Arrivals, Memory
from app.model import names
from app.model.node import Node, allocatable
from app.model.pod import Pod
from tests.builders import NOON, a_node, a_pod, a_virtual_node, opted_in_toleration, unschedulable
from tests.extender.fakes import a_pressing_pod
from tests.extender.plans import facts_of, runnable

CONFIG = GateConfig()
MARGIN = CONFIG.arrival_margin
BOOT = timedelta(seconds=40)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def coming(node: Node | None = None, *, since: datetime = NOON) -> Coming:
    """A node that was asked for at that time."""
    node = node or a_node("new", ready=False)
    return Coming(node=node, room=allocatable(node), since=since, source="node")


def aged(name: str, age: int, **fields: Any) -> Pod:
    """A pressing pod that was created so many seconds before noon."""
    created = (NOON - seconds(age)).isoformat()
    return a_pressing_pod(name, uid=name, metadata={"creationTimestamp": created}, **fields)


def cluster(
    *pods: Pod,
    on_their_way: Sequence[Coming] = (),
    nodes: Sequence[Node] = (),
    boot: timedelta | None = BOOT,
    fargate_start: timedelta | None = None,
) -> Facts:
    facts = facts_of(pods, nodes=(a_virtual_node(), *nodes))
    learned = Learned(node_boot=boot, fargate_start=fargate_start)
    return msgspec.structs.replace(facts, coming=tuple(on_their_way), learned=learned)


def decided(facts: Facts, *, arrivals: Arrivals = NO_ARRIVALS) -> dict[str, Decision]:
    """The decision on each pod, by its name."""
    memory = Memory(arrivals=arrivals)
    made = plan(facts, memory, now=NOON, config=CONFIG, refusals=runnable)
    return {each.pod.metadata.name: each for each in made.decisions}


def test_a_pod_waits_for_a_node_that_will_be_there_before_fargate() -> None:
    pod = a_pressing_pod("web")
    made = plan(cluster(pod, on_their_way=[coming()]), Memory(), now=NOON, config=CONFIG, refusals=runnable)
    until = NOON + BOOT + MARGIN
    assert made.decisions == (Wait(pod, NODE_ON_ITS_WAY, until),)
    assert made.due == until


@pytest.mark.parametrize(
    ("since", "boot", "fargate_start", "waits"),
    [
        pytest.param(NOON, seconds(45), None, True, id="as soon as Fargate, by default"),
        pytest.param(NOON, seconds(46), None, False, id="later than Fargate, by default"),
        pytest.param(NOON, seconds(46), seconds(60), True, id="sooner than Fargate, as was learned"),
        pytest.param(NOON, seconds(40), seconds(30), False, id="later than Fargate, as was learned"),
        pytest.param(NOON - seconds(60), seconds(90), None, True, id="two thirds of its way are over"),
        pytest.param(NOON - seconds(50), seconds(40), None, True, id="overdue, within the margin"),
        pytest.param(NOON - seconds(55), seconds(40), None, False, id="overdue"),
        pytest.param(NOON, None, None, False, id="nobody knows how long nodes take"),
    ],
)
def test_the_nodes_expected_arrival_is_held_against_fargates_start(
    since: datetime, boot: timedelta | None, fargate_start: timedelta | None, waits: bool
) -> None:
    facts = cluster(
        a_pressing_pod("web"), on_their_way=[coming(since=since)], boot=boot, fargate_start=fargate_start
    )
    assert isinstance(decided(facts)["web"], Wait if waits else Burst)


def test_a_node_of_the_last_year_there_is_breaks_nothing() -> None:
    far = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    facts = cluster(a_pressing_pod("web"), on_their_way=[coming(since=far)])
    assert isinstance(decided(facts)["web"], Burst)


NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
GPU = {"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("node", "pod", "waits"),
    [
        pytest.param(a_node("new", ready=False, taints=[NOT_READY]), {}, True, id="a taint of its state"),
        pytest.param(a_node("new", taints=[GPU]), {}, False, id="a taint of its own"),
        pytest.param(
            a_node("new", taints=[GPU]),
            {"tolerations": [opted_in_toleration(), {**GPU, "operator": "Equal"}]},
            True,
            id="a taint that the pod tolerates",
        ),
        pytest.param(a_node("new"), {"nodeSelector": {names.OS_LABEL: "linux"}}, True, id="selected"),
        pytest.param(
            a_node("new", labels={names.ARCH_LABEL: "arm64"}),
            {"nodeSelector": {names.ARCH_LABEL: "amd64"}},
            False,
            id="not selected",
        ),
        pytest.param(a_node("new", cpu="400m"), {}, False, id="too small"),
        pytest.param(a_node("new", pods="0"), {}, False, id="without a slot"),
    ],
)
def test_a_pod_waits_only_for_a_node_that_takes_it(node: Node, pod: dict[str, Any], waits: bool) -> None:
    facts = cluster(a_pressing_pod("web", **pod), on_their_way=[coming(node)])
    assert isinstance(decided(facts)["web"], Wait if waits else Burst)


def test_a_node_is_waited_for_by_as_many_as_it_takes_and_the_oldest_come_first() -> None:
    pods = [aged(f"web-{age}", age) for age in (1, 9, 5)]
    made = decided(cluster(*pods, on_their_way=[coming(a_node("new", cpu="1"))]))
    assert {name: type(each) for name, each in made.items()} == {
        "web-9": Wait,
        "web-5": Wait,
        "web-1": Burst,
    }


def test_a_higher_priority_takes_its_seat_first_as_with_the_scheduler() -> None:
    pods = [aged("old", 9), aged("important", 1, priority=1000)]
    made = decided(cluster(*pods, on_their_way=[coming(a_node("new", cpu="500m"))]))
    assert (type(made["important"]), type(made["old"])) == (Wait, Burst)


@pytest.mark.parametrize(
    ("other", "taken"),
    [
        pytest.param(
            a_pod("other", namespace="bank", uid="other", status=unschedulable()), True, id="not opted in"
        ),
        pytest.param(a_pod("other", uid="other", status={}), False, id="not yet tried by the scheduler"),
        pytest.param(
            a_pod("other", uid="other", schedulingGates=[{"name": "g"}], status=unschedulable()),
            False,
            id="gated",
        ),
        pytest.param(
            a_pod("other", uid="other", status={**unschedulable(), "nominatedNodeName": "ec2-0"}),
            False,
            id="room is being made for it elsewhere",
        ),
        pytest.param(
            a_pod("other", uid="other", status={**unschedulable(), "nominatedNodeName": "new"}),
            True,
            id="an autoscaler ordered the node for it",
        ),
    ],
)
def test_others_who_need_the_node_take_seats_too(other: Pod, taken: bool) -> None:
    web = a_pressing_pod("web", metadata={"creationTimestamp": (NOON + seconds(1)).isoformat()})
    new = a_node("new", cpu="500m", ready=False)
    facts = cluster(web, other, on_their_way=[coming(new)], nodes=[a_node(), new])
    assert isinstance(decided(facts)["web"], Burst if taken else Wait)


def test_a_pod_that_holds_a_grant_takes_no_seat() -> None:
    pods = [aged("granted", 9), aged("web", 1)]
    facts = cluster(*pods, on_their_way=[coming(a_node("new", cpu="500m"))])
    held = frozenset({pods[0].uid})
    assert set(seats(facts, NO_ARRIVALS, held=held, now=NOON, config=CONFIG)) == {pods[1].uid}


def test_a_pod_that_must_overflow_waits_for_no_node() -> None:
    pod = a_pressing_pod("web", labels={names.OVERFLOW: names.REQUIRED})
    assert isinstance(decided(cluster(pod, on_their_way=[coming()]))["web"], Burst)


def test_the_node_that_is_expected_first_is_filled_first() -> None:
    late, soon = coming(a_node("a-late", ready=False)), coming(a_node("soon"), since=NOON - seconds(9))
    made = decided(cluster(a_pressing_pod("web"), on_their_way=[late, soon]))
    assert made["web"] == Wait(made["web"].pod, NODE_ON_ITS_WAY, NOON + seconds(31) + MARGIN)


@pytest.mark.parametrize(
    ("node", "came", "waits"),
    [
        pytest.param(a_node("new"), None, True, id="just now"),
        pytest.param(a_node("new"), NOON - seconds(9), True, id="a moment ago"),
        pytest.param(a_node("new"), NOON - seconds(10), False, id="the scheduler has seen it by now"),
        pytest.param(a_node("new", cpu="400m"), None, False, id="just now, and too small"),
    ],
)
def test_the_scheduler_has_a_moment_to_fill_a_node_that_came(
    node: Node, came: datetime | None, waits: bool
) -> None:
    facts = cluster(a_pressing_pod("web"), nodes=[node], boot=None)
    assert isinstance(decided(facts, arrivals={"new": came})["web"], Wait if waits else Burst)


def test_a_node_that_takes_pods_since_long_is_no_arrival() -> None:
    facts = cluster(a_pressing_pod("web"), nodes=[a_node("new")])
    assert isinstance(decided(facts)["web"], Burst)


def test_a_node_that_came_and_is_cordoned_is_not_waited_for() -> None:
    node = a_node("new")
    cordoned = msgspec.structs.replace(node, spec=msgspec.structs.replace(node.spec, unschedulable=True))
    facts = cluster(a_pressing_pod("web"), nodes=[cordoned])
    assert isinstance(decided(facts, arrivals={"new": None})["web"], Burst)


def test_a_pod_waits_on_when_its_node_comes_and_bursts_if_the_scheduler_passes_it_over() -> None:
    pod, node = a_pressing_pod("web"), a_node("new")
    awaited = cluster(pod, on_their_way=[coming()])
    came = cluster(pod, nodes=[node])
    first = plan(awaited, Memory(), now=NOON, config=CONFIG, refusals=runnable)
    at = NOON + seconds(38)
    second = plan(came, first.memory, now=at, config=CONFIG, refusals=runnable)
    assert second.decisions == (Wait(pod, NODE_ON_ITS_WAY, at + CONFIG.settling),)
    third = plan(came, second.memory, now=at + CONFIG.settling, config=CONFIG, refusals=runnable)
    assert isinstance(third.decisions[0], Burst)
    assert third.memory.arrivals == {}


SIZES = st.sampled_from(["100m", "500m", "900m"])
NODES = st.lists(
    st.tuples(st.sampled_from(["500m", "1", "2"]), st.sampled_from(["1", "3"]), st.integers(0, 60)),
    max_size=4,
)


@given(cpus=st.lists(SIZES, max_size=12), nodes=NODES, later=st.integers(0, 120))
def test_no_more_pods_wait_than_nodes_take_and_none_waits_past_its_end(
    cpus: list[str], nodes: list[tuple[str, str, int]], later: int
) -> None:
    pods = [a_pressing_pod(f"p{at}", uid=f"p{at}", cpu=cpu, memory="1Mi") for at, cpu in enumerate(cpus)]
    awaited = [
        coming(a_node(f"n{at}", cpu=cpu, pods=slots), since=NOON - seconds(ago))
        for at, (cpu, slots, ago) in enumerate(nodes)
    ]
    now = NOON + seconds(later)
    facts = cluster(*pods, on_their_way=awaited)
    found = seats(facts, NO_ARRIVALS, held=frozenset(), now=now, config=CONFIG)
    ends = Counter(found.values())
    open_slots: Counter[datetime] = Counter()
    open_cpu: Counter[datetime] = Counter()
    for each in awaited:
        end = each.since + BOOT + MARGIN
        open_slots[end] += each.room.pods
        open_cpu[end] += each.room.cpu_milli
    asked = Counter(dict.fromkeys(ends, 0))
    for pod in pods:
        if pod.uid in found:
            asked[found[pod.uid]] += int(cpus[int(pod.uid[1:])].removesuffix("m"))
    assert all(now < end for end in ends)
    assert all(ends[end] <= open_slots[end] and asked[end] <= open_cpu[end] for end in ends)
