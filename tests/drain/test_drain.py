"""A whole drain against a cluster whose bridge ends what is told to go."""

import asyncio

import msgspec
import pytest

from app.drain.config import DrainConfig
from app.drain.drain import Drain, Drained
from app.model.names import GATE
from app.model.node import Node
from app.model.pod import Pod
from app.model.replicas import Replicas
from app.ports.failures import Refused, Throttled, Unavailable
from tests.builders import VIRTUAL, a_virtual_node, identity_of
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


async def test_what_was_closed_is_known_to_whoever_undoes_it(clock: VirtualClock) -> None:
    cluster = FakeCluster(clock)
    first, second = a_drain(cluster)[0], a_drain(cluster)[0]
    await finished(clock, first.run())
    await second.look()
    assert (first.closed, second.closed) == ((VIRTUAL,), (VIRTUAL,))


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


async def test_pods_that_come_back_in_spite_of_the_cordon_are_named_with_their_controller(
    clock: VirtualClock,
) -> None:
    class Stubborn(FakeCluster):
        async def evict(self, pod: Pod) -> None:
            await super().evict(pod)
            following = an_overflow_pod(f"log-{len(self.named('evict'))}")
            self.there[following.uid] = following

    found = await drained(Stubborn(clock, an_overflow_pod("log-0")))
    assert {each.reason for each in found.left if each.kind == "pod"} == {"CameLater"}
    assert "scale it to zero" in found.left[0].message


async def test_an_eviction_that_is_refused_is_named_and_keeps_nobody_else_back(clock: VirtualClock) -> None:
    cluster = FakeCluster(clock, *(an_overflow_pod(f"web-{n}", owner="Job") for n in range(4)))
    cluster.refusals = {"web-0": Refused("pods/eviction is forbidden")}
    found = await drained(cluster, msgspec.structs.replace(CONFIG, at_once=1, timeout=30))
    assert [(each.name, each.reason) for each in found.left if each.kind == "pod"] == [
        ("shop/web-0", "NotEvicted")
    ]
    assert "pods/eviction is forbidden" in found.left[0].message
    assert found.evicted == 3


async def test_a_deletion_that_is_refused_is_not_said_to_be_untried(clock: VirtualClock) -> None:
    cluster = FakeCluster(clock, an_overflow_pod("web-0"))
    cluster.refusals = {"web-0": Refused("pods is forbidden")}
    found = await drained(cluster, FORCE)
    assert [each.reason for each in found.left if each.kind == "pod"] == ["NotEvicted"]


async def test_what_had_no_turn_in_time_is_named_as_that(clock: VirtualClock) -> None:
    cluster = FakeCluster(clock, *(an_overflow_pod(f"web-{n}") for n in range(3)))
    cluster.ready = Replicas(wanted=3, ready=0)
    found = await drained(cluster, msgspec.structs.replace(CONFIG, successor=60, timeout=10))
    assert found.evicted == 1
    assert [(each.name, each.reason) for each in found.left if each.kind == "pod"] == [
        ("shop/web-1", "NotTried"),
        ("shop/web-2", "NotTried"),
    ]


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


async def test_others_tasks_are_described_once_however_many_run(clock: VirtualClock) -> None:
    pods = [an_overflow_pod(f"theirs-{n}") for n in range(3)]
    theirs = [its_task(pod) for pod in pods]
    theirs = [msgspec.structs.replace(task, identity=None) for task in theirs]
    cluster = FakeCluster(clock, tasks=theirs)
    assert (await drained(cluster)).left == ()
    assert [number for number in cluster.named("describe") if number != "0"] == ["3"]


async def test_a_task_that_ecs_lists_and_cannot_describe_is_no_proof(clock: VirtualClock) -> None:
    task = its_task(an_overflow_pod("lost"))
    cluster = FakeCluster(clock, tasks=[task])
    cluster.undescribed = {task.arn}
    found = await drained(cluster)
    assert (found.left, found.unproven) == (
        (),
        "ECS says nothing of 1 of the tasks that it lists as running; run the command again",
    )


async def test_a_stopped_task_that_ecs_has_just_forgotten_does_not_matter(clock: VirtualClock) -> None:
    task = its_task(an_overflow_pod(), last_status="STOPPED", desired_status="STOPPED")
    cluster = FakeCluster(clock, tasks=[task])
    cluster.undescribed = {task.arn}
    assert await drained(cluster) == Drained(nodes=(VIRTUAL,))


async def test_a_task_that_ecs_lists_late_is_seen_before_it_is_over(clock: VirtualClock) -> None:
    late = its_task(an_overflow_pod("late"))
    cluster = FakeCluster(clock, tasks=[])
    run = asyncio.ensure_future(a_drain(cluster)[0].run())
    await clock.advance(CONFIG.settled - 1)
    cluster.tasks = {late.arn: late}
    found = await finished(clock, run)
    assert [(each.kind, each.reason) for each in found.left] == [("task", "Orphan")]


