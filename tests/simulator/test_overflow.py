"""The simulator's gate answers as the extender's leader would of the same scene."""

from datetime import timedelta
from typing import Any

import pytest

from app.extender.decision.decisions import Burst
from app.extender.decision.gate import plan
from app.extender.decision.hindrance import GateConfig
from app.extender.decision.memory import Memory
from app.fargate.eligibility import refusals
from app.model.names import MAX_WAIT, OVERFLOW
from app.model.pod import Pod
from app.simulator.autoscaler import Autoscaler
from app.simulator.config import SimulationConfig
from app.simulator.machine import Machine
from app.simulator.overflow import Gate
from app.simulator.stand_ins import Pods, moment, since_epoch
from app.simulator.tasks import Tasks, uid_of
from app.simulator.trace import TracedPod
from tests.builders import a_node, a_virtual_node, unschedulable
from tests.extender.fakes import a_namespace, a_pressing_pod
from tests.extender.plans import facts_of
from tests.simulator.scenes import a_scene, a_traced

BEGIN = 1_767_571_200_000
"""Milliseconds; when all of the scene's pods were created."""

TRACED = (
    a_traced("plain"),
    a_traced("patient", max_wait="2m"),
    a_traced("hasty", max_wait="0s"),
    a_traced("stays", overflow=False),
    a_traced("huge", cpu_milli=99_000),
    a_traced("elsewhere", namespace="ci"),
)


def as_recorded(pod: TracedPod) -> Pod:
    """The pod as an API server showed it."""
    annotations = {MAX_WAIT: pod.max_wait} if pod.max_wait else {}
    metadata: dict[str, Any] = {"creationTimestamp": moment(BEGIN).isoformat()}
    return a_pressing_pod(
        pod.name,
        namespace=pod.namespace,
        cpu=f"{pod.cpu_milli}m",
        memory=f"{pod.memory_mib}Mi",
        annotations=annotations,
        labels={} if pod.overflow else {OVERFLOW: "disabled"},
        metadata=metadata,
        status=unschedulable(moment(BEGIN)),
    )


def said_by_the_extender(now: int, config: GateConfig) -> set[str]:
    facts = facts_of(
        [as_recorded(pod) for pod in TRACED],
        nodes=(a_virtual_node(), a_node(cpu="0")),
        namespaces={name: a_namespace(name) for name in ("default", "ci")},
    )
    decided = plan(facts, Memory(), now=moment(now), config=config, refusals=refusals)
    return {each.pod.metadata.name for each in decided.decisions if isinstance(each, Burst)}


def gate_of(config: SimulationConfig) -> Gate:
    machine = Machine(TRACED, node=config.node, slots=0)
    autoscaler = Autoscaler(TRACED, node=config.node, slots=range(0))
    return Gate(
        TRACED,
        config=config,
        tasks=Tasks(TRACED, config=config),
        machine=machine,
        autoscaler=autoscaler,
    )


@pytest.mark.parametrize("after", [pytest.param(each, id=f"{each}s") for each in (0, 59, 60, 119, 120, 600)])
def test_of_a_recorded_scene_the_same_pods_burst_as_by_the_extender(after: int) -> None:
    config = GateConfig(max_wait=timedelta(seconds=60))
    gate = gate_of(a_scene(gate=config))
    for index in range(len(TRACED)):
        gate.waits(index, BEGIN)
    now = BEGIN + after * 1000
    bursts = {TRACED[index].name for index in gate.turn(now)}
    assert bursts == said_by_the_extender(now, config)


def test_the_gate_is_due_when_the_next_wait_ends() -> None:
    gate = gate_of(a_scene())
    for index in range(len(TRACED)):
        gate.waits(index, BEGIN)
    gate.turn(BEGIN)
    assert gate.due == BEGIN + 120_000


def test_a_pod_that_found_a_node_is_asked_about_no_more() -> None:
    gate = gate_of(a_scene())
    gate.waits(1, BEGIN)
    gate.turn(BEGIN)
    gate.found_a_node(1)
    assert gate.due is None
    assert gate.turn(BEGIN + 120_000) == []


def test_a_stand_in_asks_for_what_the_trace_says() -> None:
    pod = Pods("arm64").pending(a_traced(cpu_milli=250, memory_mib=300), uid_of(7), since=BEGIN)
    assert refusals(pod) == ()
    assert pod.spec.containers[0].resources.requests == {"cpu": "250m", "memory": "300Mi"}
    assert pod.spec.node_selector == {"kubernetes.io/arch": "arm64"}


@pytest.mark.parametrize("ms", [0, 1, BEGIN + 1, BEGIN + 999])
def test_a_moment_is_the_same_millisecond_again(ms: int) -> None:
    assert since_epoch(moment(ms)) == ms


def test_a_moment_between_two_milliseconds_is_the_later_one() -> None:
    assert since_epoch(moment(5) + timedelta(microseconds=1)) == 6
