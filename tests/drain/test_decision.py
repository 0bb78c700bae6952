"""What a drain does next, and when it is over."""

from typing import Any

import msgspec
import pytest

from app.drain.commands import Close, Command, Delete, Evict, Stop
from app.drain.config import DrainConfig
from app.drain.decision import decide
from app.drain.facts import Facts, Gap, Hold, Memory, Proof
from app.model.names import GATE, PodUid
from app.model.node import Node
from app.model.pod import Pod
from app.model.replicas import Replicas
from app.model.task import Task
from tests.builders import NOON, VIRTUAL, a_pod, a_virtual_node, identity_of
from tests.drain.fakes import an_overflow_pod, its_task

CONFIG = DrainConfig(cluster="cluster-1", at_once=2, timeout=600, successor=60)
FORCE = msgspec.structs.replace(CONFIG, force=True)
OWNER = "uid-owner"
THROTTLED = "asked too often"


def a_closed_node() -> Node:
    node = a_virtual_node(annotations={GATE: "closed"})
    return msgspec.structs.replace(node, spec=msgspec.structs.replace(node.spec, unschedulable=True))


def facts(
    *pods: Pod, tasks: tuple[Task, ...] | None = None, unproven: str = "", elapsed: float = 1.0, **fields: Any
) -> Facts:
    fields.setdefault("nodes", (a_closed_node(),))
    proof = Proof(tasks=tasks, unproven=unproven, is_throttled=unproven == THROTTLED)
    return Facts(elapsed=elapsed, pods=pods, proof=proof, **fields)


def leaving(pod: Pod) -> Pod:
    return msgspec.structs.replace(
        pod, metadata=msgspec.structs.replace(pod.metadata, deletion_timestamp=NOON)
    )


def evicted(commands: tuple[Command, ...]) -> list[str]:
    return [each.pod.metadata.name for each in commands if isinstance(each, Evict)]


def of(name: str, owner: str) -> Pod:
    """A pod of a ReplicaSet of its own."""
    reference = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": owner,
        "uid": owner,
        "controller": True,
    }
    return an_overflow_pod(name, owner="", metadata={"ownerReferences": [reference]})


@pytest.mark.parametrize(
    ("annotations", "cordoned"),
    [
        pytest.param({}, False, id="open"),
        pytest.param({GATE: "closed"}, False, id="closed by the gate alone"),
        pytest.param({GATE: "auto"}, True, id="cordoned alone"),
    ],
)
def test_a_node_is_closed_and_cordoned(annotations: dict[str, str], cordoned: bool) -> None:
    node = a_virtual_node(annotations=annotations)
    node = msgspec.structs.replace(node, spec=msgspec.structs.replace(node.spec, unschedulable=cordoned))
    plan = decide(facts(nodes=(node,)), Memory(), CONFIG)
    assert plan.commands == (Close(node),)
    assert [each.reason for each in plan.left] == ["GateOpen"]


def test_a_closed_node_is_left_alone() -> None:
    assert decide(facts(), Memory(), CONFIG).commands == ()


def test_few_pods_leave_at_once() -> None:
    pods = [of(f"web-{n}", f"set-{n}") for n in range(5)]
    assert evicted(decide(facts(*pods), Memory(), CONFIG).commands) == ["web-0", "web-1"]


def test_pods_on_their_way_count() -> None:
    pods = [leaving(of("web-0", "a")), of("web-1", "b"), of("web-2", "c")]
    assert evicted(decide(facts(*pods), Memory(), CONFIG).commands) == ["web-1"]


def test_a_controller_loses_one_pod_at_a_time() -> None:
    pods = [an_overflow_pod("web-1"), an_overflow_pod("web-2")]
    assert evicted(decide(facts(*pods), Memory(), CONFIG).commands) == ["web-1"]


