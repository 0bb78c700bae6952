"""Whole lives of pods, and the failures that bridges before this one had."""

from collections import Counter
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from app.bridge.translation.task_spec import client_token
from app.model.pod import Pod
from app.ports.failures import NoCapacity, NotFound, PortFailure, Refused, Throttled, Unavailable
from app.ports.kubernetes import Lease
from tests.bridge.fakes import CONFIG, LEASE, World
from tests.builders import VIRTUAL, a_pod, identity_of, owned_by


def a_bound_pod(name: str = "web-1", **fields: Any) -> Pod:
    return a_pod(name, node=VIRTUAL, **fields)


def waiting_reason(pod: Pod) -> str:
    return str(pod.status.container_statuses[0]["state"]["waiting"]["reason"])


async def test_a_pod_runs_with_four_writes_to_its_pod() -> None:
    world, pod = World(), a_bound_pod()
    world.start()
    world.pods.bind(pod)
    await world.advance(15)
    now = world.pod(pod)
    assert (now.status.phase, now.status.pod_ip, world.pods.patches) == ("Running", "10.1.0.7", 4)
    assert now.metadata.annotations["spillway.dev/task-arn"] == world.ecs.of(pod)[0].arn
    await world.stop()


async def test_a_burst_of_one_template_registers_one_definition_and_launches_each_pod_once() -> None:
    world = World()
    world.start()
    for index in range(200):
        world.pods.bind(a_bound_pod(f"web-{index}"))
    await world.advance(20)
    assert Counter(world.door.calls)["register"] == 1
    assert (len(world.ecs.runs), world.ecs.most_of_one_pod()) == (200, 1)
    assert {each.status.phase for each in world.pods.pods.values()} == {"Running"}
    await world.stop()


async def test_a_restart_registers_no_definition_again() -> None:
    world = World()
    world.start()
    world.pods.bind(a_bound_pod("web-1"))
    await world.advance(5)
    await world.stop()
    world.start()
    world.pods.bind(a_bound_pod("web-2"))
    await world.advance(5)
    assert (Counter(world.door.calls)["register"], len(world.ecs.runs)) == (1, 2)
    await world.stop()


async def test_what_ended_while_no_bridge_ran_is_told_with_its_exit_code() -> None:
    world, pod = World(), a_bound_pod("job", restartPolicy="Never")
    world.ecs.ends["job"] = (20.0, 7)
    world.start()
    world.pods.bind(pod)
    await world.advance(10)
    await world.stop()
    await world.clock.advance(600)
    world.start()
    await world.advance(10)
    now = world.pod(pod)
    assert now.status.phase == "Failed"
    assert now.status.container_statuses[0]["state"]["terminated"]["exitCode"] == 7
    await world.stop()


async def test_what_ecs_forgot_while_no_bridge_ran_is_lost_and_not_run_again() -> None:
    world, pod = World(), a_bound_pod("job")
    world.ecs.ends["job"] = (20.0, 0)
    world.start()
    world.pods.bind(pod)
    await world.advance(10)
    await world.stop()
    await world.clock.advance(3 * 3600)
    world.start()
    await world.advance(400)
    assert (world.pod(pod).status.phase, world.pod(pod).status.reason) == ("Failed", "TaskLost")
    assert len(world.ecs.runs) == 1
    await world.stop()


async def test_pods_deleted_while_no_bridge_ran_leave_no_task() -> None:
    world, pod = World(), a_bound_pod()
    world.start()
    world.pods.bind(pod)
    await world.advance(10)
    await world.stop()
    world.pods.force_delete(pod)
    world.start()
    await world.advance(40)
    assert world.ecs.live() == []
    await world.stop()


async def test_tasks_of_others_are_never_touched() -> None:
    world = World()
    gone = a_bound_pod()
    world.ecs.launch_behind_our_back("arn:x/other-cluster", identity_of(gone, cluster="cluster-2"))
    world.ecs.launch_behind_our_back("arn:x/other-node", identity_of(gone, node="fargate-1b"))
    world.start()
    await world.advance(200)
    assert len(world.ecs.live()) == 2
    await world.stop()


async def test_nothing_is_stopped_on_a_partial_listing() -> None:
    world, pod = World(), a_bound_pod()
    world.ecs.launch_behind_our_back("arn:x/orphan", identity_of(pod))
    world.door.failures["arns STOPPED"] = [Unavailable("page 2 failed")] * 3
    world.start()
    await world.advance(8)
    assert "stop" not in world.door.calls
    await world.advance(40)
    assert world.ecs.live() == []
    await world.stop()


async def test_an_orphan_is_left_alone_when_another_bridge_took_the_lease_a_moment_ago() -> None:
    world, pod = World(), a_bound_pod()
    world.ecs.launch_behind_our_back("arn:x/orphan", identity_of(pod))
    world.door.failures["arns RUNNING"] = [Unavailable("x")]
    world.start()
    await world.advance(1)
    world.leases.leases[LEASE] = Lease(holder="another", duration=40, record="x")
    await world.advance(28)
    assert "get pod" in world.door.calls
    assert len(world.ecs.live()) == 1
    await world.stop()


async def test_a_pod_that_only_the_watch_misses_keeps_its_task() -> None:
    world, pod = World(), a_bound_pod()
    world.start()
    world.pods.bind(pod)
    await world.advance(10)
    world.pods.watched.drop(pod.key)
    await world.advance(100)
    assert len(world.ecs.live()) == 1
    await world.stop()


