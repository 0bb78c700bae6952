"""The pictures: which there are, and that they show what they should."""

from pathlib import Path

import pytest

from app.simulator.books import Outcome
from app.simulator.policies import POLICIES
from tests.simulator.scenes import a_trace, a_traced, replayed

plots = pytest.importorskip("app.simulator.plots", reason="the plots need matplotlib", exc_type=ImportError)

TRACE = a_trace(*(a_traced(f"p{number}", at=number * 10, lasts=60) for number in range(30)))
OUTCOMES: dict[str, Outcome] = {policy.name: replayed(TRACE, policy) for policy in POLICIES}


def test_each_policy_has_its_picture_and_cost_and_waits_one_for_all(tmp_path: Path) -> None:
    written = plots.draw(OUTCOMES, begin=TRACE.begin, folder=tmp_path)
    names = {"pods-nodes", "pods-autoscaler", "pods-fargate", "pods-spillway", "cost", "waits"}
    assert {path.stem for path in written} == names
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written)


def test_axes_have_names_and_units_and_begin_at_nothing() -> None:
    figure = plots._cost(OUTCOMES, TRACE.begin)
    (axes,) = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("hours since the trace began", "US dollars")
    assert (axes.get_xlim()[0], axes.get_ylim()[0]) == (0, 0)
    assert axes.get_ylim()[1] >= OUTCOMES["autoscaler"].curves.cost[-1]


def test_a_pod_that_never_ran_is_missing_from_the_share_of_those_who_waited_no_longer() -> None:
    trace = a_trace(a_traced("a"), a_traced("huge", cpu_milli=99_000))
    outcome = replayed(trace, POLICIES[0])
    (axes,) = plots._waits({"nodes": outcome}).axes
    (line,) = axes.get_lines()
    assert max(line.get_ydata()) == 0.5


def test_where_nobody_ran_there_still_is_a_picture(tmp_path: Path) -> None:
    outcome = replayed(a_trace(a_traced("huge", cpu_milli=99_000)), POLICIES[0])
    assert len(plots.draw({"nodes": outcome}, begin=0, folder=tmp_path)) == 3


def test_a_long_curve_is_thinned_to_what_a_picture_can_show() -> None:
    trace = a_trace(*(a_traced(f"p{number}", at=number, lasts=1) for number in range(5000)))
    curves = replayed(trace, POLICIES[0]).curves
    shown = plots._instants(curves)
    assert len(shown) <= 2001
    assert shown[-1] == len(curves.times) - 1
