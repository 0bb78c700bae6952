"""Events of runs inside one task: told once, with the status that says so."""

from datetime import timedelta

import pytest

from app.bridge.decision.commands import RecordEvent, SetStatus, TellOfHook
from app.bridge.decision.facts import Facts
from app.bridge.decision.reconcile import decide
from app.bridge.status.observed import TERMINATION_MESSAGE, HookFailure, Told
from app.model.task import TaskContainer
from tests.bridge.situations import attempted, began, facts_of, lines_of_runs, over, told
from tests.builders import NOON, a_pod, a_task

TASK = a_task(
    a_pod(uid="u1"),
    started_at=NOON,
    ip="10.1.0.7",
    containers=(
        TaskContainer(name="main", last_status="RUNNING"),
        TaskContainer(name="spillway-keeper", last_status="RUNNING"),
    ),
)
SOON = NOON + timedelta(minutes=5)
BACK_OFF = (
    "BackOff",
    "Back-off restarting failed container main in pod web-1_shop(u1)",
    True,
)
STARTED = ("Started", "Container started", False)


def facts(*lines: str, status: dict[str, object] | None = None) -> Facts:
    pod = attempted(arn=TASK.arn, status=status or {})
    return facts_of(pod, TASK, told={TASK.arn: told(lines)}, now=SOON)


def written(known: Facts) -> dict[str, object]:
    """The status after the decision, as the next one finds it."""
    found = [each.status for each in decide(known) if isinstance(each, SetStatus)]
    return {key: value for key, value in found[-1].items() if value is not None}


def events(known: Facts) -> list[tuple[str, str, bool]]:
    return [
        (each.reason, each.message, each.warning) for each in decide(known) if isinstance(each, RecordEvent)
    ]


RUNS = written(facts(began(1)))
CRASHED = (began(1), over(1, again=NOON + timedelta(seconds=40)))
WAITS = written(facts(*CRASHED, status=RUNS))


def test_a_back_off_inside_the_task_is_told_in_kubelets_words() -> None:
    assert events(facts(*CRASHED, status=RUNS)) == [BACK_OFF]


def test_a_back_off_is_told_once() -> None:
    assert events(facts(*CRASHED, status=WAITS)) == []


def test_a_run_again_is_told_as_a_start() -> None:
    assert events(facts(*CRASHED, began(2), status=WAITS)) == [STARTED]


def test_a_run_again_that_failed_between_two_readings_is_told_whole() -> None:
    again = NOON + timedelta(minutes=1, seconds=50)
    assert events(facts(*CRASHED, began(2), over(2, again=again), status=WAITS)) == [STARTED, BACK_OFF]


def test_a_run_again_at_once_is_no_back_off() -> None:
    at_once = over(1, again=NOON + timedelta(seconds=30))
    assert events(facts(began(1), at_once, status=RUNS)) == []


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param((), id="nothing-read-again-yet"),
        pytest.param(lines_of_runs(2), id="read-halfway"),
        pytest.param(lines_of_runs(3), id="read-whole"),
    ],
)
def test_a_bridge_that_reads_the_records_again_tells_nothing_twice(lines: tuple[str, ...]) -> None:
    third = written(facts(*lines_of_runs(3), status=RUNS))
    assert events(facts(*lines, status=third)) == []


def test_a_message_file_that_cannot_be_made_is_told() -> None:
    failure = HookFailure("main", TERMINATION_MESSAGE, "its file cannot be made: Permission denied", 1)
    known = facts_of(attempted(arn=TASK.arn), TASK, told={TASK.arn: Told(failures=(failure,))})
    found = [(each.reason, each.message) for each in decide(known) if isinstance(each, TellOfHook)]
    assert found == [
        (
            "FailedTerminationMessage",
            "TerminationMessage failed: its file cannot be made: Permission denied (container main)",
        )
    ]


def test_an_ephemeral_container_is_told_of_with_the_status_that_says_so_and_once() -> None:
    debugger = {"name": "debugger-x", "image": "busybox"}
    fresh = attempted(arn=TASK.arn, ephemeralContainers=[debugger])
    said = events(facts_of(fresh, TASK, now=SOON))
    assert ("EphemeralContainersUnsupported", True) in [(reason, warning) for reason, _, warning in said]
    known = attempted(
        arn=TASK.arn, ephemeralContainers=[debugger], status=written(facts_of(fresh, TASK, now=SOON))
    )
    assert events(facts_of(known, TASK, now=SOON)) == []
