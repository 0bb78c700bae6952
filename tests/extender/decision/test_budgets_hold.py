"""Budgets hold, and no pod is granted twice, whatever happens in whatever order."""

from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from app.extender.decision.budget import Limits
from app.extender.decision.decisions import Burst, WouldBurst
from app.extender.decision.gate import IN_FLIGHT
from tests.extender.decision.world import World, price, summed

BUDGETS = st.builds(
    Limits,
    pods=st.sampled_from([1, 2, 3, 0, None]),
    vcpu=st.sampled_from([None, 0.25, 1, 1.5, 4, 0]),
    hourly=st.sampled_from([None, 0.024685, 0.05, 0.1, 0.3, 0]),
)
NAMESPACES = st.sampled_from(["a", "b"])
NODES = st.sampled_from(["v1", "v2"])
CPUS = st.lists(st.sampled_from(["250m", "500m", "1", "3"]), max_size=4)


class Interleavings(RuleBasedStateMachine):
    """Everything that may happen between two turns of the gate; `World.turn` checks each of them."""

    @initialize(limits=BUDGETS, budget=BUDGETS, cpus=CPUS)
    def begin(self, limits: Limits, budget: Limits, cpus: list[str]) -> None:
        self.world = World()
        self.world.limits = limits
        self.world.budgets["a"] = budget
        for cpu in cpus:
            self.world.arrive("a", cpu)
            self.world.arrive("b", cpu)
        self.world.turn()

    @rule(namespace=NAMESPACES, cpus=CPUS)
    def pods_arrive(self, namespace: str, cpus: list[str]) -> None:
        for cpu in cpus:
            self.world.arrive(namespace, cpu)

    @rule(failing=st.sets(NODES))
    def the_gate_turns(self, failing: set[str]) -> None:
        self.world.turn(failing=failing)

    @rule()
    def the_gate_turns_and_all_goes_well(self) -> None:
        self.world.turn()

    @precondition(lambda self: self.world.waiting())
    @rule(data=st.data())
    def the_scheduler_takes_a_grant(self, data: st.DataObject) -> None:
        self.world.choose(data.draw(st.sampled_from(self.world.waiting())))

    @rule()
    def the_scheduler_takes_every_grant(self) -> None:
        for pod in self.world.waiting():
            self.world.choose(pod)

    @rule()
    def what_was_chosen_lands(self) -> None:
        self.world.land()

    @precondition(lambda self: self.world.waiting())
    @rule(data=st.data())
    def a_pod_finds_a_real_node(self, data: st.DataObject) -> None:
        self.world.bind(data.draw(st.sampled_from(self.world.waiting())), "real")

    @precondition(lambda self: self.world.running())
    @rule(data=st.data())
    def a_pod_ends(self, data: st.DataObject) -> None:
        self.world.end(data.draw(st.sampled_from(self.world.running())))

    @precondition(lambda self: self.world.pods)
    @rule(data=st.data())
    def a_pod_is_deleted(self, data: st.DataObject) -> None:
        self.world.drop(data.draw(st.sampled_from(list(self.world.pods.values()))))

    @rule(seconds=st.sampled_from([0.5, 1.5, 61, 90]))
    def time_passes(self, seconds: float) -> None:
        self.world.pass_by(seconds)
        self.world.turn()

    @rule()
    def a_scheduler_that_was_slow_lands_what_it_chose_as_the_grants_expired(self) -> None:
        self.world.turn()
        self.world.pass_by(59.5)
        self.the_scheduler_takes_every_grant()
        self.world.pass_by(1)
        self.world.turn()
        self.world.land()

    @rule(namespace=NAMESPACES, budget=BUDGETS)
    def a_namespaces_budget_changes(self, namespace: str, budget: Limits) -> None:
        self.world.budgets[namespace] = budget

    @rule(limits=BUDGETS)
    def the_clusters_budget_changes(self, limits: Limits) -> None:
        self.world.limits = limits

    @rule(
        node=NODES,
        mode=st.sampled_from(["closed", "", "open", "observe", "nonsense"]),
        failing=st.sampled_from([(), ("v1",), ("v2",)]),
    )
    def somebody_turns_the_switch(self, node: str, mode: str, failing: tuple[str, ...]) -> None:
        self.world.modes[node] = mode
        self.world.turn(failing=failing)

    @rule(node=NODES)
    def the_gate_takes_back_what_is_being_bound(self, node: str) -> None:
        self.the_scheduler_takes_every_grant()
        self.world.modes[node] = "closed"
        self.world.turn()
        self.world.modes[node] = ""
        self.world.turn()
        self.world.turn()
        self.world.land()

    @rule()
    def the_leader_dies(self) -> None:
        self.world.memory = type(self.world.memory)()