async def test_a_pod_of_the_same_name_gets_its_own_task() -> None:
    world = World()
    first, second = a_bound_pod(uid="u1"), a_bound_pod(uid="u2")
    world.start()
    world.pods.bind(first)
    await world.advance(10)
    world.pods.force_delete(first)
    world.pods.bind(second)
    await world.advance(20)
    assert [run.identity.uid for run in world.ecs.live()] == ["u2"]
    await world.stop()


@pytest.mark.parametrize(
    "failure",
    [pytest.param(Throttled("slow down"), id="throttled"), pytest.param(Unavailable("503"), id="no-answer")],
)
async def test_a_failure_that_passes_is_not_held_against_the_pod(failure: PortFailure) -> None:
    world, pod = World(), a_bound_pod(restartPolicy="Never")
    world.door.failures["run"] = [failure] * 3
    world.start()
    world.pods.bind(pod)
    await world.advance(20)
    assert (world.pod(pod).status.phase, [run.attempt for run in world.ecs.of(pod)]) == ("Running", [1])
    await world.stop()


async def test_no_capacity_keeps_the_pod_pending_and_tries_again() -> None:
    world, pod = World(), a_bound_pod()
    world.door.failures["run"] = [NoCapacity("Capacity is unavailable at this time")]
    world.start()
    world.pods.bind(pod)
    await world.advance(5)
    assert (world.pod(pod).status.phase, waiting_reason(world.pod(pod))) == ("Pending", "FargateNoCapacity")
    await world.advance(20)
    assert (world.pod(pod).status.phase, [run.attempt for run in world.ecs.of(pod)]) == ("Running", [2])
    await world.stop()


async def test_a_definite_no_is_shown_and_told_once() -> None:
    world, pod = World(), a_bound_pod()
    world.door.failures["run"] = [Refused("role arn:x cannot be passed")] * 5
    world.start()
    world.pods.bind(pod)
    await world.advance(1000)
    assert waiting_reason(world.pod(pod)) == "CreateContainerConfigError"
    assert world.events.reasons(pod.metadata.name) == ["FailedLaunch"]
    await world.stop()


async def test_a_task_under_our_token_with_other_parameters_is_adopted() -> None:
    world, pod = World(), a_bound_pod()
    token = client_token(identity_of(pod), attempt=1)
    run = world.ecs.launch_behind_our_back("arn:aws:ecs:r:1:task/c/older", identity_of(pod), token)
    world.ecs.lag = 2.0
    world.start()
    world.pods.bind(pod)
    await world.advance(20)
    assert world.pod(pod).metadata.annotations["spillway.dev/task-arn"] == run.arn
    assert len(world.ecs.runs) == 1
    await world.stop()


async def test_a_launch_whose_answer_was_lost_is_adopted_by_a_bridge_that_would_launch_otherwise() -> None:
    world, pod = World(), a_bound_pod()
    world.ecs.lag = 10.0
    world.door.lost["run"] = 1
    world.start()
    world.pods.bind(pod)
    await world.advance(1)
    await world.stop()
    without_exec = msgspec.structs.replace(CONFIG.task, exec="off")
    world.start(msgspec.structs.replace(CONFIG, task=without_exec))
    await world.advance(60)
    [run] = world.ecs.of(pod)
    assert world.door.calls.count("run") > 1
    assert world.pod(pod).metadata.annotations["spillway.dev/task-arn"] == run.arn
    await world.stop()


async def test_a_daemon_sets_pod_is_never_started_and_never_failed() -> None:
    world, pod = World(), a_bound_pod("agent", metadata=owned_by("DaemonSet"))
    world.start()
    world.pods.bind(pod)
    await world.advance(100)
    assert (world.pod(pod).status.phase, world.ecs.runs) == ("Pending", {})
    assert world.events.reasons("agent") == ["DaemonSetOnFargate"]
    await world.stop()


async def test_a_label_edit_on_a_running_pod_changes_nothing() -> None:
    world, pod = World(), a_bound_pod()
    world.start()
    world.pods.bind(pod)
    await world.advance(15)
    patches = world.pods.patches
    edited = world.pod(pod)
    world.pods.bind(
        msgspec.structs.replace(edited, metadata=msgspec.structs.replace(edited.metadata, labels={"a": "b"}))
    )
    await world.advance(15)
    assert (world.pods.patches, world.pod(pod).status.phase) == (patches, "Running")
    await world.stop()


async def test_the_node_is_ready_and_leased_though_ecs_does_not_answer() -> None:
    world = World()
    world.door.failures["arns RUNNING"] = [Unavailable("ECS is down")] * 1000
    bridge = world.start()
    await world.advance(90)
    assert (bridge.is_ready(), world.leases.renewals >= 3) == (False, True)
    assert world.nodes.nodes[VIRTUAL].status.conditions[0].status == "True"
    await world.stop()


async def test_a_definition_deregistered_behind_our_back_is_registered_again_within_seconds() -> None:
    world, first, second = World(), a_bound_pod("web-1"), a_bound_pod("web-2")
    world.start()
    world.pods.bind(first)
    await world.advance(10)
    world.ecs.definitions.clear()
    world.door.failures["run"] = [NotFound("TaskDefinition is inactive")] * 4
    world.pods.bind(second)
    await world.advance(20)
    assert Counter(world.door.calls)["register"] == 2
    assert world.pod(second).status.phase == "Running"
    await world.stop()


async def test_a_pod_that_goes_while_it_is_worked_on_is_no_failure() -> None:
    world, pod = World(), a_bound_pod()
    world.door.failures["amend"] = [NotFound('pods "web-1" not found')]
    with capture_logs() as lines:
        world.start()
        world.pods.bind(pod)
        await world.advance(1)
        world.pods.force_delete(pod)
        await world.advance(10)
    assert [line for line in lines if line["log_level"] in {"warning", "error"}] == []
    await world.stop()
