import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry

from app.extender.cluster.facts import Facts
from app.extender.controllers import Controllers
from app.extender.handover import GIVEN_UP, REFUSED, REQUESTED, Handover, HandoverShellConfig
from app.extender.homecoming import RETURNING, Homecoming, HomecomingConfig
from app.extender.homing.config import ReturnConfig
from app.extender.homing.handovers import HandoverConfig
from app.extender.metrics import HandoverMetrics, HomingMetrics
from app.model.names import INSTANCE_TYPE_LABEL, PodUid
from app.model.node import Node
from app.model.pod import Pod
from app.model.replicas import Replicas
from app.ports.failures import Conflict, PortFailure, Refused, Unavailable
from tests.builders import VIRTUAL, a_node, a_pod, a_virtual_node
from tests.extender.fakes import FakeEvents
from tests.extender.homing.handing import a_nodeful
from tests.extender.homing.returns import MINUTE
from tests.extender.homing.shell import FakeEvictions, Notebook
from tests.extender.plans import facts_of
from tests.fakes import FakeWatched, VirtualClock, settle


class FakePlaceholders:
    """The Placeholders port over the watched pods; they wait for a node until the test gives them one."""

    def __init__(self, pods: FakeWatched[Pod], clock: VirtualClock) -> None:
        self._pods = pods
        self._clock = clock
        self.made: list[str] = []
        self.removed: list[str] = []
        self.classes: list[tuple[str, int]] = []
        self.failures: list[PortFailure] = []
        self.class_failures: list[PortFailure] = []

    async def create(self, manifest: Mapping[str, Any]) -> None:
        if self.failures:
            raise self.failures.pop(0)
        name = manifest["metadata"]["name"]
        metadata = {"uid": f"uid-{name}", "creationTimestamp": self._clock.now().isoformat()}
        body = {**manifest, "metadata": {**manifest["metadata"], **metadata}}
        body["spec"] = {**manifest["spec"], "priority": -5}
        self.made.append(name)
        self._pods.put(msgspec.convert(body, Pod))

    async def remove(self, pod: Pod) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.removed.append(pod.metadata.name)
        self._pods.drop(pod.key)

    async def ensure_priority(self, name: str, *, value: int) -> None:
        self.classes.append((name, value))
        if self.class_failures:
            raise self.class_failures.pop(0)


class Town:
    """A leader's hand-over and homecoming over fakes: a full node, overflow, and an autoscaler: the test."""

    def __init__(self, *pods: Pod, enabled: bool = True) -> None:
        self.clock = VirtualClock()
        full = a_pod("full", node="ec2-0", cpu="2", memory="8Gi", phase="Running")
        self.pods: FakeWatched[Pod] = FakeWatched((*pods, full))
        self.real: list[Node] = [_a_real_node("ec2-0")]
        self.placeholders = FakePlaceholders(self.pods, self.clock)
        self.evictions = FakeEvictions(self.pods)
        self.notebook = Notebook(a_virtual_node(VIRTUAL))
        self.events = FakeEvents()
        self.registry = CollectorRegistry()
        self.leads = True
        self.enabled = enabled
        self.handover = self.another(self.registry)
        self.homecoming = Homecoming(
            HomecomingConfig(policy=ReturnConfig(after=timedelta(minutes=5)), every=30.0),
            evictions=self.evictions,
            nodes=self.notebook,
            events=self.events,
            clock=self.clock,
            metrics=HomingMetrics(self.registry),
            urged=self._ready,
        )

    def another(self, registry: CollectorRegistry | None = None) -> Handover:
        """The hand-over of a replica that sees the same cluster."""
        return Handover(
            HandoverShellConfig(enabled=self.enabled, policy=HandoverConfig(look=MINUTE)),
            pods=self.pods,
            placeholders=self.placeholders,
            controllers=Controllers(self.evictions, config=ReturnConfig(), clock=self.clock),
            events=self.events,
            clock=self.clock,
            metrics=HandoverMetrics(registry or CollectorRegistry()),
            leads=lambda: self.leads,
        )

    def _ready(self, facts: Facts) -> frozenset[PodUid]:
        return self.handover.ready(facts)

    def facts(self) -> Facts:
        return facts_of(self.pods.all(), nodes=(self.notebook.node, *self.real))

    @contextlib.asynccontextmanager
    async def leading(self, handover: Handover | None = None) -> AsyncIterator[None]:
        chores = ((handover or self.handover).run, self.homecoming.run)
        tasks = [asyncio.create_task(run(self.facts)) for run in chores]
        await settle()
        yield
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    async def pass_by(self, *, minutes: float) -> None:
        await self.clock.advance(minutes * 60)

    def add_node(self) -> None:
        """The autoscaler's node comes, and the placeholders run on it."""
        self.real.append(_a_real_node("ec2-1"))
        for pod in self.waiting():
            spec = msgspec.structs.replace(pod.spec, node_name="ec2-1")
            status = msgspec.structs.replace(pod.status, phase="Running")
            self.pods.put(msgspec.structs.replace(pod, spec=spec, status=status))

    def waiting(self) -> list[Pod]:
        return [pod for pod in self.pods.all() if pod.metadata.namespace == "spillway"]

    def told(self, reason: str) -> list[str]:
        return [message for _, why, message in self.events.said if why == reason]

    def metric(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)


