"""Figures: percentiles, the best in hindsight, and Spillway's ratio to it."""

import pytest

from app.simulator.report import Figures, percentile, report_of


@pytest.mark.parametrize(
    ("rank", "expected"),
    [
        pytest.param(5, 15.0, id="p5"),
        pytest.param(30, 20.0, id="p30"),
        pytest.param(40, 20.0, id="p40"),
        pytest.param(50, 35.0, id="p50"),
        pytest.param(100, 50.0, id="p100"),
    ],
)
def test_a_percentile_is_the_nearest_rank(rank: int, expected: float) -> None:
    assert percentile([15.0, 20.0, 35.0, 40.0, 50.0], rank) == expected


def test_of_one_value_every_percentile_is_that_value() -> None:
    assert [percentile([7.0], rank) for rank in (0, 50, 99)] == [7.0, 7.0, 7.0]


def test_the_99th_of_a_hundred_is_the_last_but_one() -> None:
    assert percentile([float(each) for each in range(1, 101)], 99) == 99.0


def some(policy: str, cost: float, *, never_ran: int = 0) -> Figures:
    return Figures(
        policy=policy,
        cost=cost,
        node_cost=cost,
        fargate_cost=0,
        node_hours=0,
        task_hours=0,
        overflow_share=0,
        wait_p50=0,
        wait_p95=0,
        wait_p99=0,
        never_ran=never_ran,
        end=0,
    )


def test_the_ratio_is_to_the_cheapest_that_ran_every_pod() -> None:
    found = [some("nodes", 1, never_ran=3), some("fargate", 4), some("spillway", 6)]
    report = report_of(found, pods=5, hours=1)
    assert (report.best, report.ratio_to_best) == ("fargate", 1.5)


def test_where_spillway_is_the_best_the_ratio_is_one() -> None:
    assert report_of([some("fargate", 4), some("spillway", 3)], pods=5, hours=1).ratio_to_best == 1


@pytest.mark.parametrize(
    "found",
    [
        pytest.param([some("nodes", 4)], id="not-asked-for"),
        pytest.param([some("spillway", 4)], id="nothing-else-asked-for"),
        pytest.param([some("nodes", 4), some("spillway", 3, never_ran=1)], id="left-pods-unrun"),
        pytest.param([some("nodes", 0), some("spillway", 3)], id="free"),
        pytest.param([], id="nothing"),
    ],
)
def test_where_nothing_can_be_compared_there_is_no_ratio(found: list[Figures]) -> None:
    assert report_of(found, pods=5, hours=1).ratio_to_best is None
