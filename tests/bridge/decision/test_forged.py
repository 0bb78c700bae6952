"""Annotations of ours that somebody else wrote: by copying a pod, by accident, or by design."""

from datetime import timedelta
from typing import Any

import pytest

from app.bridge.decision.commands import LaunchTask, Look, RecordAttempt, RemovePod
from app.bridge.decision.facts import Stage, attempt_of, stage_of
from app.bridge.decision.reconcile import decide
from app.bridge.decision.record import recorded_arn, recorded_attempt
from app.model.names import TaskArn
from app.model.pod import Pod
from app.model.task import Task
from app.ports.failures import NoCapacity
from tests.bridge.fakes import World, a_namespace
from tests.bridge.situations import LONG_AGO, POD, attempted, facts_of, kinds
from tests.builders import NOON, VIRTUAL, a_pod, a_task

STRANGER = TaskArn("arn:aws:ecs:us-east-1:123456789012:task/spillway/stranger")
MINE = a_task(POD)


def a_copy(**annotations: str) -> Pod:
    """A pod that was made with annotations of another's."""
    written = {
        "spillway.dev/attempt": "3",
        "spillway.dev/attempt-of": "the-original",
        "spillway.dev/attempted-at": NOON.isoformat(),
        "spillway.dev/task-arn": STRANGER,
    }
    named = {f"spillway.dev/{name.replace('_', '-')}": text for name, text in annotations.items()}
    return a_pod("web-1", uid="u1", node=VIRTUAL, annotations=written | named)


def test_a_copied_pod_begins_anew() -> None:
    pod = a_copy()
    assert (recorded_attempt(pod), recorded_arn(pod), stage_of(facts_of(pod))) == (0, None, Stage.FRESH)
    [recorded] = [each for each in decide(facts_of(pod)) if isinstance(each, RecordAttempt)]
    assert recorded.annotations["spillway.dev/attempt-of"] == "u1"
    assert recorded.annotations["spillway.dev/task-arn"] == ""


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("banana", id="word"),
        pytest.param("-5", id="negative"),
        pytest.param("9" * 5000, id="more-digits-than-python-reads"),
        pytest.param("\u0661", id="other-digits"),
    ],
)
def test_an_attempt_that_is_no_number_of_ours_counts_for_nothing(text: str) -> None:
    pod = a_copy(attempt=text, attempt_of="u1", task_arn="")
    assert recorded_attempt(pod) == 0


def test_another_number_beside_the_pods_own_task_does_not_hide_the_task() -> None:
    facts = facts_of(attempted(999_999, arn=MINE.arn), MINE)
    assert (attempt_of(facts), stage_of(facts)) == (MINE.attempt, Stage.CARRIED)


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        pytest.param(attempted(arn=STRANGER), [LaunchTask], id="asks-run-task-for-the-true-one"),
        pytest.param(attempted(arn=STRANGER, deleted=True, phase="Failed"), [Look], id="deletion-looks"),
    ],
)
def test_a_strangers_task_is_not_the_pods(pod: Pod, expected: list[type]) -> None:
    facts = facts_of(pod, strange=frozenset([STRANGER]), looked_at=LONG_AGO)
    assert kinds(decide(facts))[:1] == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("2099-01-01T00:00:00Z", id="far-future"),
        pytest.param("0001-01-01T00:00:00+23:00", id="before-the-first-year"),
        pytest.param("9999-12-31T23:59:59-23:00", id="after-the-last-year"),
        pytest.param("yesterday", id="no-time"),
    ],
)
def test_a_deleted_pod_does_not_wait_for_a_time_that_nobody_wrote(text: str) -> None:
    annotations = {
        "spillway.dev/attempt": "1",
        "spillway.dev/attempt-of": "u1",
        "spillway.dev/attempted-at": text,
    }
    metadata = {"deletionTimestamp": NOON.isoformat(), "creationTimestamp": NOON.isoformat()}
    pod = a_pod("web-1", uid="u1", annotations=annotations, metadata=metadata, phase="Failed")
    later = NOON + timedelta(minutes=1)
    assert kinds(decide(facts_of(pod, now=later, looked_at=later))) == [RemovePod]