def _a_real_node(name: str) -> Node:
    return a_node(name, cpu="2", memory="8Gi", labels={INSTANCE_TYPE_LABEL: "m7i.large"})


async def test_overflow_that_stays_gets_placeholders_and_goes_home_pod_by_pod_when_their_node_comes() -> None:
    town = Town(*a_nodeful())
    async with town.leading():
        await town.pass_by(minutes=45)
        assert town.placeholders.made == []
        await town.pass_by(minutes=15)
        assert len(town.placeholders.made) == 4
        assert town.evictions.evicted == []
        town.add_node()
        await town.pass_by(minutes=5)
    assert sorted(town.evictions.evicted) == ["web-0", "web-1", "web-2", "web-3"]
    assert sorted(town.placeholders.removed) == sorted(town.placeholders.made)
    assert town.waiting() == []
    why = town.told(RETURNING)
    assert len(why) == 4
    assert all(text.startswith("the room that a node was asked for in its name stands ready") for text in why)


async def test_people_are_told_what_was_asked_for_and_why() -> None:
    town = Town(*a_nodeful())
    async with town.leading():
        await town.pass_by(minutes=60)
    (told,) = town.told(REQUESTED)
    assert told == (
        "what one m7i.large (2 cpu and 8 GiB) would carry has cost $0.1 on Fargate within 1:00:00, for which "
        "the node costs $0.1: asked for 1 with 4 placeholder pods"
    )
    assert town.metric("spillway_handover_nodes_asked_total") == 1
    assert town.metric("spillway_handover_placeholders", state="waiting") == 4


async def test_the_placeholder_goes_at_once_when_its_pod_is_on_its_way() -> None:
    pods = a_nodeful()
    town = Town(*pods)
    async with town.leading():
        await town.pass_by(minutes=60)
        town.add_node()
        await town.pass_by(minutes=0.2)
        metadata = msgspec.structs.replace(pods[0].metadata, deletion_timestamp=town.clock.now())
        town.pods.put(msgspec.structs.replace(pods[0], metadata=metadata))
        await town.pass_by(minutes=0)
    assert town.placeholders.removed == [f"spillway-placeholder-{pods[0].uid}"]


async def test_where_no_node_comes_it_is_given_up_and_tried_again_after_twice_the_stay() -> None:
    town = Town(*a_nodeful())
    async with town.leading():
        await town.pass_by(minutes=60)
        await town.pass_by(minutes=12)
        assert town.waiting() == []
        assert len(town.told(GIVEN_UP)) == 1
        await town.pass_by(minutes=95)
        assert len(town.placeholders.made) == 4
        await town.pass_by(minutes=30)
        assert len(town.placeholders.made) == 8


async def test_every_time_that_no_node_comes_doubles_the_stay_again() -> None:
    town = Town(*a_nodeful())
    async with town.leading():
        await town.pass_by(minutes=6 * 60)
    assert [message.split()[-1] for message in town.told(GIVEN_UP)] == ["2:00:00", "4:00:00"]


async def test_whose_pods_left_a_node_unused_is_told_by_name_and_no_word_of_a_node_that_did_not_come() -> (
    None
):
    town = Town(*a_nodeful())
    async with town.leading():
        await town.pass_by(minutes=60)
        town.evictions.replicas_of["web"] = Replicas(wanted=4, ready=1)
        town.add_node()
        await town.pass_by(minutes=40)
    (told,) = town.told(GIVEN_UP)
    assert told.startswith(
        "a node came for pods of ReplicaSet shop/web, and they did not use it: its pod was"
    )
    assert town.waiting() == []


async def test_it_is_off_unless_switched_on_and_clears_away_what_is_there() -> None:
    town = Town(*a_nodeful())
    async with town.leading():
        await town.pass_by(minutes=60)
    town.enabled = False
    async with town.leading(town.another()):
        await town.pass_by(minutes=120)
    assert town.waiting() == []
    assert len(town.placeholders.made) == 4


async def test_a_new_leader_goes_on_with_the_placeholders_that_it_finds() -> None:
    town = Town(*a_nodeful())
    async with town.leading():
        await town.pass_by(minutes=60)
    town.handover = town.another()
    async with town.leading():
        await town.pass_by(minutes=1)
        town.add_node()
        await town.pass_by(minutes=5)
    assert len(town.evictions.evicted) == 4
    assert town.waiting() == []


