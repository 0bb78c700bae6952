"""Exec probes as ECS's health check, which runs in the container as they do.

The other probes are the bridge's: it makes them to the task's address.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html
"""

from typing import Final

from app.model.container import Container, Probe
from app.model.wire import Json

_MOST_FAILURES: Final = 10

_SPANS: Final = {
    "interval": range(5, 301),
    "timeout": range(2, 61),
    "retries": range(1, _MOST_FAILURES + 1),
    "startPeriod": range(301),
}
"""What ECS takes; times in seconds."""


def health_check(container: Container) -> dict[str, Json]:
    """The definition's `healthCheck`; empty where no probe is an exec one.

    A liveness probe sets the pace, else a readiness probe, else a startup probe. What a startup probe
    allows beside it, and the initial delay, is the time in which failures do not count.
    """
    probe = _pacing(container)
    if probe is None or probe.exec is None:
        return {}
    return {
        "command": ["CMD", *probe.exec.command],
        **{key: _within(_SPANS[key], value) for key, value in _asked(container, probe).items()},
    }


def is_awaited(container: Container) -> bool:
    """Whether what follows a sidecar can wait until it has started: by its exec startup probe."""
    probe = container.startup_probe
    return probe is not None and probe.exec is not None


def _pacing(container: Container) -> Probe | None:
    probes = (container.liveness_probe, container.readiness_probe, container.startup_probe)
    return next((each for each in probes if each is not None and each.exec is not None), None)


def _asked(container: Container, probe: Probe) -> dict[str, int]:
    """The probe's terms in ECS's words; a startup probe's failures beyond ECS's count are time to start."""
    startup = container.startup_probe
    patience = 0 if startup is None else startup.patience
    counted = probe.period_seconds * min(probe.failure_threshold, _MOST_FAILURES)
    return {
        "interval": probe.period_seconds,
        "timeout": probe.timeout_seconds,
        "retries": probe.failure_threshold,
        "startPeriod": patience - counted if probe is startup else patience + probe.initial_delay_seconds,
    }


def _within(span: range, value: int) -> int:
    return min(max(value, span.start), span.stop - 1)
