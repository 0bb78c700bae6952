import asyncio

import msgspec
import pytest

from app.drain.config import DrainConfig
from app.drain.drain import Drain, Drained
from app.model.replicas import Replicas
from app.ports.failures import Refused, Unavailable
from tests.builders import VIRTUAL, identity_of
from tests.drain.fakes import CLUSTER, FakeCluster, an_overflow_pod, finished, its_task
from tests.fakes import VirtualClock

CONFIG = DrainConfig(cluster=CLUSTER, timeout=60)
FORCE = msgspec.structs.replace(CONFIG, force=True, timeout=20, kill=10)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


def a_drain(
    cluster: FakeCluster, config: DrainConfig = CONFIG, *, aws: bool = True
) -> tuple[Drain, list[str]]:
    lines: list[str] = []
    return Drain(cluster.outside(aws=aws), config=config, tell=lines.append), lines


async def drained(cluster: FakeCluster, config: DrainConfig = CONFIG, *, aws: bool = True) -> Drained:
    found = await finished(cluster.clock, a_drain(cluster, config, aws=aws)[0].run())
    assert isinstance(found, Drained)
    return found


async def test_all_pods_leave_and_ecs_shows_no_task(clock: VirtualClock) -> None:
    cluster = FakeCluster(clock, *(an_overflow_pod(f"web-{n}") for n in range(4)))
    assert await drained(cluster) == Drained(nodes=(VIRTUAL,), evicted=4)
    assert cluster.named("evict") == ["web-0", "web-1", "web-2", "web-3"]
    assert cluster.named("close") == [VIRTUAL]


async def test_the_node_is_closed_before_anybody_leaves(clock: VirtualClock) -> None:
    cluster = FakeCluster(clock, an_overflow_pod())
    await drained(cluster)
    assert [did for did, _ in cluster.did][:2] == ["close", "evict"]


async def test_a_second_run_finds_nothing_to_do(clock: VirtualClock) -> None:
    cluster = FakeCluster(clock, an_overflow_pod())
    await drained(cluster)
    cluster.did.clear()
    assert (await drained(cluster)).left == ()
    assert {did for did, _ in cluster.did} == {"describe"}


@pytest.mark.parametrize("seconds", range(12))
async def test_cut_off_at_any_moment_the_next_run_ends_it(clock: VirtualClock, seconds: int) -> None:
    cluster = FakeCluster(clock, *(an_overflow_pod(f"web-{n}") for n in range(3)))
    first = asyncio.ensure_future(a_drain(cluster)[0].run())
    await clock.advance(seconds)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert (await drained(cluster)).left == ()
    assert cluster.there == {}


async def test_what_a_budget_holds_is_named_and_others_leave(clock: VirtualClock) -> None:
    held, free = an_overflow_pod("held"), an_overflow_pod("free", owner="Job")
    cluster = FakeCluster(clock, held, free)
    cluster.budgets = {"held"}
    found = await drained(cluster)
    assert [(each.name, each.reason) for each in found.left if each.kind == "pod"] == [
        ("shop/held", "HeldByBudget")
    ]
    assert found.evicted == 1
    assert len(cluster.named("evict")) > 5


async def test_a_budget_yields_to_force_when_time_is_up(clock: VirtualClock) -> None:
    cluster = FakeCluster(clock, an_overflow_pod("held"))
    cluster.budgets = {"held"}
    assert (await drained(cluster, FORCE)).left == ()
    assert cluster.named("delete") == ["held"]


async def test_where_no_bridge_runs_force_stops_tasks_and_removes_pods(clock: VirtualClock) -> None:
    pod = an_overflow_pod()
    cluster = FakeCluster(clock, pod)
    cluster.bridge = False
    found = await drained(cluster, FORCE)
    assert (found.left, found.stopped) == ((), 1)
    assert cluster.named("delete at once") == ["web-1"]


async def test_a_next_pod_that_never_gets_ready_is_waited_for_once(clock: VirtualClock) -> None:
    cluster = FakeCluster(clock, *(an_overflow_pod(f"web-{n}") for n in range(6)))
    cluster.ready = Replicas(wanted=6, ready=0)
    await drained(cluster, msgspec.structs.replace(CONFIG, successor=20, timeout=600))
    assert 20 < clock.steady() < 45


async def test_an_orphan_is_stopped_with_force(clock: VirtualClock) -> None:
    task = its_task(an_overflow_pod("lost"))
    cluster = FakeCluster(clock, tasks=[task])
    found = await drained(cluster, FORCE)
    assert (found.left, found.stopped, cluster.named("stop")) == ((), 1, [task.arn])


