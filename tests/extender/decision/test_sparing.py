from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.extender.decision.decisions import Burst
from app.extender.decision.hindrance import GateConfig
from app.extender.decision.mode import Mode
from app.extender.decision.preference import preferences_of
from app.extender.decision.sparing import evicts_nobody
from app.model import names
from app.model.namespace import Namespace
from app.model.node import Node
from app.model.pod import Pod, PodStatus
from tests.builders import a_node, a_pod, a_virtual_node, opted_in_toleration, owned_by, unschedulable
from tests.extender.fakes import ENABLED, namespaces_with
from tests.extender.plans import not_runnable, planned, runnable

PREFERENCES = preferences_of(("fast=burst", "top=preempt", "slow=wait", "*=preempt-first"))


def a_new_pod(class_name: str, **fields: Any) -> Pod:
    """A pod that the webhook prepared, at the first look of the scheduler: it has no condition yet."""
    fields.setdefault("tolerations", [opted_in_toleration()])
    return a_pod(priorityClassName=class_name, **fields)


def spared(
    pod: Pod,
    *,
    virtual: tuple[Node, ...] = (a_virtual_node(),),
    namespaces: Mapping[str, Namespace] = ENABLED,
    refusals: Any = runnable,
    gate: Mode = "auto",
) -> bool:
    config = GateConfig(preferences=PREFERENCES, gate=gate)
    return evicts_nobody(pod, virtual=virtual, namespaces=namespaces, config=config, refusals=refusals)


@pytest.mark.parametrize(
    ("class_name", "nobody"),
    [("fast", True), ("slow", True), ("top", False), ("other", False), ("", False)],
)
def test_nobody_is_evicted_for_classes_that_burst_or_wait(class_name: str, nobody: bool) -> None:
    assert spared(a_new_pod(class_name)) is nobody


@pytest.mark.parametrize(
    ("fields", "namespaces", "nobody"),
    [
        pytest.param({}, namespaces_with({"shop": {}}), False, id="namespace without the label"),
        pytest.param({}, {}, False, id="namespace unknown"),
        pytest.param({"labels": {names.OVERFLOW: "disabled"}}, ENABLED, False, id="the pod opts out"),
        pytest.param({"labels": {names.OVERFLOW: "maybe"}}, ENABLED, False, id="a label that means nothing"),
        pytest.param({"labels": {names.OVERFLOW: "required"}}, ENABLED, False, id="only Fargate"),
        pytest.param({"metadata": owned_by("DaemonSet")}, ENABLED, False, id="of a DaemonSet"),
        pytest.param({}, ENABLED, True, id="opted in"),
    ],
)
@pytest.mark.parametrize("class_name", ["fast", "slow"])
def test_only_opted_in_pods_are_spoken_for(
    class_name: str, fields: dict[str, Any], namespaces: Mapping[str, Namespace], nobody: bool
) -> None:
    assert spared(a_new_pod(class_name, **fields), namespaces=namespaces) is nobody


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"tolerations": []}, id="the webhook left it alone"),
        pytest.param({"nodeSelector": {"gpu": "yes"}}, id="asks for other nodes"),
        pytest.param({"labels": {"scheduling.x-k8s.io/pod-group": "train"}}, id="of a gang"),
        pytest.param({"annotations": {names.MAX_WAIT: "soon"}}, id="a wait that means nothing"),
    ],
)
def test_a_pod_that_could_not_burst_preempts_as_ever(fields: dict[str, Any]) -> None:
    assert spared(a_new_pod("fast", **fields)) is False


def test_a_pod_that_fargate_cannot_run_preempts_as_ever() -> None:
    assert spared(a_new_pod("fast"), refusals=not_runnable) is False


@pytest.mark.parametrize(
    ("virtual", "gate"),
    [
        pytest.param((), "auto", id="no virtual node"),
        pytest.param((a_virtual_node(ready=False),), "auto", id="none is ready"),
        pytest.param((a_virtual_node(),), "closed", id="the gate is closed"),
        pytest.param((a_virtual_node(),), "observe", id="the gate only observes"),
        pytest.param((a_virtual_node(annotations={names.GATE: "closed"}),), "auto", id="by annotation"),
    ],
)
def test_a_pod_that_finds_no_open_gate_preempts_as_ever(virtual: tuple[Node, ...], gate: Mode) -> None:
    assert spared(a_new_pod("fast"), virtual=virtual, gate=gate) is False


def test_one_virtual_node_that_takes_the_pod_is_enough() -> None:
    nodes = (a_virtual_node("v1", ready=False), a_virtual_node("v2"))
    assert spared(a_new_pod("fast"), virtual=nodes) is True


def test_a_pod_that_waits_for_a_real_node_needs_no_virtual_one() -> None:
    assert spared(a_new_pod("slow", tolerations=[]), virtual=(), refusals=not_runnable) is True


UNSCHEDULABLE = msgspec.convert(unschedulable(), PodStatus)
PODS = st.fixed_dictionaries(
    {
        "labels": st.sampled_from([{}, {names.OVERFLOW: "disabled"}, {"scheduling.x-k8s.io/pod-group": "g"}]),
        "tolerations": st.sampled_from([[], [opted_in_toleration()]]),
        "annotations": st.sampled_from([{}, {names.MAX_WAIT: "soon"}]),
        "nodeSelector": st.sampled_from([{}, {"gpu": "yes"}, {names.OS_LABEL: "linux"}]),
        "metadata": st.sampled_from([{}, owned_by("DaemonSet"), owned_by("ReplicaSet")]),
    }
)


@given(
    fields=PODS,
    ready=st.booleans(),
    said=st.sampled_from([{}, {names.GATE: "closed"}, {names.GATE: "open"}, {names.GATE: "nonsense"}]),
    gate=st.sampled_from(["auto", "open", "closed", "observe"]),
    refusals=st.sampled_from([runnable, not_runnable]),
)
def test_nobody_is_evicted_for_just_those_that_the_gate_lets_burst(
    fields: dict[str, Any], ready: bool, said: dict[str, str], gate: Mode, refusals: Any
) -> None:
    pod = a_new_pod("fast", **fields)
    node = a_virtual_node(ready=ready, annotations=said)
    config = GateConfig(preferences=PREFERENCES, gate=gate)
    later = msgspec.structs.replace(pod, status=UNSCHEDULABLE)
    made = planned(later, nodes=(node, a_node()), config=config, refusals=refusals)
    bursts = [type(each) for each in made.decisions] == [Burst]
    assert spared(pod, virtual=(node,), gate=gate, refusals=refusals) is bursts
