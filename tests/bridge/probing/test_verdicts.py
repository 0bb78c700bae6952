from typing import Any

import msgspec
import pytest

from app.bridge.probing.verdicts import Count, begun, counted, health_of
from app.model.container import Container, Probe, ProbeKind
from app.model.task import TaskContainer
from tests.builders import a_container

HTTP: dict[str, Any] = {"httpGet": {"port": 8080}}
EXEC: dict[str, Any] = {"exec": {"command": ["true"]}}


def a_probe(**fields: Any) -> Probe:
    return msgspec.convert({**HTTP, **fields}, Probe)


def container(**probes: Any) -> Container:
    return msgspec.convert(a_container(**probes), Container)


def after(kind: ProbeKind, answers: str, probe: Probe) -> Count:
    """The count after answers written as `+` and `-`."""
    count = begun(kind)
    for each in answers:
        count = counted(count, each == "+", probe)
    return count


SEEN = TaskContainer(name="main", last_status="RUNNING")
HEALTHY = TaskContainer(name="main", last_status="RUNNING", health="HEALTHY")
UNHEALTHY = TaskContainer(name="main", last_status="RUNNING", health="UNHEALTHY")


@pytest.mark.parametrize(
    ("kind", "answers", "verdict"),
    [
        pytest.param("readiness", "", False, id="nobody-is-ready-before-the-first-answer"),
        pytest.param("liveness", "", True, id="everybody-is-alive-before-the-first-answer"),
        pytest.param("startup", "", None, id="nobody-knows-who-has-started"),
        pytest.param("readiness", "+", True, id="one-success-is-enough"),
        pytest.param("readiness", "+--", True, id="two-failures-are-not"),
        pytest.param("readiness", "+---", False, id="three-are"),
        pytest.param("liveness", "--+--", True, id="a-success-between-starts-the-count-anew"),
        pytest.param("startup", "--", None, id="not-yet-failed"),
        pytest.param("startup", "---", False, id="failed-to-start"),
        pytest.param("startup", "--+", True, id="started-late"),
    ],
)
def test_answers_in_a_row_make_a_verdict(kind: ProbeKind, answers: str, verdict: bool | None) -> None:
    assert after(kind, answers, a_probe()).verdict is verdict


def test_a_success_threshold_is_counted_too() -> None:
    probe = a_probe(successThreshold=2)
    assert (after("readiness", "+", probe).verdict, after("readiness", "++", probe).verdict) == (False, True)


def test_a_container_without_probes_is_well() -> None:
    health = health_of(container(), {}, SEEN)
    assert (health.started, health.ready, health.failed) == (True, True, "")


def test_nobody_is_ready_before_it_has_started() -> None:
    both = container(startupProbe=HTTP, readinessProbe=HTTP)
    health = health_of(both, {"readiness": Count(verdict=True)}, SEEN)
    assert (health.started, health.ready) == (False, False)


@pytest.mark.parametrize(
    ("probes", "counts", "said"),
    [
        pytest.param({"livenessProbe": HTTP}, {"liveness": Count(verdict=False)}, "liveness", id="liveness"),
        pytest.param({"startupProbe": HTTP}, {"startup": Count(verdict=False)}, "startup", id="startup"),
    ],
)
def test_what_is_to_be_restarted_is_said_in_kubelets_words(
    probes: dict[str, Any], counts: dict[ProbeKind, Count], said: str
) -> None:
    health = health_of(container(**probes), counts, SEEN)
    assert health.failed == f"Container main failed {said} probe, will be restarted"


@pytest.mark.parametrize(
    ("seen", "ready"),
    [
        pytest.param(SEEN, False, id="unknown"),
        pytest.param(HEALTHY, True, id="healthy"),
        pytest.param(UNHEALTHY, False, id="unhealthy"),
    ],
)
def test_a_commands_readiness_is_the_health_that_ecs_found(seen: TaskContainer, ready: bool) -> None:
    assert health_of(container(readinessProbe=EXEC), {}, seen).ready is ready


@pytest.mark.parametrize(
    ("seen", "failed"),
    [
        pytest.param(SEEN, False, id="unknown"),
        pytest.param(HEALTHY, False, id="healthy"),
        pytest.param(UNHEALTHY, True, id="unhealthy"),
    ],
)
def test_a_commands_liveness_fails_only_when_ecs_says_unhealthy(seen: TaskContainer, failed: bool) -> None:
    assert bool(health_of(container(livenessProbe=EXEC), {}, seen).failed) is failed


def test_a_new_bridge_keeps_a_ready_container_ready() -> None:
    assert begun("readiness", ready_before=True).verdict is True
    assert begun("startup", ready_before=True).verdict is True


BOTH: dict[str, Any] = {"startupProbe": EXEC, "readinessProbe": EXEC}


@pytest.mark.parametrize(
    ("probes", "seen", "started", "patient", "failed"),
    [
        pytest.param(BOTH, UNHEALTHY, False, False, "startup", id="it-never-started"),
        pytest.param(BOTH, UNHEALTHY, False, True, "", id="it-still-has-time"),
        pytest.param(BOTH, UNHEALTHY, True, False, "", id="it-had-started-and-is-merely-not-ready"),
        pytest.param(
            {"startupProbe": EXEC, "livenessProbe": EXEC}, UNHEALTHY, True, False, "liveness", id="it-died"
        ),
        pytest.param(
            {"startupProbe": EXEC, "livenessProbe": EXEC}, UNHEALTHY, False, True, "", id="liveness-waits"
        ),
        pytest.param(
            {"startupProbe": HTTP, "livenessProbe": EXEC}, UNHEALTHY, False, False, "", id="for-http-too"
        ),
    ],
)
def test_ecss_one_health_counts_for_startup_until_it_has_started(
    probes: dict[str, Any], seen: TaskContainer, started: bool, patient: bool, failed: str
) -> None:
    health = health_of(container(**probes), {}, seen, started=started, patient=patient)
    said = f"Container main failed {failed} probe, will be restarted" if failed else ""
    assert (health.started, health.failed) == (started, said)


def test_who_has_started_and_turns_unhealthy_is_not_ready_but_started() -> None:
    health = health_of(container(**BOTH), {}, UNHEALTHY, started=True)
    assert (health.started, health.ready) == (True, False)


def test_a_startup_probe_over_the_network_that_failed_waits_for_nothing() -> None:
    counts: dict[ProbeKind, Count] = {"startup": Count(verdict=False)}
    assert health_of(container(startupProbe=HTTP), counts, SEEN, patient=True).failed