async def test_an_orphan_is_named_without_force(clock: VirtualClock) -> None:
    task = its_task(an_overflow_pod("lost"))
    found = await drained(FakeCluster(clock, tasks=[task]))
    assert [(each.name, each.reason) for each in found.left] == [(task.arn, "Orphan")]


async def test_a_task_whose_node_is_gone_is_no_orphan_while_its_pod_stands(clock: VirtualClock) -> None:
    cluster = FakeCluster(clock, an_overflow_pod())
    cluster.node = None
    found = await a_drain(cluster)[0].look()
    assert [(each.kind, each.reason) for each in found.left] == [("pod", "ToBeEvicted"), ("task", "Running")]


async def test_tasks_of_another_cluster_are_never_touched(clock: VirtualClock) -> None:
    pod = an_overflow_pod("theirs")
    task = its_task(pod)
    theirs = msgspec.structs.replace(task, identity=identity_of(pod, cluster="cluster-2"))
    cluster = FakeCluster(
        clock, tasks=[theirs, msgspec.structs.replace(task, arn="arn:x/y/1", identity=None)]
    )
    assert (await drained(cluster, FORCE)).left == ()
    assert cluster.named("stop") == []


async def test_stopped_tasks_are_described_once(clock: VirtualClock) -> None:
    task = its_task(an_overflow_pod(), last_status="STOPPED", desired_status="STOPPED")
    cluster = FakeCluster(clock, tasks=[task])
    await drained(cluster)
    assert sum(map(int, cluster.named("describe"))) == 1


async def test_without_credentials_it_is_said_what_could_not_be_proven(clock: VirtualClock) -> None:
    cluster = FakeCluster(clock, an_overflow_pod())
    found = await drained(cluster, aws=False)
    assert (found.left, found.unproven) == ((), "there are no credentials")


async def test_where_ecs_is_not_to_be_asked_nothing_is_unproven(clock: VirtualClock) -> None:
    config = msgspec.structs.replace(CONFIG, asks_aws=False)
    assert (await drained(FakeCluster(clock, an_overflow_pod()), config, aws=False)).unproven == ""


async def test_an_ecs_that_answers_again_proves_it_after_all(clock: VirtualClock) -> None:
    cluster = FakeCluster(clock)
    cluster.aws_failure = Unavailable("no answer")
    run = asyncio.ensure_future(a_drain(cluster)[0].run())
    await clock.advance(10)
    cluster.aws_failure = None
    assert (await finished(clock, run)).unproven == ""


async def test_a_kubernetes_that_is_away_for_a_while_is_waited_for(clock: VirtualClock) -> None:
    cluster = FakeCluster(clock, an_overflow_pod())
    run = asyncio.ensure_future(a_drain(cluster)[0].run())
    await clock.advance(1)
    cluster.failure = Unavailable("no answer")
    await clock.advance(20)
    cluster.failure = None
    assert (await finished(clock, run)).left == ()


@pytest.mark.parametrize(
    "failure", [Unavailable("no answer"), Refused("forbidden")], ids=["away", "forbidden"]
)
async def test_a_kubernetes_that_cannot_be_read_at_first_ends_it(
    clock: VirtualClock, failure: Unavailable | Refused
) -> None:
    cluster = FakeCluster(clock)
    cluster.failure = failure
    with pytest.raises(type(failure)):
        await a_drain(cluster)[0].run()


async def test_a_look_changes_nothing(clock: VirtualClock) -> None:
    cluster = FakeCluster(clock, an_overflow_pod())
    found = await a_drain(cluster)[0].look()
    assert [(each.kind, each.reason) for each in found.left] == [
        ("node", "GateOpen"),
        ("pod", "ToBeEvicted"),
        ("task", "Running"),
    ]
    assert cluster.named("close") + cluster.named("evict") == []


async def test_what_a_job_loses_is_told_when_its_pod_is_evicted(clock: VirtualClock) -> None:
    cluster = FakeCluster(clock, an_overflow_pod("batch-1", owner="Job"))
    drain, lines = a_drain(cluster)
    await finished(clock, drain.run())
    assert any("podFailurePolicy ignores DisruptionTarget" in line for line in lines)


async def test_only_the_nodes_that_were_named_are_drained(clock: VirtualClock) -> None:
    cluster = FakeCluster(clock, an_overflow_pod())
    config = msgspec.structs.replace(CONFIG, nodes=frozenset({"fargate-2"}))
    assert (await drained(cluster, config)).left == ()
    assert cluster.named("close") + cluster.named("evict") == []