@pytest.mark.parametrize(
    ("replicas", "expected"),
    [
        pytest.param(Replicas(wanted=2, ready=1), [], id="its next pod is not Ready"),
        pytest.param(Replicas(wanted=2, ready=2), ["web-2"], id="its next pod is Ready"),
        pytest.param(None, ["web-2"], id="it is gone"),
    ],
)
def test_a_controllers_next_pod_is_waited_for(replicas: Replicas | None, expected: list[str]) -> None:
    memory = Memory(gaps={OWNER: Gap(uid=PodUid("uid-of-web-1"))})
    known = {OWNER: replicas} if replicas is not None else {}
    assert (
        evicted(decide(facts(an_overflow_pod("web-2"), replicas=known), memory, CONFIG).commands) == expected
    )


def test_a_next_pod_that_finds_no_room_is_waited_for_once() -> None:
    pods = (an_overflow_pod("web-2"), an_overflow_pod("web-3"))
    known = {OWNER: Replicas(wanted=2, ready=1)}
    memory = Memory(gaps={OWNER: Gap(uid=PodUid("uid-of-web-1"), since=10.0)})
    plan = decide(facts(*pods, replicas=known, elapsed=70.0), memory, CONFIG)
    assert (evicted(plan.commands), plan.memory.alone) == (["web-2", "web-3"], frozenset({OWNER}))


def test_the_wait_for_a_next_pod_begins_when_the_last_is_gone() -> None:
    pod = an_overflow_pod("web-1")
    memory = Memory(gaps={OWNER: Gap(uid=pod.uid)})
    held = decide(facts(leaving(pod), elapsed=500.0), memory, CONFIG).memory
    gone = decide(facts(replicas={OWNER: Replicas(wanted=2, ready=1)}, elapsed=501.0), held, CONFIG).memory
    assert (held.gaps[OWNER].since, gone.gaps[OWNER].since) == (None, 501.0)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        pytest.param(CONFIG, [], id="by default"),
        pytest.param(msgspec.structs.replace(CONFIG, bare=True), ["bare"], id="--stop-bare-pods"),
        pytest.param(FORCE, ["bare"], id="--force"),
    ],
)
def test_a_bare_pod_leaves_only_where_somebody_says_so(config: DrainConfig, expected: list[str]) -> None:
    assert evicted(decide(facts(an_overflow_pod("bare", owner="")), Memory(), config).commands) == expected


def test_a_bare_pod_is_named_with_the_mend() -> None:
    (left,) = decide(facts(an_overflow_pod("bare", owner="")), Memory(), CONFIG).left
    assert (left.name, left.reason) == ("shop/bare", "BarePod")
    assert "--stop-bare-pods" in left.message


def test_what_a_job_loses_is_told() -> None:
    (left,) = decide(facts(an_overflow_pod("batch-1", owner="Job")), Memory(), CONFIG).left
    assert "Job owner begins the work of shop/batch-1 anew" in left.message


@pytest.mark.parametrize(("elapsed", "expected"), [(14.0, []), (15.0, ["web-1"])])
def test_a_pod_that_a_budget_held_is_asked_again_after_a_pause(elapsed: float, expected: list[str]) -> None:
    pod = an_overflow_pod("web-1")
    memory = Memory(holds={pod.uid: Hold("the disruption budget all", 10.0)})
    plan = decide(facts(pod, elapsed=elapsed), memory, CONFIG)
    assert evicted(plan.commands) == expected
    assert [(each.reason, "budget all" in each.message) for each in plan.left] == [("HeldByBudget", True)]


@pytest.mark.parametrize(
    "pod",
    [
        pytest.param(a_pod(node=VIRTUAL, phase="Succeeded"), id="a finished pod"),
        pytest.param(
            a_pod(node=VIRTUAL, metadata={"ownerReferences": [{"kind": "DaemonSet", "controller": True}]}),
            id="a DaemonSet's pod, which never started",
        ),
    ],
)
def test_pods_without_a_task_do_not_matter(pod: Pod) -> None:
    plan = decide(facts(pod), Memory(), CONFIG)
    assert (plan.commands, plan.left) == ((), ())


def test_it_is_over_when_nothing_is_left_for_a_while() -> None:
    first = decide(facts(tasks=(), elapsed=10.0), Memory(), CONFIG)
    early = decide(facts(tasks=(), elapsed=14.9), first.memory, CONFIG)
    late = decide(facts(tasks=(), elapsed=15.0), early.memory, CONFIG)
    assert [each.is_over for each in (first, early, late)] == [False, False, True]