async def test_without_credentials_it_is_said_what_could_not_be_proven(clock: VirtualClock) -> None:
    cluster = FakeCluster(clock, an_overflow_pod())
    found = await drained(cluster, aws=False)
    words = "there are no credentials; give credentials and --region, or say --skip-aws"
    assert (found.left, found.unproven) == ((), words)


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


async def test_an_ecs_that_throttles_for_a_while_proves_it_when_it_answers(clock: VirtualClock) -> None:
    cluster = FakeCluster(clock)
    cluster.aws_failure = Throttled("too fast")
    run = asyncio.ensure_future(a_drain(cluster)[0].run())
    await clock.advance(CONFIG.unproven + CONFIG.look)
    cluster.aws_failure = None
    assert (await finished(clock, run)).unproven == ""


async def test_without_rights_to_ecs_the_mend_is_named(clock: VirtualClock) -> None:
    cluster = FakeCluster(clock)
    cluster.aws_failure = Refused("not authorized to perform ecs:ListTasks")
    words = (await drained(cluster)).unproven
    assert words.startswith("not authorized to perform ecs:ListTasks; give credentials that may list")


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


async def test_a_gate_that_may_not_be_closed_ends_it_before_anybody_leaves(clock: VirtualClock) -> None:
    cluster = FakeCluster(clock, an_overflow_pod())
    cluster.refusals = {VIRTUAL: Refused("nodes is forbidden")}
    drain, _ = a_drain(cluster)
    with pytest.raises(Refused, match="nodes is forbidden"):
        await finished(clock, drain.run())
    assert (cluster.named("evict"), drain.closed) == ([], ())


@pytest.mark.parametrize(
    ("named", "said"),
    [
        pytest.param(frozenset[str](), ["there is no virtual node in this cluster"], id="none-at-all"),
        pytest.param(
            frozenset({"fargat"}), ["node fargat: there is no virtual node of that name"], id="misspelt"
        ),
    ],
)
async def test_a_node_that_is_not_there_is_told_first(
    clock: VirtualClock, named: frozenset[str], said: list[str]
) -> None:
    cluster = FakeCluster(clock)
    cluster.node = None
    drain, lines = a_drain(cluster, msgspec.structs.replace(CONFIG, nodes=named))
    await finished(clock, drain.run())
    assert lines[:1] == said


@pytest.mark.parametrize(
    ("annotations", "cordoned", "seen"),
    [
        pytest.param(
            {GATE: "auto"},
            True,
            f"its annotation {GATE} says auto (written by kubectl-annotate)",
            id="annotated",
        ),
        pytest.param({GATE: "closed"}, False, "it was uncordoned", id="uncordoned"),
        pytest.param(
            {}, False, f"it was uncordoned and its annotation {GATE} was taken away", id="both were undone"
        ),
    ],
)
async def test_who_opens_the_gate_again_and_again_is_named(
    clock: VirtualClock, annotations: dict[str, str], cordoned: bool, seen: str
) -> None:
    class Meddled(FakeCluster):
        async def close(self, node: Node) -> None:
            self.did.append(("close", node.name))
            opened = a_virtual_node(annotations=annotations)
            spec = msgspec.structs.replace(opened.spec, unschedulable=cordoned)
            self.node = msgspec.structs.replace(opened, spec=spec)

    cluster = Meddled(clock)
    cluster.gate_writers = "kubectl-annotate"
    drain, lines = a_drain(cluster)
    found = await finished(clock, drain.run())
    assert [(each.kind, each.reason) for each in found.left] == [("node", "GateReopened")]
    assert f"somebody opens it again: {seen}; " in found.left[0].message
    assert lines.count(f"node {VIRTUAL}: opened again by somebody: {seen}; gate closed, cordoned") == 1


async def test_a_gate_is_closed_again_though_it_does_not_show_who_opened_it(clock: VirtualClock) -> None:
    cluster = FakeCluster(clock, an_overflow_pod())
    cluster.refusals = {f"writers of {VIRTUAL}": Refused("nodes is forbidden")}
    run = asyncio.ensure_future(a_drain(cluster)[0].run())
    await clock.advance(1)
    cluster.node = a_virtual_node(annotations={GATE: "auto"})
    assert (await finished(clock, run)).left == ()
    assert cluster.named("close") == [VIRTUAL, VIRTUAL]


async def test_where_ecs_hangs_force_still_ends_what_no_bridge_ends(clock: VirtualClock) -> None:
    cluster = FakeCluster(clock, an_overflow_pod())
    cluster.bridge, cluster.hangs, cluster.aws_failure = False, 65.0, Unavailable("no answer")
    found = await drained(cluster, FORCE)
    assert (found.left, found.unproven, cluster.named("delete at once")) == (
        (),
        "no answer; run the command again",
        ["web-1"],
    )


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
