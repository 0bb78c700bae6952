"""The `preempt` verb for pods whose priority class evicts nobody."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from app.extender.answer.preemption import Preemption
from app.extender.decision.hindrance import GateConfig, Refusals
from app.extender.decision.preference import preferences_of
from app.model.namespace import Namespace
from app.model.pod import Pod
from tests.builders import VIRTUAL, a_node, a_pod, a_virtual_node, opted_in_toleration, wire
from tests.extender.fakes import Extender, a_namespace
from tests.extender.plans import not_runnable, runnable
from tests.fakes import FakeWatched

NODES = (a_node("a"), a_node("b"), a_virtual_node())
FAST = a_pod("fast", priorityClassName="fast", tolerations=[opted_in_toleration()])
OTHER = a_pod("other", priorityClassName="other", tolerations=[opted_in_toleration()])
PLACEHOLDER = a_pod("hold", uid="hold", node="b", priority=-10)


class NeverSynced(FakeWatched[Namespace]):
    """A watch whose first listing does not come."""

    async def synced(self) -> None:
        await asyncio.Event().wait()


class Stage:
    """An extender that knows priority classes, and what it watches."""

    def __init__(
        self,
        *pods: Pod,
        refusals: Refusals = runnable,
        entries: Sequence[str] = ("fast=burst",),
        namespaces: FakeWatched[Namespace] | None = None,
    ) -> None:
        self.pods: FakeWatched[Pod] = FakeWatched(pods)
        self.namespaces = namespaces or FakeWatched([a_namespace()])
        config = GateConfig(preferences=preferences_of(entries))
        preemption = Preemption(config, namespaces=self.namespaces, pods=self.pods, refusals=refusals)
        self.extender = Extender(NODES, preemption=preemption)

    async def kept(self, pod: object, victims: dict[str, list[str]]) -> dict[str, list[str]]:
        """The victims that are left, by node."""
        asked = {
            name: {"Pods": [{"UID": uid} for uid in uids], "NumPDBViolations": 0}
            for name, uids in victims.items()
        }
        answer = await self.extender.ask("preempt", Pod=pod, NodeNameToMetaVictims=asked)
        left = answer["NodeNameToMetaVictims"]
        return {name: [pod["UID"] for pod in each["Pods"]] for name, each in left.items()}


VICTIMS = {"a": ["v1"], "b": ["v2", "v3"], VIRTUAL: ["v4"]}


async def test_nobody_is_evicted_for_a_pod_that_bursts_instead() -> None:
    stage = Stage()
    assert await stage.kept(wire(FAST), VICTIMS) == {}
    metrics = (await stage.extender.get("/metrics")).text
    assert 'outcome="vetoed",verb="preempt"} 1.0' in metrics


@pytest.mark.parametrize(
    ("stage", "pod"),
    [
        pytest.param(Stage(), OTHER, id="of another class"),
        pytest.param(Stage(refusals=not_runnable), FAST, id="Fargate cannot run it"),
        pytest.param(Stage(entries=()), FAST, id="nothing was said of its class"),
        pytest.param(Stage(entries=("fast=preempt",)), FAST, id="its class preempts"),
    ],
)
async def test_other_pods_preempt_on_real_nodes_as_ever(stage: Stage, pod: Pod) -> None:
    assert await stage.kept(wire(pod), VICTIMS) == {"a": ["v1"], "b": ["v2", "v3"]}


async def test_placeholders_are_pushed_aside_for_everybody() -> None:
    stage = Stage(PLACEHOLDER)
    assert await stage.kept(wire(FAST), {"a": ["v1"], "b": ["hold"]}) == {"b": ["hold"]}


async def test_whoever_stands_beside_a_placeholder_is_spared() -> None:
    assert await Stage(PLACEHOLDER).kept(wire(FAST), {"b": ["hold", "v1"]}) == {}


async def test_a_placeholder_is_known_from_the_watch_and_forgotten_with_it() -> None:
    stage = Stage()
    stage.pods.put(PLACEHOLDER)
    assert await stage.kept(wire(FAST), {"b": ["hold"]}) == {"b": ["hold"]}
    stage.pods.drop(PLACEHOLDER.key)
    assert await stage.kept(wire(FAST), {"b": ["hold"]}) == {}


async def test_a_namespace_that_loses_its_label_preempts_as_ever() -> None:
    stage = Stage()
    stage.namespaces.put(a_namespace(labels={}))
    assert await stage.kept(wire(FAST), {"a": ["v1"]}) == {"a": ["v1"]}


async def test_full_victims_are_answered_in_the_short_form() -> None:
    victims = {"a": {"Pods": [wire(a_pod("v", uid="v1"))], "NumPDBViolations": 0}}
    stage = Stage()
    answer = await stage.extender.ask("preempt", Pod=wire(FAST), NodeNameToVictims=victims)
    assert answer == {"NodeNameToMetaVictims": {}}


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param("of another kind", id="no object"),
        pytest.param({"priorityClassName": 7}, id="a field of another type"),
    ],
)
async def test_a_pod_that_cannot_be_read_still_spares_virtual_nodes(spec: Any) -> None:
    pod = {"metadata": {"name": "odd", "namespace": "shop", "uid": "u9"}, "spec": spec}
    assert await Stage().kept(pod, VICTIMS) == {"a": ["v1"], "b": ["v2", "v3"]}


async def test_a_defect_still_spares_virtual_nodes() -> None:
    def broken(pod: Pod) -> Any:
        raise ZeroDivisionError

    assert await Stage(refusals=broken).kept(wire(FAST), VICTIMS) == {"a": ["v1"], "b": ["v2", "v3"]}


async def test_a_pod_as_kube_scheduler_writes_it_is_understood() -> None:
    body = """{"metadata": {"name": "fast", "namespace": "shop", "uid": "u9", "creationTimestamp": null},
      "spec": {"containers": [{"name": "main", "image": "app:1", "resources": {}}],
               "priorityClassName": "fast", "priority": 1000000, "preemptionPolicy": "PreemptLowerPriority",
               "tolerations": [{"key": "virtual-kubelet.io/provider", "operator": "Equal",
                                "value": "fargate", "effect": "NoSchedule"}]},
      "status": {"phase": "Pending", "qosClass": "BestEffort"}}"""
    assert await Stage().kept(json.loads(body), VICTIMS) == {}


async def test_a_replica_that_does_not_know_who_opted_in_is_not_ready() -> None:
    stage = Stage(namespaces=NeverSynced())
    async with stage.extender.alive():
        assert (await stage.extender.get("/readyz")).status_code == 503