def test_what_shows_meanwhile_begins_the_wait_anew() -> None:
    memory = decide(facts(tasks=(), elapsed=10.0), Memory(), CONFIG).memory
    task = its_task(an_overflow_pod())
    memory = decide(facts(tasks=(task,), elapsed=12.0), memory, CONFIG).memory
    again = decide(facts(tasks=(), elapsed=16.0), memory, CONFIG)
    assert (memory.clear_since, again.is_over, again.memory.clear_since) == (None, False, 16.0)


def test_a_task_that_is_told_to_stop_is_still_billed_and_left() -> None:
    task = its_task(an_overflow_pod(), last_status="DEPROVISIONING", desired_status="STOPPED")
    plan = decide(facts(tasks=(task,)), Memory(clear_since=0.0), CONFIG)
    assert ([each.reason for each in plan.left], plan.is_over) == (["Stopping"], False)


def test_where_ecs_does_not_answer_it_is_asked_for_longer_and_then_no_more() -> None:
    first = decide(facts(elapsed=0.0, unproven="no answer"), Memory(), CONFIG)
    early = decide(facts(elapsed=19.0, unproven="no answer"), first.memory, CONFIG)
    late = decide(facts(elapsed=20.0, unproven="no answer"), early.memory, CONFIG)
    assert [each.is_over for each in (first, early, late)] == [False, False, True]


def test_an_ecs_that_throttles_is_asked_until_time_is_up() -> None:
    memory = decide(facts(elapsed=0.0, unproven=THROTTLED), Memory(), CONFIG).memory
    early = decide(facts(elapsed=599.0, unproven=THROTTLED), memory, CONFIG)
    late = decide(facts(elapsed=600.0, unproven=THROTTLED), early.memory, CONFIG)
    assert (early.is_over, late.is_over) == (False, True)


def test_the_proof_begins_with_the_first_look_at_ecs() -> None:
    memory = decide(facts(elapsed=0.0, unproven="no answer"), Memory(), CONFIG).memory
    first = decide(facts(elapsed=6.0, tasks=()), memory, CONFIG)
    later = decide(facts(elapsed=11.0, tasks=()), first.memory, CONFIG)
    assert (first.is_over, later.is_over) == (False, True)


def test_a_look_that_ecs_does_not_answer_begins_the_proof_anew() -> None:
    memory = decide(facts(elapsed=0.0, tasks=()), Memory(), CONFIG).memory
    memory = decide(facts(elapsed=3.0, unproven="no answer"), memory, CONFIG).memory
    assert not decide(facts(elapsed=6.0, tasks=()), memory, CONFIG).is_over


def test_an_ecs_that_answers_at_last_still_proves_it_in_look_after_look() -> None:
    memory = decide(facts(elapsed=0.0, unproven="no answer"), Memory(), CONFIG).memory
    assert not decide(facts(elapsed=90.0, tasks=()), memory, CONFIG).is_over


@pytest.mark.parametrize("config", [CONFIG, FORCE], ids=["gently", "by force"])
def test_time_that_is_up_makes_no_proof_of_one_look(config: DrainConfig) -> None:
    memory = decide(facts(an_overflow_pod(), elapsed=598.0), Memory(), config).memory
    first = decide(facts(tasks=(), elapsed=1000.0), memory, config)
    later = decide(facts(tasks=(), elapsed=1005.0), first.memory, config)
    assert (first.is_over, later.is_over) == (False, True)


def test_what_was_not_tried_in_time_is_said_to_be_so() -> None:
    tried, other = an_overflow_pod("tried"), an_overflow_pod("web-2")
    memory = Memory(holds={tried.uid: Hold("cannot create resource", 590.0, by_budget=False)})
    plan = decide(facts(tried, other, elapsed=600.0), memory, CONFIG)
    assert [(each.name, each.reason) for each in plan.left] == [
        ("shop/tried", "NotEvicted"),
        ("shop/web-2", "NotTried"),
    ]
    assert "cannot create resource" in plan.left[0].message
    assert "--timeout" in plan.left[1].message


