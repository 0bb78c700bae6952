"""Pictures of a comparison: who ran where, what it cost, how long pods waited. This package's only edge."""

import bisect
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from app.simulator.books import Curves, Outcome
from app.simulator.config import HOUR_MS
from app.simulator.policies import BY_NAME
from app.simulator.report import seconds_waited

_SIZE: Final = (9.0, 4.5)
_DPI: Final = 150
_POINTS: Final = 2000
"""Along the time axis; more than a picture has columns."""

_TICKS: Final = {0: "0", 1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min", 3600: "1 h", 36_000: "10 h"}

_NODES, _FARGATE, _WAITING = "#0072B2", "#E69F00", "#CC79A7"
_STYLES: Final[Mapping[str, tuple[str, str]]] = {
    "nodes": ("#0072B2", "-"),
    "autoscaler": ("#009E73", "--"),
    "fargate": ("#E69F00", "-."),
    "spillway": ("#D55E00", "-"),
}
"""Colour and line of each policy: Okabe and Ito's colours, which the colour-blind tell apart, and dashes."""


def draw(outcomes: Mapping[str, Outcome], *, begin: int, folder: Path) -> tuple[Path, ...]:
    """Write every picture as PNG.

    Args:
        outcomes: by the policies' names.
        begin: the trace's first moment, in milliseconds.
        folder: where they go; it exists.

    Returns:
        What was written.

    Raises:
        OSError: a file cannot be written.
    """
    figures = {f"pods-{name}.png": _pods(name, each.curves, begin) for name, each in outcomes.items()}
    figures["cost.png"] = _cost(outcomes, begin)
    figures["waits.png"] = _waits(outcomes)
    for name, figure in figures.items():
        figure.savefig(folder / name, dpi=_DPI)
    return tuple(folder / name for name in figures)


def _pods(name: str, curves: Curves, begin: int) -> Figure:
    figure, axes = _empty(f"Pods over time: {BY_NAME[name].title}", x="hours since the trace began", y="pods")
    at = _instants(curves)
    kinds = (curves.on_nodes, curves.on_fargate, curves.waiting)
    axes.stackplot(
        _hours(curves, at, begin),
        *([curve[index] for index in at] for curve in kinds),
        labels=("on nodes", "on Fargate, starting ones included", "waiting for a place"),
        colors=(_NODES, _FARGATE, _WAITING),
        step="post",
    )
    return _done(figure, axes)


def _cost(outcomes: Mapping[str, Outcome], begin: int) -> Figure:
    figure, axes = _empty("Cost so far", x="hours since the trace began", y="US dollars")
    for name, outcome in outcomes.items():
        at = _instants(outcome.curves)
        colour, line = _STYLES[name]
        cost = [outcome.curves.cost[index] for index in at]
        axes.plot(_hours(outcome.curves, at, begin), cost, line, color=colour, label=BY_NAME[name].title)
    return _done(figure, axes)


def _waits(outcomes: Mapping[str, Outcome]) -> Figure:
    figure, axes = _empty("How long pods waited until they ran", x="wait (logarithmic)", y="share of pods")
    waits = {name: seconds_waited(outcome.waits) for name, outcome in outcomes.items()}
    longest = max((wait for each in waits.values() for wait in each if wait < math.inf), default=0.0)
    for name, each in waits.items():
        colour, line = _STYLES[name]
        shown, shares = _steps(each, longest)
        axes.step(shown, shares, line, where="post", color=colour, label=BY_NAME[name].title)
    axes.set_xscale("symlog", linthresh=1)
    axes.set_xticks(tuple(_TICKS), labels=tuple(_TICKS.values()))
    axes.set_xlim(0, max(longest, 1) * 1.2)
    return _done(figure, axes)


def _steps(waits: Sequence[float], longest: float) -> tuple[list[float], list[float]]:
    """The share of the pods that waited no longer, from nothing up to the longest wait of any policy."""
    ran = bisect.bisect_left(waits, math.inf)
    ranks = [*range(0, ran, max(1, ran // _POINTS)), *range(ran - 1, ran)]
    shares = [(rank + 1) / len(waits) for rank in ranks]
    return [0.0, *(waits[rank] for rank in ranks), longest], [0.0, *shares, ran / len(waits)]


def _empty(title: str, *, x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=_SIZE, layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, loc="left")
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(visible=True, color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _done(figure: Figure, axes: Axes) -> Figure:
    """With axes that begin at nothing, and the legend beside what it explains."""
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.margins(x=0)
    figure.legend(loc="outside lower left", ncols=len(axes.get_legend_handles_labels()[1]), frameon=False)
    return figure


def _instants(curves: Curves) -> Sequence[int]:
    """The points to draw: at most so many as the picture is wide, the last before each of its columns."""
    times = curves.times
    if len(times) <= _POINTS:
        return range(len(times))
    span = times[-1] - times[0]
    wanted = (times[0] + span * column // _POINTS for column in range(_POINTS + 1))
    return sorted({bisect.bisect_right(times, time) - 1 for time in wanted})


def _hours(curves: Curves, at: Sequence[int], begin: int) -> list[float]:
    return [(curves.times[index] - begin) / HOUR_MS for index in at]
