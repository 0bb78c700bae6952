"""The four policies on traces small enough to reckon by hand."""

from datetime import timedelta

import pytest

from app.extender.decision.budget import Limits
from app.extender.decision.hindrance import GateConfig
from app.model.offer import TABLE
from app.simulator.config import NodeShape
from app.simulator.policies import AUTOSCALER, FARGATE, NODES, POLICIES, SPILLWAY, Policy
from tests.simulator.scenes import NODE, a_scene, a_trace, a_traced, figures, minutes, replayed, seconds

ONE_CORE = 0.04048 + 2 * 0.004445
"""US dollars for an hour of 1 vCPU and 2 GiB."""

THREE = a_trace(a_traced("a"), a_traced("b"), a_traced("c"))
"""Three pods of ten minutes at once; a node holds two of them."""


def test_nodes_only_costs_the_nodes_for_the_span_whatever_runs() -> None:
    found = figures(a_trace(a_traced("a", lasts=60), end=600), NODES, config=a_scene(nodes=2))
    assert found.cost == pytest.approx(2 * 0.36 / 6)
    assert found.node_hours == pytest.approx(2 / 6)


def test_on_nodes_only_the_third_waits_until_a_place_is_free() -> None:
    outcome = replayed(THREE, NODES)
    assert seconds(outcome) == [0, 0, 600]
    assert outcome.end == 1_200_000


def test_who_leaves_a_backlog_behind_pays_its_nodes_until_that_is_done() -> None:
    backlog = a_trace(*(a_traced(f"p{number}", cpu_milli=2000) for number in range(10)))
    found = figures(backlog, NODES)
    assert found.end == 6000
    assert found.cost == pytest.approx(6000 / 3600 * 0.36)


def test_nodes_that_wait_for_a_task_alone_are_paid_like_any() -> None:
    trace = a_trace(a_traced("a"), a_traced("b"), a_traced("c", lasts=660))
    outcome = replayed(trace, SPILLWAY)
    assert (outcome.end, outcome.node_ms) == (705_000, 705_000)


def test_who_never_runs_keeps_no_node() -> None:
    outcome = replayed(a_trace(a_traced("a"), a_traced("huge", cpu_milli=99_000)), NODES)
    assert (outcome.end, outcome.node_ms) == (600_000, 600_000)


def test_an_end_makes_room_for_who_comes_in_the_same_instant() -> None:
    trace = a_trace(a_traced("a"), a_traced("b"), a_traced("c", at=600))
    assert seconds(replayed(trace, NODES)) == [0, 0, 0]


def test_who_is_older_gets_the_room_first() -> None:
    big = a_traced("big", at=1, cpu_milli=2000)
    trace = a_trace(a_traced("a"), a_traced("b", lasts=300), big, a_traced("late", at=2, lasts=1))
    # The small one fits beside what still runs; the big one needs the node for itself.
    assert seconds(replayed(trace, NODES)) == [0, 0, 599, 298]


def test_a_pod_larger_than_a_node_never_runs_there() -> None:
    found = figures(a_trace(a_traced(cpu_milli=3000)), NODES)
    assert (found.never_ran, found.wait_p50) == (1, None)


def test_an_autoscaler_adds_a_node_after_its_delay_and_keeps_it_until_it_was_idle_for_long() -> None:
    config = a_scene(boot=minutes(2), scale_down=minutes(10))
    outcome = replayed(THREE, AUTOSCALER, config=config)
    assert seconds(outcome) == [0, 0, 120]
    # The standing node until the third is over at 12 min, the added one from 0 to 2 + 10 + 10 min.
    assert outcome.node_ms == (12 + 22) * 60_000
    assert outcome.node_cost == pytest.approx(34 / 60 * 0.36)


def test_pods_that_fit_onto_one_node_on_its_way_ask_for_one_only() -> None:
    trace = a_trace(*(a_traced(f"p{number}") for number in range(4)))
    assert replayed(trace, AUTOSCALER).node_ms == (12 + 22) * 60_000


def test_the_autoscaler_never_passes_its_most() -> None:
    trace = a_trace(*(a_traced(f"p{number}") for number in range(8)))
    assert seconds(replayed(trace, AUTOSCALER, config=a_scene(most_nodes=3))) == [0, 0, *[120] * 4, 600, 600]


def test_the_autoscaler_adds_nothing_for_a_pod_that_no_node_holds() -> None:
    found = figures(a_trace(a_traced(cpu_milli=3000)), AUTOSCALER)
    assert found.never_ran == 1
    assert found.node_hours == pytest.approx(1 / 6)


