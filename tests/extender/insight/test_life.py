"""How a pod fares on its node, by its own status: what is wrong, since when, and whether it has a task."""

from typing import Any

import pytest

from app.extender.insight.life import life_of
from app.model import names
from tests.builders import NOON, VIRTUAL, a_pod
from tests.extender.insight.fates import CRASHED, NOTED, READY_NO, ended, status_of, waiting
from tests.extender.insight.look import later


def a_placed(**fields: Any) -> Any:
    return a_pod(node=VIRTUAL, uid="u1", **fields)


@pytest.mark.parametrize(
    ("fields", "fate", "reason", "exit_code"),
    [
        pytest.param({}, "well", "", None, id="new"),
        pytest.param({"status": status_of(waiting("ContainerCreating"))}, "well", "", None, id="starting"),
        pytest.param({"status": status_of({"running": {}})}, "well", "", None, id="running"),
        pytest.param(
            {"status": status_of(waiting("CrashLoopBackOff"), last=CRASHED)},
            "held-up",
            "CrashLoopBackOff",
            1,
            id="crash-loop",
        ),
        pytest.param(
            {"status": status_of(waiting("ContainerCreating"), last=CRASHED)},
            "held-up",
            "Restarting",
            1,
            id="between-two-attempts",
        ),
        pytest.param(
            {"status": status_of(waiting("CreateContainerConfigError"))},
            "held-up",
            "CreateContainerConfigError",
            None,
            id="secret",
        ),
        pytest.param(
            {"status": status_of(waiting("FargateNoCapacity"))},
            "held-up",
            "FargateNoCapacity",
            None,
            id="capacity",
        ),
        pytest.param(
            {"status": status_of(waiting("FargateUnsupported"))},
            "rejected",
            "FargateUnsupported",
            None,
            id="rejected-and-left",
        ),
        pytest.param(
            {"phase": "Failed", "status": {"phase": "Failed", "reason": "FargateUnsupported"}},
            "rejected",
            "FargateUnsupported",
            None,
            id="rejected",
        ),
        pytest.param({"status": {"reason": "Odd"}}, "held-up", "Odd", None, id="left-pending"),
        pytest.param(
            {"phase": "Failed", "status": status_of(ended(4), phase="Failed")},
            "failed",
            "Failed",
            4,
            id="exit",
        ),
        pytest.param(
            {"status": status_of(ended(137, "OOMKilled"), phase="Failed")},
            "failed",
            "OOMKilled",
            137,
            id="out-of-memory",
        ),
        pytest.param(
            {"status": {"phase": "Failed", "reason": "SpotInterruption"}},
            "failed",
            "SpotInterruption",
            None,
            id="taken-away",
        ),
        pytest.param({"phase": "Succeeded"}, "well", "", None, id="succeeded"),
    ],
)
def test_each_fate_is_told_from_every_other(
    fields: dict[str, Any], fate: str, reason: str, exit_code: int | None
) -> None:
    found = life_of(a_placed(**fields))
    assert (found.fate, found.reason, found.exit_code) == (fate, reason, exit_code)


def test_the_words_of_a_rejection_are_told_without_their_preface() -> None:
    status = {"phase": "Failed", "reason": "NotScheduled", "message": "Pod was rejected: nobody placed it"}
    assert life_of(a_placed(status=status)).message == "nobody placed it"


@pytest.mark.parametrize(
    ("annotations", "status", "has_task"),
    [
        pytest.param({}, {}, False, id="none-noted"),
        pytest.param(NOTED, {}, True, id="noted"),
        pytest.param({**NOTED, names.ATTEMPT_OF: "u2"}, {}, False, id="another-pods"),
        pytest.param({**NOTED, names.TASK_ARN: ""}, {}, False, id="begun"),
        pytest.param(NOTED, status_of({"running": {}}), True, id="running"),
        pytest.param(NOTED, status_of(waiting("CrashLoopBackOff"), last=CRASHED), False, id="back-off"),
        pytest.param(NOTED, {"phase": "Succeeded"}, False, id="ended"),
    ],
)
def test_a_task_is_one_that_is_noted_and_has_not_ended(
    annotations: dict[str, str], status: dict[str, Any], has_task: bool
) -> None:
    assert life_of(a_placed(annotations=annotations, status=status)).has_task is has_task


@pytest.mark.parametrize(
    ("annotations", "attempts"),
    [
        pytest.param(NOTED, 2, id="noted"),
        pytest.param({}, 4, id="restarts"),
        pytest.param({**NOTED, names.ATTEMPT: "x"}, 4, id="no-number"),
    ],
)
def test_attempts_are_the_bridges_count_or_the_restarts(annotations: dict[str, str], attempts: int) -> None:
    status = status_of(waiting("CrashLoopBackOff"), last=CRASHED, restarts=3)
    assert life_of(a_placed(annotations=annotations, status=status)).attempts == attempts


def test_it_fails_since_it_is_not_ready() -> None:
    status = status_of(waiting("CrashLoopBackOff"), last=CRASHED) | READY_NO
    assert life_of(a_placed(status=status)).since == later(-60)
    assert life_of(a_placed(status=status_of(waiting("ErrImagePull")))).since == NOON
