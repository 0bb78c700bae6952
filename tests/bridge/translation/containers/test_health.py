from typing import Any

import msgspec
import pytest

from app.bridge.translation.containers.health import health_check, is_awaited
from app.model.container import Container
from tests.builders import a_container


def container(**fields: Any) -> Container:
    return msgspec.convert(a_container(**fields), Container)


def probe(**fields: Any) -> dict[str, Any]:
    return {"exec": {"command": ["check", "-v"]}, **fields}


HTTP = {"httpGet": {"path": "/", "port": 80}}


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="none"),
        pytest.param({"livenessProbe": HTTP, "readinessProbe": HTTP}, id="over-the-network"),
    ],
)
def test_only_exec_probes_are_ecss(fields: dict[str, Any]) -> None:
    assert health_check(container(**fields)) == {}


@pytest.mark.parametrize(
    ("fields", "terms"),
    [
        pytest.param({"livenessProbe": probe()}, (10, 2, 3, 0), id="defaults"),
        pytest.param(
            {
                "livenessProbe": probe(
                    periodSeconds=20, timeoutSeconds=9, failureThreshold=4, initialDelaySeconds=15
                )
            },
            (20, 9, 4, 15),
            id="liveness",
        ),
        pytest.param({"readinessProbe": probe(periodSeconds=7)}, (7, 2, 3, 0), id="readiness"),
        pytest.param(
            {"livenessProbe": probe(periodSeconds=7), "readinessProbe": probe(periodSeconds=9)},
            (7, 2, 3, 0),
            id="liveness-sets-the-pace",
        ),
        pytest.param(
            {"livenessProbe": HTTP, "readinessProbe": probe(periodSeconds=9)},
            (9, 2, 3, 0),
            id="of-the-exec-one",
        ),
        pytest.param(
            {"startupProbe": probe(failureThreshold=12, periodSeconds=5, initialDelaySeconds=3)},
            (5, 2, 10, 13),
            id="startup",
        ),
        pytest.param({"startupProbe": probe()}, (10, 2, 3, 0), id="startup-counts-its-failures"),
        pytest.param(
            {"startupProbe": {**HTTP, "failureThreshold": 12}, "livenessProbe": probe()},
            (10, 2, 3, 120),
            id="liveness-leaves-time-to-a-startup-probe-over-the-network",
        ),
        pytest.param(
            {
                "startupProbe": probe(failureThreshold=12, periodSeconds=5),
                "livenessProbe": probe(initialDelaySeconds=4),
            },
            (10, 2, 3, 64),
            id="startup-then-liveness",
        ),
        pytest.param(
            {
                "livenessProbe": probe(
                    periodSeconds=1, timeoutSeconds=90, failureThreshold=30, initialDelaySeconds=900
                )
            },
            (5, 60, 10, 300),
            id="as-far-as-ecs-goes-along",
        ),
    ],
)
def test_the_probes_terms_become_the_health_checks(
    fields: dict[str, Any], terms: tuple[int, int, int, int]
) -> None:
    check = health_check(container(**fields))
    assert check["command"] == ["CMD", "check", "-v"]
    assert (check["interval"], check["timeout"], check["retries"], check["startPeriod"]) == terms


@pytest.mark.parametrize(
    ("startup", "expected"),
    [
        pytest.param(probe(), True, id="exec"),
        pytest.param(HTTP, False, id="http"),
        pytest.param(None, False, id="no"),
    ],
)
def test_only_an_exec_startup_probe_can_be_waited_for(startup: Any, *, expected: bool) -> None:
    assert is_awaited(container(startupProbe=startup)) is expected