def test_a_node_that_was_removed_can_be_asked_for_again() -> None:
    config = a_scene(nodes=0, most_nodes=1, boot=minutes(2), scale_down=minutes(10))
    trace = a_trace(a_traced("a", lasts=60), a_traced("b", at=3600, lasts=60))
    outcome = replayed(trace, AUTOSCALER, config=config)
    assert seconds(outcome) == [120, 120]
    assert outcome.node_ms == 2 * (2 + 1 + 10) * 60_000


def test_on_fargate_a_pod_waits_for_its_start_and_is_billed_with_it() -> None:
    found = figures(THREE, FARGATE)
    assert found.cost == pytest.approx(3 * 645 / 3600 * ONE_CORE)
    assert (found.wait_p50, found.wait_p99, found.overflow_share, found.node_hours) == (45, 45, 1, 0)


def test_fargate_bills_a_minute_at_least() -> None:
    found = figures(a_trace(a_traced(lasts=3)), FARGATE)
    assert found.cost == pytest.approx(ONE_CORE / 60)


def test_fargate_bills_whole_seconds() -> None:
    found = figures(a_trace(a_traced(lasts=100.25)), FARGATE)
    assert found.cost == pytest.approx(146 / 3600 * ONE_CORE)


def test_fargate_bills_the_size_that_is_sold() -> None:
    # 1100m needs 2 vCPU, which are not sold with less than 4 GiB.
    found = figures(a_trace(a_traced(cpu_milli=1100)), FARGATE)
    assert found.cost == pytest.approx(645 / 3600 * (2 * 0.04048 + 4 * 0.004445))


def test_spot_pods_are_billed_as_such() -> None:
    rate = TABLE.spot["arm64"]
    found = figures(a_trace(a_traced(capacity="spot")), FARGATE, config=a_scene(arch="arm64"))
    assert found.cost == pytest.approx(645 / 3600 * (rate.vcpu_hour + 2 * rate.gib_hour))


def test_launches_beyond_the_quota_are_late() -> None:
    trace = a_trace(*(a_traced(f"p{number}") for number in range(6)))
    assert seconds(replayed(trace, FARGATE, config=a_scene(launches=2))) == [45, 45, 45.5, 46, 46.5, 47]


def test_a_pod_too_large_for_fargate_never_runs_there() -> None:
    assert figures(a_trace(a_traced(cpu_milli=99_000)), FARGATE).never_ran == 1


def test_a_pod_that_opted_out_never_runs_where_there_is_fargate_only() -> None:
    found = figures(a_trace(a_traced("a"), a_traced("b", overflow=False)), FARGATE)
    assert (found.never_ran, found.overflow_share) == (1, 0.5)


def test_spillway_bursts_what_does_not_fit() -> None:
    outcome = replayed(THREE, SPILLWAY)
    assert seconds(outcome) == [0, 0, 45]
    assert outcome.node_cost == pytest.approx(645 / 3600 * 0.36)
    assert outcome.fargate_cost == pytest.approx(645 / 3600 * ONE_CORE)


def test_spillway_waits_as_long_as_max_wait_says() -> None:
    config = a_scene(gate=GateConfig(max_wait=timedelta(seconds=90)), most_nodes=1)
    assert seconds(replayed(THREE, SPILLWAY, config=config)) == [0, 0, 135]


@pytest.mark.parametrize("hours", [23, 24, 30, 8760])
def test_a_pod_may_wait_longer_than_anything_else_happens(hours: int) -> None:
    trace = a_trace(a_traced("a", max_wait=f"{hours}h"))
    outcome = replayed(trace, SPILLWAY, config=a_scene(nodes=0, most_nodes=0))
    assert seconds(outcome) == [hours * 3600 + 45]


def test_a_pods_own_max_wait_wins() -> None:
    trace = a_trace(a_traced("a"), a_traced("b"), a_traced("c", max_wait="30s"))
    config = a_scene(gate=GateConfig(max_wait=timedelta(seconds=90)), most_nodes=1)
    assert seconds(replayed(trace, SPILLWAY, config=config)) == [0, 0, 75]


def test_who_waits_longer_than_a_node_takes_lands_on_the_node() -> None:
    config = a_scene(gate=GateConfig(max_wait=minutes(3)), boot=minutes(2))
    outcome = replayed(THREE, SPILLWAY, config=config)
    assert (seconds(outcome), outcome.overflowed) == ([0, 0, 120], 0)