async def test_placeholders_that_a_dead_leader_left_for_pods_that_are_gone_are_swept() -> None:
    pods = a_nodeful()
    town = Town(*pods)
    async with town.leading():
        await town.pass_by(minutes=60)
    for pod in pods:
        town.pods.drop(pod.key)
    async with town.leading(town.another()):
        await town.pass_by(minutes=0.1)
    assert town.waiting() == []


async def test_who_lost_the_lease_makes_nothing() -> None:
    town = Town(*a_nodeful())
    town.leads = False
    async with town.leading():
        await town.pass_by(minutes=120)
    assert town.placeholders.made == []


async def test_pods_whose_controller_cannot_do_without_one_get_no_node() -> None:
    town = Town(*a_nodeful())
    town.evictions.replicas_of["web"] = Replicas(wanted=1, ready=1)
    async with town.leading():
        await town.pass_by(minutes=120)
    assert town.placeholders.made == []


async def test_a_controller_that_could_not_be_asked_is_asked_again() -> None:
    town = Town(*a_nodeful())
    town.evictions.replicas_of["web"] = Unavailable("no answer")
    async with town.leading():
        await town.pass_by(minutes=10)
        del town.evictions.replicas_of["web"]
        await town.pass_by(minutes=50)
        assert town.placeholders.made == []
        await town.pass_by(minutes=10)
    assert len(town.placeholders.made) == 4


async def test_a_controller_is_asked_once_in_a_while_however_many_pods_it_has() -> None:
    town = Town(*a_nodeful())
    async with town.leading():
        await town.pass_by(minutes=20)
    assert len(town.evictions.asked) <= 5


async def test_the_priority_class_is_made_once_a_term_before_the_first_placeholder() -> None:
    town = Town(*a_nodeful())
    async with town.leading():
        await town.pass_by(minutes=30)
        assert town.placeholders.classes == []
        await town.pass_by(minutes=30)
    assert town.placeholders.classes == [("spillway-placeholder", -5)]


async def test_without_the_right_to_make_the_class_it_is_taken_to_be_there() -> None:
    town = Town(*a_nodeful())
    town.placeholders.class_failures = [Refused("forbidden")]
    async with town.leading():
        await town.pass_by(minutes=60)
    assert len(town.placeholders.made) == 4


async def test_where_the_class_was_not_made_for_want_of_an_answer_it_is_made_with_the_next() -> None:
    town = Town(*a_nodeful())
    town.placeholders.class_failures = [Unavailable("no answer")]
    town.placeholders.failures = [Refused("no such class")] * 4
    async with town.leading():
        await town.pass_by(minutes=150)
    assert len(town.placeholders.classes) == 2


async def test_where_the_class_is_anothers_nothing_is_asked_for_and_people_read_the_mend() -> None:
    town = Town(*a_nodeful())
    town.placeholders.class_failures = [Conflict("delete it, or name another")]
    async with town.leading():
        await town.pass_by(minutes=60)
    assert (town.placeholders.made, town.told(REFUSED)) == ([], ["delete it, or name another"])


async def test_a_placeholder_that_is_refused_is_told_of_in_the_servers_words() -> None:
    town = Town(*a_nodeful())
    town.placeholders.failures = [Refused("no PriorityClass with name spillway-placeholder was found")]
    async with town.leading():
        await town.pass_by(minutes=55)
    assert town.told(REFUSED) == [
        "placeholder for shop/web-0: no PriorityClass with name spillway-placeholder was found"
    ]
    assert town.metric("spillway_handover_placeholders_made_total", outcome="refused") == 1
    assert len(town.placeholders.made) == 3


async def test_a_placeholder_that_is_there_already_and_one_without_an_answer_hold_up_no_other() -> None:
    town = Town(*a_nodeful())
    town.placeholders.failures = [Conflict("there"), Unavailable("no answer")]
    async with town.leading():
        await town.pass_by(minutes=55)
    assert len(town.placeholders.made) == 2


async def test_a_placeholder_that_could_not_be_removed_is_removed_at_the_next_look() -> None:
    pods = a_nodeful()
    town = Town(*pods)
    async with town.leading():
        await town.pass_by(minutes=60)
        town.placeholders.failures = [Unavailable("no answer")]
        town.pods.drop(pods[0].key)
        await town.pass_by(minutes=2)
    assert town.placeholders.removed == [f"spillway-placeholder-{pods[0].uid}"]


async def test_pods_of_our_namespace_that_are_no_placeholders_are_left_alone() -> None:
    own = a_pod("spillway-extender-1", namespace="spillway", node="ec2-0", phase="Running")
    town = Town(own, enabled=False)
    async with town.leading():
        await town.pass_by(minutes=1)
    assert town.placeholders.removed == []