def test_what_is_to_be_evicted_is_said_to_be_so_while_there_is_time() -> None:
    (left,) = decide(facts(an_overflow_pod(), elapsed=599.0), Memory(), CONFIG).left
    assert left.reason == "ToBeEvicted"


def test_a_pod_that_comes_though_the_gate_is_closed_is_named_with_who_makes_it() -> None:
    first = decide(facts(an_overflow_pod("web-1")), Memory(), CONFIG)
    plan = decide(facts(an_overflow_pod("web-2"), elapsed=600.0), first.memory, CONFIG)
    [left] = plan.left
    assert (left.name, left.reason) == ("shop/web-2", "CameLater")
    assert left.message.startswith("ReplicaSet owner made it when the gate was closed: ")


def test_while_the_gate_is_open_whoever_comes_is_no_surprise() -> None:
    closed = decide(facts(), Memory(), CONFIG)
    first = decide(facts(nodes=(a_virtual_node(),)), closed.memory, CONFIG)
    [left] = decide(facts(an_overflow_pod("web-2")), first.memory, CONFIG).left
    assert left.reason == "ToBeEvicted"


def test_without_force_time_that_is_up_ends_it_and_names_what_is_left() -> None:
    plan = decide(facts(an_overflow_pod(), elapsed=600.0), Memory(), CONFIG)
    assert (plan.is_over, plan.commands, len(plan.left)) == (True, (), 1)


def test_with_force_what_is_left_is_deleted_when_time_is_up() -> None:
    stays, goes = an_overflow_pod("stays"), leaving(an_overflow_pod("goes"))
    plan = decide(facts(stays, goes, elapsed=600.0), Memory(), FORCE)
    assert (plan.is_over, plan.commands) == (False, (Delete(stays),))


def test_with_force_what_no_bridge_ends_goes_at_once_after_its_task() -> None:
    pod = leaving(an_overflow_pod())
    task = its_task(pod)
    plan = decide(facts(pod, tasks=(task,), elapsed=660.0), Memory(forced_since=600.0), FORCE)
    assert [type(each) for each in plan.commands] == [Stop, Delete]
    assert plan.commands[1] == Delete(pod, at_once=True)


def test_force_takes_all_its_steps_however_long_a_look_takes() -> None:
    pod, memory, steps = an_overflow_pod(), Memory(), []
    for elapsed in (599.0, 700.0, 800.0, 900.0):
        plan = decide(facts(pod, elapsed=elapsed, took=90.0, unproven="no answer"), memory, FORCE)
        memory = plan.memory
        steps.append((plan.is_over, [each for each in plan.commands if isinstance(each, Delete)]))
    assert steps == [
        (False, []),
        (False, [Delete(pod)]),
        (False, [Delete(pod)]),
        (False, [Delete(pod, at_once=True)]),
    ]


def test_force_is_over_when_its_last_step_had_its_time() -> None:
    memory = Memory(forced_since=600.0, killed_since=700.0)
    early = decide(facts(an_overflow_pod(), elapsed=759.0), memory, FORCE)
    late = decide(facts(an_overflow_pod(), elapsed=760.0), memory, FORCE)
    assert (early.is_over, late.is_over) == (False, True)


def test_with_force_a_task_without_a_pod_is_stopped_when_two_looks_agree() -> None:
    task = its_task(an_overflow_pod())
    first = decide(facts(tasks=(task,)), Memory(), FORCE)
    second = decide(facts(tasks=(task,)), first.memory, FORCE)
    assert first.commands == ()
    assert [each.arn for each in second.commands if isinstance(each, Stop)] == [task.arn]


def test_without_force_a_task_without_a_pod_is_named() -> None:
    task = its_task(an_overflow_pod())
    plan = decide(facts(tasks=(task,)), Memory(orphans={task.arn: 5}), CONFIG)
    assert (plan.commands, [each.reason for each in plan.left]) == ((), ["Orphan"])


def test_a_task_of_a_pod_that_stands_is_no_orphan() -> None:
    pod = an_overflow_pod()
    assert identity_of(pod).uid == pod.uid
    assert decide(facts(pod, tasks=(its_task(pod),)), Memory(), FORCE).memory.orphans == {}
