import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from app.extender.decider import Apart, at_once
from app.extender.decision.hindrance import GateConfig
from app.extender.decision.memory import Observed
from app.extender.metrics import ObserveMetrics
from app.extender.recorder import HEADER, Recorder
from app.fargate.prices import Cost
from app.model import names
from app.model.pod import Pod
from tests.builders import NOON, VIRTUAL, a_pod, a_virtual_node
from tests.extender.conftest import GateMaker
from tests.extender.fakes import a_namespace, a_pressing_pod, grants_on
from tests.fakes import FakeWatched, VirtualClock, settle

T = TypeVar("T")
COST = Cost(vcpu=0.5, memory_mib=1024, storage_gib=20, hourly=0.36, on_demand=0.36, purchase="on-demand")
POD = a_pressing_pod("web-1", uid="u1")
BORN = f"{NOON.timestamp():.3f}"
HEAD = ",".join(HEADER)


class Desk:
    """A recorder over fakes."""

    def __init__(self, path: Path | None, *, apart: Apart = at_once) -> None:
        self.clock = VirtualClock()
        self.pods: FakeWatched[Pod] = FakeWatched()
        self.registry = CollectorRegistry()
        metrics = ObserveMetrics(self.registry)
        self.recorder = Recorder(self.pods, clock=self.clock, metrics=metrics, path=path, apart=apart)

    def observe(self, *pods: Pod, cost: Cost | None = COST) -> None:
        """From now on these pods, and no others, count as observed."""
        for pod in pods:
            self.pods.put(pod)
        unbound = {pod.uid: pod for pod in pods}
        self.recorder.take({uid: Observed(VIRTUAL, cost) for uid in unbound}, unbound)

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """The recorder at work; leaving is its shutdown."""
        working = asyncio.create_task(self.recorder.run())
        await settle()
        yield
        await settle()
        working.cancel()
        await asyncio.wait({working})

    def metric(self, name: str) -> float:
        value = self.registry.get_sample_value(name)
        assert value is not None
        return value


class SlowDisk:
    """Does no work before it spins."""

    def __init__(self) -> None:
        self.spins = asyncio.Event()

    async def __call__(self, work: Callable[[], T], /) -> T:
        await self.spins.wait()
        return work()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "observed.csv"


@pytest.fixture
def desk(path: Path) -> Desk:
    return Desk(path)


def ended(pod: Pod, **fields: Any) -> Pod:
    return a_pod(pod.metadata.name, uid=pod.uid, node="ec2-0", phase="Succeeded", **fields)


async def test_a_pod_gets_its_line_when_it_ends(desk: Desk, path: Path) -> None:
    async with desk.at_work():
        desk.observe(POD)
        await desk.clock.advance(90)
        desk.pods.put(ended(POD))
        await settle()
        assert path.read_text().splitlines() == [
            HEAD,
            f"web-1,shop,500,512,{BORN},{NOON.timestamp() + 90:.3f},0.5,0.360000",
        ]


async def test_a_deleted_pod_gets_its_line(desk: Desk, path: Path) -> None:
    async with desk.at_work():
        desk.observe(POD)
        desk.pods.drop(POD.key)
    assert len(path.read_text().splitlines()) == 2


async def test_a_pod_whose_name_another_one_took_gets_its_line(desk: Desk, path: Path) -> None:
    async with desk.at_work():
        desk.observe(POD)
        desk.pods.put(a_pressing_pod("web-1", uid="u2"))
        await settle()
        assert len(path.read_text().splitlines()) == 2


async def test_a_pod_that_found_a_real_node_is_followed_to_its_end(desk: Desk, path: Path) -> None:
    async with desk.at_work():
        desk.observe(POD)
        desk.pods.put(a_pod("web-1", uid="u1", node="ec2-0"))
        desk.observe()
        await settle()
        assert not path.exists()
        desk.pods.put(ended(POD))
        desk.pods.drop(POD.key)
    assert len(path.read_text().splitlines()) == 2


async def test_a_pod_that_ended_while_the_gate_decided_gets_its_line(desk: Desk, path: Path) -> None:
    async with desk.at_work():
        desk.recorder.take({POD.uid: Observed(VIRTUAL, COST)}, {POD.uid: POD})
        await settle()
        assert len(path.read_text().splitlines()) == 2


async def test_pods_that_were_not_observed_get_no_line(desk: Desk, path: Path) -> None:
    async with desk.at_work():
        desk.pods.put(a_pod("other", uid="o"))
        desk.pods.drop("shop/other")
    assert not path.exists()


async def test_at_shutdown_pods_that_live_on_get_a_line_without_an_end(desk: Desk, path: Path) -> None:
    async with desk.at_work():
        desk.observe(POD)
    assert path.read_text().splitlines()[1:] == [f"web-1,shop,500,512,{BORN},,0.5,0.360000"]


async def test_the_event_loop_waits_for_no_disk(path: Path) -> None:
    disk = SlowDisk()
    desk = Desk(path, apart=disk)
    async with desk.at_work():
        desk.observe(POD, a_pressing_pod("web-2"))
        desk.pods.drop(POD.key)
        desk.pods.drop("shop/web-2")
        await settle()
        assert not path.exists()
        disk.spins.set()
    assert len(path.read_text().splitlines()) == 3


async def test_lines_that_are_being_written_at_shutdown_are_not_lost(path: Path) -> None:
    desk = Desk(path, apart=asyncio.to_thread)
    async with desk.at_work():
        desk.observe(POD, a_pressing_pod("web-2"))
        desk.pods.drop(POD.key)
    assert sorted(line.partition(",")[0] for line in path.read_text().splitlines()) == [
        "name",
        "web-1",
        "web-2",
    ]


