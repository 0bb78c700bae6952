"""The comparison of policies, as people or programs read it."""

from collections.abc import Iterator
from typing import Final

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.cli import words
from app.simulator.policies import BY_NAME
from app.simulator.report import Figures, Report

_MINUTE: Final = 60
_HOUR: Final = 3600
_SMALL: Final = 0.1


def show(report: Report, *, as_json: bool) -> None:
    """Print it: as a table, or as one JSON object."""
    if as_json:
        print(msgspec.json.encode(report).decode(), flush=True)
        return
    console = Console(highlight=False)
    title = f"{words.count(report.pods, 'pod')} over {report.hours:.1f} hours"
    table = Table(title=title, title_justify="left")
    table.add_column("", no_wrap=True)
    for each in report.policies:
        table.add_column(BY_NAME[each.policy].title, justify="right")
    for label, cells in _rows(report.policies):
        table.add_row(label, *cells)
    console.print(table)
    for line in _closing(report):
        console.print(escape(line))


def _rows(policies: tuple[Figures, ...]) -> Iterator[tuple[str, list[str]]]:
    yield "cost", _dollars([each.cost for each in policies])
    yield "of it Fargate", _dollars([each.fargate_cost for each in policies])
    yield "node-hours", [f"{each.node_hours:,.1f}" for each in policies]
    yield "pods on Fargate", [f"{each.overflow_share:.1%}" for each in policies]
    yield "all is over", [_wait(each.end) for each in policies]
    yield "wait p50", [_wait(each.wait_p50) for each in policies]
    yield "wait p95", [_wait(each.wait_p95) for each in policies]
    yield "wait p99", [_wait(each.wait_p99) for each in policies]
    if any(each.never_ran for each in policies):
        yield "pods that never ran", [f"{each.never_ran:,}" for each in policies]


def _closing(report: Report) -> Iterator[str]:
    if report.ratio_to_best is not None and report.best is not None:
        best = BY_NAME[report.best].title
        yield f"Spillway costs {report.ratio_to_best:.2f} times the cheapest that ran every pod: {best}"
    if report.ignored_columns:
        yield f"ignored columns: {', '.join(report.ignored_columns)}"


def _dollars(amounts: list[float]) -> list[str]:
    """Two places; four where all of them are small, or a short trace's would all look the same."""
    places = 4 if 0 < max(amounts) < _SMALL else 2
    return [f"${each:,.{places}f}" for each in amounts]


def _wait(seconds: float | None) -> str:
    if seconds is None:
        return "never"
    if seconds < _MINUTE:
        return f"{seconds:.3g} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.1f} min"
    return f"{seconds / _HOUR:.1f} h"