TestBudgetsHold = Interleavings.TestCase
TestBudgetsHold.settings = settings(max_examples=150, stateful_step_count=30)


def storm(world: World, **pods: int) -> None:
    for namespace, count in pods.items():
        world.budgets.setdefault(namespace, Limits())
        for _ in range(count):
            world.arrive(namespace, "500m")


def served(world: World) -> Counter[str]:
    return Counter(pod.metadata.namespace for pod in world.running())


@pytest.mark.parametrize(
    ("limits", "granted"),
    [
        pytest.param(Limits(pods=100), {"a": 30, "b": 30, "c": 30, "d": 10}, id="pods"),
        pytest.param(Limits(vcpu=50), {"a": 30, "b": 30, "c": 30, "d": 10}, id="vCPU, half of one each"),
        pytest.param(
            Limits(hourly=2.4685), {"a": 30, "b": 30, "c": 30, "d": 10}, id="dollars, to the last one"
        ),
        pytest.param(
            Limits(hourly=2.4684), {"a": 30, "b": 30, "c": 29, "d": 10}, id="a hundredth cent short"
        ),
        pytest.param(Limits(), {"a": 700, "b": 200, "c": 90, "d": 10}, id="no budget"),
    ],
)
def test_a_storm_of_a_thousand_pods_fills_the_budget_and_serves_namespaces_fairly(
    limits: Limits, granted: dict[str, int]
) -> None:
    world = World()
    world.limits = limits
    storm(world, a=700, b=200, c=90, d=10)
    world.turn()
    world.turn()
    for pod in world.waiting():
        world.choose(pod)
    world.land()
    world.turn()
    assert served(world) == granted


def test_a_spent_budget_is_taken_over_pod_by_pod_by_the_namespace_that_has_least() -> None:
    world = World()
    world.limits = Limits(pods=10)
    storm(world, a=20)
    world.turn()
    for pod in world.waiting():
        world.choose(pod)
    world.land()
    storm(world, b=20)
    for pod in world.running()[:5]:
        world.end(pod)
    decided = world.turn()
    assert [each.pod.metadata.namespace for each in decided.decisions if isinstance(each, Burst)] == ["b"] * 5


def test_a_grant_that_is_taken_back_counts_until_its_pod_cannot_land_any_more() -> None:
    world = World()
    world.limits = Limits(pods=1)
    storm(world, a=1)
    world.turn()
    (first,) = world.waiting()
    world.choose(first)
    storm(world, b=1)
    world.budgets["a"] = Limits(pods=0)
    world.turn()
    assert not [each for each in world.turn().decisions if isinstance(each, Burst)]
    world.land()
    assert [pod.uid for pod in world.running()] == [first.uid]
    assert not [each for each in world.turn().decisions if isinstance(each, Burst)]


def test_what_a_grant_held_that_was_taken_back_is_free_when_its_pod_cannot_land_any_more() -> None:
    world = World()
    world.limits = Limits(pods=1)
    storm(world, a=1)
    world.turn()
    storm(world, b=1)
    world.budgets["a"] = Limits(pods=0)
    world.turn()
    decided = world.turn()
    assert decided.due == world.now + IN_FLIGHT
    world.pass_by(IN_FLIGHT.total_seconds())
    (given,) = [each for each in world.turn().decisions if isinstance(each, Burst)]
    assert given.pod.metadata.namespace == "b"


def test_a_pod_that_is_too_dear_holds_up_nobody() -> None:
    world = World()
    world.limits = Limits(vcpu=2)
    world.arrive("a", "16")
    storm(world, a=2, b=2)
    decided = world.turn()
    assert Counter(each.pod.metadata.namespace for each in decided.decisions if isinstance(each, Burst)) == {
        "a": 2,
        "b": 2,
    }


def test_what_a_storm_is_observed_to_cost_is_what_it_would_have_been_granted() -> None:
    world = World()
    world.limits = Limits(hourly=1)
    storm(world, a=700, b=200)
    world.modes = dict.fromkeys(world.modes, "observe")
    observed = [each.pod for each in world.turn().decisions if isinstance(each, WouldBurst)]
    world.modes = dict.fromkeys(world.modes, "auto")
    granted = [each.pod for each in world.turn().decisions if isinstance(each, Burst)]
    assert observed == granted
    assert summed(observed)[0] == int(1 / price(observed[0])[2])
