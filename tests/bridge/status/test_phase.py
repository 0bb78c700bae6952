from typing import Any

import pytest

from app.bridge.status.phase import phase_of
from tests.builders import a_pod

RAN = {"state": {"terminated": {"exitCode": 0}}}
BROKE = {"state": {"terminated": {"exitCode": 1}}}
RUNS: dict[str, Any] = {"state": {"running": {}}}
WAITS: dict[str, Any] = {"state": {"waiting": {}}}
WAITS_AGAIN = {"state": {"waiting": {}}, "lastState": {"terminated": {"exitCode": 1}}}


@pytest.mark.parametrize(
    ("statuses", "policy", "phase"),
    [
        pytest.param([], "Always", "Pending", id="none"),
        pytest.param([WAITS], "Always", "Pending", id="waits"),
        pytest.param([RUNS, WAITS], "Always", "Pending", id="one-never-ran"),
        pytest.param([RUNS, RAN], "Never", "Running", id="one-still-runs"),
        pytest.param([WAITS_AGAIN], "Always", "Running", id="waits-to-run-again"),
        pytest.param([RAN], "Always", "Running", id="always-runs-again"),
        pytest.param([RAN, RAN], "OnFailure", "Succeeded", id="all-clean"),
        pytest.param([RAN, BROKE], "OnFailure", "Running", id="runs-again-on-failure"),
        pytest.param([RAN, BROKE], "Never", "Failed", id="one-broke"),
    ],
)
def test_the_phase_is_kubelets(statuses: list[dict[str, Any]], policy: str, phase: str) -> None:
    assert phase_of([], statuses, a_pod(restartPolicy=policy).spec) == phase