def test_once_boots_are_known_who_may_burst_waits_for_a_node_that_is_nearer_than_fargate() -> None:
    patient = [a_traced(f"p{number}", at=2000, lasts=600, max_wait="10m") for number in range(3)]
    late = a_traced("late", at=2090, lasts=600)
    first = [a_traced(f"f{number}", max_wait="10m") for number in range(3)]
    outcome = replayed(a_trace(*first, *patient, late), SPILLWAY, config=a_scene(boot=minutes(2)))
    # The node asked for at 2000 is there at 2120: nearer than Fargate, which would take until 2135.
    assert seconds(outcome) == [0, 0, 120, 0, 0, 120, 30]
    assert outcome.overflowed == 0


def test_a_pod_that_opted_out_waits_for_a_node() -> None:
    trace = a_trace(a_traced("a"), a_traced("b"), a_traced("c", overflow=False))
    assert seconds(replayed(trace, SPILLWAY, config=a_scene(most_nodes=1))) == [0, 0, 600]


def test_a_pod_that_opted_out_makes_the_autoscaler_add_a_node() -> None:
    trace = a_trace(a_traced("a"), a_traced("b"), a_traced("c", overflow=False))
    assert seconds(replayed(trace, SPILLWAY)) == [0, 0, 120]


def test_a_spent_budget_makes_pods_wait_until_an_overflow_pod_ends() -> None:
    trace = a_trace(*(a_traced(f"p{number}", lasts=300 if number == 2 else 900) for number in range(4)))
    config = a_scene(gate=GateConfig(budget=Limits(pods=1)), most_nodes=1)
    # The third bursts and ends at 345 s, the fourth bursts then.
    assert seconds(replayed(trace, SPILLWAY, config=config)) == [0, 0, 45, 390]


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_a_budget_of_pods_is_never_exceeded(limit: int) -> None:
    trace = a_trace(
        *(a_traced(f"p{n}", at=n * 7, lasts=100 + n * 13, namespace=f"n{n % 3}") for n in range(60))
    )
    config = a_scene(gate=GateConfig(budget=Limits(pods=limit)), most_nodes=1)
    outcome = replayed(trace, SPILLWAY, config=config)
    assert max(outcome.curves.on_fargate) == limit
    assert None not in outcome.waits


def test_more_pods_at_once_than_may_be_granted_at_once_all_burst_in_that_instant() -> None:
    trace = a_trace(*(a_traced(f"p{number}") for number in range(25)))
    config = a_scene(nodes=0, most_nodes=0, gate=GateConfig(max_grants=10), launches=1000)
    assert seconds(replayed(trace, SPILLWAY, config=config)) == [45] * 25


def test_pods_that_no_place_ever_suits_do_not_keep_the_replay_going() -> None:
    trace = a_trace(a_traced("a"), a_traced("huge", cpu_milli=99_000))
    assert seconds(replayed(trace, SPILLWAY)) == [0, None]


@pytest.mark.parametrize("policy", [pytest.param(each, id=each.name) for each in POLICIES])
def test_a_pod_that_lasts_no_time_ends_at_once(policy: Policy) -> None:
    outcome = replayed(a_trace(a_traced(lasts=0)), policy)
    assert None not in outcome.waits


@pytest.mark.parametrize("policy", [pytest.param(each, id=each.name) for each in POLICIES])
def test_the_curve_of_the_cost_ends_at_the_cost(policy: Policy) -> None:
    outcome = replayed(a_trace(*(a_traced(f"p{n}", at=n * 50.3, lasts=10 + n) for n in range(20))), policy)
    assert outcome.curves.cost[-1] == pytest.approx(outcome.node_cost + outcome.fargate_cost)


@pytest.mark.parametrize("policy", [pytest.param(each, id=each.name) for each in POLICIES])
def test_in_the_end_nobody_is_left(policy: Policy) -> None:
    curves = replayed(THREE, policy).curves
    assert (curves.on_nodes[-1], curves.on_fargate[-1], curves.waiting[-1]) == (0, 0, 0)


def test_pod_slots_of_a_node_count() -> None:
    tiny = NodeShape(cpu_milli=2000, memory_mib=4096, pods=1, hourly=NODE.hourly)
    trace = a_trace(a_traced("a", cpu_milli=1, lasts=5), a_traced("b", cpu_milli=1, lasts=5))
    assert seconds(replayed(trace, NODES, config=a_scene(node=tiny))) == [0, 5]
