"""Ages and states as kubectl prints them."""

from typing import Any

import pytest

from app.local.cluster.apiserver.table_cells import duration, pod_reason, ready_containers, selector_text

DAY = 86_400


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        pytest.param(-1, "0s", id="clocks differ a little"),
        pytest.param(-5, "<invalid>", id="clocks differ a lot"),
        pytest.param(119, "119s", id="seconds"),
        pytest.param(120, "2m", id="two minutes"),
        pytest.param(125, "2m5s", id="minutes and seconds"),
        pytest.param(600, "10m", id="ten minutes"),
        pytest.param(659, "10m", id="minutes alone"),
        pytest.param(3 * 3600, "3h", id="three hours"),
        pytest.param(3 * 3600 + 60, "3h1m", id="hours and minutes"),
        pytest.param(9 * 3600 + 60, "9h", id="hours alone"),
        pytest.param(2 * DAY, "2d", id="two days"),
        pytest.param(7 * DAY + 3600, "7d1h", id="days and hours"),
        pytest.param(9 * DAY + 3600, "9d", id="days alone"),
        pytest.param(2 * 365 * DAY, "2y", id="two years"),
        pytest.param(3 * 365 * DAY + DAY, "3y1d", id="years and days"),
        pytest.param(9 * 365 * DAY + DAY, "9y", id="years alone"),
    ],
)
def test_durations(seconds: int, text: str) -> None:
    assert duration(seconds) == text


def initializing(*states: dict[str, Any], sidecar: bool = False) -> dict[str, Any]:
    extra = {"started": True, "ready": True} if sidecar else {}
    statuses = [{"name": f"i{at}", "state": state, **extra} for at, state in enumerate(states)]
    policy = {"restartPolicy": "Always"} if sidecar else {}
    containers = [{"name": each["name"], **policy} for each in statuses]
    return {
        "metadata": {},
        "spec": {"initContainers": containers, "containers": [{"name": "main"}]},
        "status": {"phase": "Pending", "initContainerStatuses": statuses},
    }


@pytest.mark.parametrize(
    ("pod", "reason"),
    [
        pytest.param(initializing({"running": {}}), "Init:0/1", id="the first runs"),
        pytest.param(
            initializing({"terminated": {"exitCode": 0}}, {"running": {}}), "Init:1/2", id="the second"
        ),
        pytest.param(initializing({"terminated": {"exitCode": 2}}), "Init:ExitCode:2", id="failed"),
        pytest.param(
            initializing({"waiting": {"reason": "ImagePullBackOff"}}), "Init:ImagePullBackOff", id="waits"
        ),
        pytest.param(initializing({"running": {}}, sidecar=True), "Pending", id="a sidecar that started"),
    ],
)
def test_initialization_shows_in_the_status(pod: dict[str, Any], reason: str) -> None:
    assert pod_reason(pod) == reason


def test_a_gated_pod_says_so() -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}
    pod = {"metadata": {}, "spec": {}, "status": {"phase": "Pending", "conditions": [condition]}}

    assert pod_reason(pod) == "SchedulingGated"


def test_sidecars_count_among_the_containers() -> None:
    pod = initializing({"running": {}}, sidecar=True)

    assert ready_containers(pod["spec"], pod["status"]) == "1/2"


def test_a_selector_prints_as_the_query_that_selects_the_same() -> None:
    selector = {
        "matchLabels": {"app": "a"},
        "matchExpressions": [
            {"key": "b", "operator": "In", "values": ["2", "1"]},
            {"key": "c", "operator": "DoesNotExist"},
        ],
    }

    assert selector_text(selector) == "app=a,b in (1,2),!c"