async def test_a_restart_adds_to_what_is_there(desk: Desk, path: Path) -> None:
    async with desk.at_work():
        desk.observe(POD)
        desk.pods.drop(POD.key)
    again = Desk(path)
    async with again.at_work():
        again.observe(POD)
        again.pods.drop(POD.key)
    assert [line.partition(",")[0] for line in path.read_text().splitlines()] == ["name", "web-1", "web-1"]


async def test_a_pod_without_a_price_leaves_its_columns_empty(desk: Desk, path: Path) -> None:
    async with desk.at_work():
        desk.observe(POD, cost=None)
        desk.pods.drop(POD.key)
    assert path.read_text().splitlines()[1].endswith(",,")


async def test_a_clock_behind_the_api_servers_ends_no_pod_before_its_birth(desk: Desk, path: Path) -> None:
    born_later = a_pressing_pod(uid="u1", metadata={"creationTimestamp": "2026-01-01T12:00:05Z"})
    async with desk.at_work():
        desk.observe(born_later)
        desk.pods.drop(born_later.key)
    born, died = path.read_text().splitlines()[1].split(",")[4:6]
    assert born == died


async def test_a_file_that_cannot_be_written_is_counted_and_stops_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    async with desk.at_work():
        desk.observe(POD)
        desk.pods.drop(POD.key)
        await settle()
        assert desk.metric("spillway_observed_lost_lines_total") == 1


async def test_without_a_file_the_metrics_tell(tmp_path: Path) -> None:
    desk = Desk(None)
    desk.observe(POD, a_pressing_pod("web-2"))
    assert desk.metric("spillway_observed_pods") == 2
    assert desk.metric("spillway_observed_vcpus") == 1
    assert desk.metric("spillway_observed_hourly_dollars") == 0.72
    assert list(tmp_path.iterdir()) == []


async def test_the_dollars_are_counted_by_the_second(desk: Desk) -> None:
    desk.observe(POD)
    await desk.clock.advance(50)
    desk.observe(POD, a_pressing_pod("web-2"))
    await desk.clock.advance(25)
    desk.observe()
    await desk.clock.advance(1000)
    desk.observe()
    assert desk.metric("spillway_observed_dollars_total") == pytest.approx(0.36 * 100 / 3600)


async def test_the_dollars_grow_while_nothing_happens(desk: Desk) -> None:
    async with desk.at_work():
        desk.observe(POD)
        await desk.clock.advance(3600)
        assert desk.metric("spillway_observed_dollars_total") == pytest.approx(0.36)


async def test_a_leader_that_observes_tells_the_pod_and_writes_no_grant(
    make_gate: GateMaker, path: Path
) -> None:
    gate = make_gate(config=GateConfig(gate="observe"))
    gate.config = msgspec.structs.replace(gate.config, observe_file=path)
    async with gate.leading(gate.another_leader()):
        gate.pods.put(POD)
        await gate.pass_by(5)
        gate.land(POD, "ec2-0")
        await gate.pass_by(5)
        assert not path.exists()
    assert grants_on(gate.virtual()) == ()
    ((about, reason, message),) = gate.events.said
    assert (about, reason) == ("shop/web-1", "WouldBurst")
    assert message == (
        f"would have burst to {VIRTUAL} as 0.5 vCPU with 1024 MiB, for $0.0247 an hour; the gate only "
        "observes, and grants nothing"
    )
    assert path.read_text().splitlines()[1:] == [f"web-1,shop,500,512,{BORN},,0.5,0.024685"]


async def test_a_spent_budget_is_an_event_once_and_a_metric(make_gate: GateMaker) -> None:
    gate = make_gate()
    first, second = a_pressing_pod("web-1"), a_pressing_pod("web-2")
    gate.namespaces.put(a_namespace(annotations={names.MAX_PODS: "1"}))
    gate.pods.put(first)
    gate.pods.put(second)
    async with gate.leading():
        await gate.pass_by(1)
        gate.land(first, VIRTUAL)
        await gate.pass_by(5)
        assert gate.metric("spillway_budget_pods", scope="namespace", namespace="shop") == 1
        assert gate.metric("spillway_budget_pods_limit", scope="namespace", namespace="shop") == 1
        assert gate.metric("spillway_budget_vcpus", scope="cluster", namespace="") == 0.5
        assert gate.metric("spillway_gate_decisions_total", kind="wait", reason="BudgetPods") == 1
        assert [said[:2] for said in gate.events.said] == [
            ("shop/web-2", "OverflowWaiting"),
            ("shop/web-1", "Bursting"),
        ]
        gate.namespaces.put(a_namespace(annotations={names.MAX_PODS: "2"}))
        await gate.pass_by(1)
        assert [grant.uid for grant in grants_on(gate.virtual())] == [second.uid]


async def test_a_switch_that_means_nothing_is_told_on_the_node_once(make_gate: GateMaker) -> None:
    gate = make_gate(a_virtual_node(annotations={names.GATE: "shut"}))
    async with gate.leading():
        for each in range(3):
            gate.pods.put(a_pod("noise", uid=f"noise-{each}"))
            await gate.pass_by(1)
        assert gate.metric("spillway_gate_mode", node=VIRTUAL, mode="closed") == 1
        assert gate.metric("spillway_gate_mode_invalid", node=VIRTUAL) == 1
    assert [said[:2] for said in gate.events.said] == [(VIRTUAL, "InvalidGate")]