def test_an_attempt_of_a_bridge_whose_clock_runs_ahead_is_not_lost() -> None:
    pod = attempted(at=NOON + timedelta(seconds=30), metadata={"creationTimestamp": LONG_AGO.isoformat()})
    assert stage_of(facts_of(pod)) is Stage.RECORDED


def test_a_strangers_task_does_not_keep_a_deleted_pod() -> None:
    pod = attempted(arn=STRANGER, at=NOON.replace(hour=1), deleted=True, phase="Failed")
    assert kinds(decide(facts_of(pod, strange=frozenset([STRANGER])))) == [RemovePod]


@pytest.mark.parametrize("text", ["1", "7"])
async def test_an_attempt_that_somebody_wrote_opts_no_namespace_in(text: str) -> None:
    world = World()
    world.namespaces.put(a_namespace("bare"))
    pod = a_pod("thief", namespace="bare", node=VIRTUAL)
    world.start()
    world.pods.bind(pod)
    await world.advance(1)
    forged = {
        "spillway.dev/attempt": text,
        "spillway.dev/attempt-of": pod.uid,
        "spillway.dev/attempted-at": world.clock.now().isoformat(),
    }
    await world.pods.amend(world.pod(pod), annotations=forged)
    await world.advance(100)
    assert (world.pod(pod).status.reason, world.ecs.runs) == ("OverflowNotAllowed", {})
    await world.stop()


async def _with_a_victim(world: World) -> Task:
    victim = a_pod("victim", node=VIRTUAL)
    world.start()
    world.pods.bind(victim)
    await world.advance(10)
    return world.ecs.of(victim)[0].task(world.clock.now())


@pytest.mark.parametrize(
    "forgery",
    [
        pytest.param({}, id="the-victims-task"),
        pytest.param({"task_arn": STRANGER}, id="a-task-of-nobody"),
        pytest.param({"attempt": "9" * 5000}, id="a-huge-number"),
    ],
)
async def test_a_pod_made_with_our_annotations_runs_its_own_task(forgery: dict[str, Any]) -> None:
    world = World()
    task = await _with_a_victim(world)
    thief = a_copy(**{"task_arn": task.arn, **forgery})
    world.pods.bind(thief)
    await world.advance(15)
    assert world.pod(thief).status.phase == "Running"
    assert [run.arn for run in world.ecs.of(thief)] == [recorded_arn(world.pod(thief))]
    await world.stop()


async def test_naming_a_strangers_task_later_is_put_right_and_touches_nobody() -> None:
    world = World()
    task = await _with_a_victim(world)
    thief = a_pod("thief", node=VIRTUAL)
    world.pods.bind(thief)
    await world.advance(1)
    await world.pods.amend(world.pod(thief), annotations={"spillway.dev/task-arn": task.arn})
    await world.advance(30)
    assert recorded_arn(world.pod(thief)) == world.ecs.of(thief)[0].arn
    assert (len(world.ecs.live()), world.ecs.most_of_one_pod()) == (2, 1)
    await world.stop()


async def test_a_waiting_pod_that_names_the_victims_task_still_gets_its_own() -> None:
    world = World()
    task = await _with_a_victim(world)
    thief = a_pod("thief", node=VIRTUAL)
    world.door.failures["run"] = [NoCapacity("none left")]
    world.pods.bind(thief)
    await world.advance(2)
    await world.pods.amend(world.pod(thief), annotations={"spillway.dev/task-arn": task.arn})
    await world.stop()
    world.start()
    await world.advance(30)
    assert world.pod(thief).status.phase == "Running"
    assert recorded_arn(world.pod(thief)) == world.ecs.of(thief)[0].arn
    assert len(world.ecs.live()) == 2
    await world.stop()
