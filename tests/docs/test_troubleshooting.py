"""Every code and Event that people meet is explained: those of the programs, found in their source."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.bridge.apply import FAILED_SYNC
from app.bridge.decision import facts, hooks, launching, living, reconcile
from app.bridge.material.findings import FAILED_MOUNT
from app.bridge.status import endings, ephemeral
from app.extender import handover, homecoming, lookouts
from app.extender.decision import telling
from tests.docs.fences import DOCS, ROOT

PAGE = DOCS / "troubleshooting.md"
EVENTS = (
    *(telling.BURSTING, telling.OVERFLOW_WAITING, telling.OVERFLOW_REFUSED, telling.WOULD_BURST),
    *(lookouts.NOT_READ, homecoming.RETURNING, homecoming.NOT_RETURNING),
    *(handover.REQUESTED, handover.GIVEN_UP, handover.REFUSED),
    *(launching.NO_CAPACITY, launching.UNSUPPORTED, living.TASK_STOPPED, facts.DAEMON_SET),
    *(
        reconcile.TASK_LOST,
        reconcile.OVERFLOW_NOT_ALLOWED,
        reconcile.NOT_SCHEDULED,
        reconcile.DEADLINE_EXCEEDED,
    ),
    *(*endings.DISRUPTIONS, ephemeral.UNSUPPORTED, FAILED_SYNC, FAILED_MOUNT, *hooks.REASONS.values()),
)
WAITING = {word for _, each in endings.START_FAILURES for word in (each.first, each.later)}
JUDGING = (
    "extender/decision",
    "extender/homing",
    "extender/insight/opting.py",
    "extender/insight/situation.py",
)
PLACEHOLDERS = {"handovers.py", "promises.py"}
"""Why placeholders go: said in the log, not of pods."""
INDIRECT = ("BudgetPods", "BudgetVcpu", "BudgetCost", "QuotaVcpu", "Observed")
PASSING = {"ChangedMeanwhile"}
"""It says itself what to do: ask again."""


def sources(place: str) -> list[Path]:
    path = ROOT / "app" / place
    found = [path] if path.suffix else sorted(path.rglob("*.py"))
    return [each for each in found if each.name not in PLACEHOLDERS]


def codes(path: Path) -> Iterator[str]:
    """The codes of the reasons that a module gives, where they stand there as they are."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Call(func=ast.Name(id="Reason"), args=[ast.Constant(value=str(code)), *_]):
                yield code
            case _:
                continue


def test_every_reason_of_the_gate_and_of_the_way_home_is_explained() -> None:
    found = {code for place in JUDGING for path in sources(place) for code in codes(path)}
    explained = PAGE.read_text()
    assert len(found) > len(INDIRECT)
    assert [code for code in sorted({*found, *INDIRECT} - PASSING) if f"`{code}`" not in explained] == []


@pytest.mark.parametrize("event", sorted({*EVENTS}))
def test_every_event_is_explained(event: str) -> None:
    assert f"`{event}`" in PAGE.read_text()


@pytest.mark.parametrize("word", [pytest.param(each, id=each) for each in sorted(WAITING)])
def test_every_word_of_a_container_that_does_not_start_is_explained(word: str) -> None:
    assert f"`{word}`" in PAGE.read_text()
