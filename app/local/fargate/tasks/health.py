"""Container health checks: what a run of answers means. Pure.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/healthcheck.html
https://docs.docker.com/reference/dockerfile/#healthcheck
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from app.local.fargate.definitions.container_spec import HealthCheck

UNKNOWN: Final = "UNKNOWN"
HEALTHY: Final = "HEALTHY"
UNHEALTHY: Final = "UNHEALTHY"


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """How healthy a container is, and how many checks failed since the last one that passed.

    `settled` says that a check has passed: the start period is over then, however long it was to be.
    """

    status: str = UNKNOWN
    failures: int = 0
    settled: bool = False


def after_check(before: Condition, check: HealthCheck, *, passed: bool, ran: float) -> Condition:
    """The condition after one more check, of a container that has run for `ran` seconds.

    A failure within the start period does not count; the one that completes `retries` makes it UNHEALTHY.
    """
    if passed:
        return Condition(status=HEALTHY, settled=True)
    if not before.settled and ran < check.start_period:
        return before
    failures = before.failures + 1
    status = UNHEALTHY if failures >= check.retries else before.status
    return msgspec.structs.replace(before, status=status, failures=failures)


def task_health(essential: Sequence[str]) -> str:
    """A task's health from that of its essential containers: UNHEALTHY before UNKNOWN before HEALTHY.

    A container without a check is UNKNOWN, and so is its task at best. The others have no say.
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html
    """
    worst = (UNHEALTHY, UNKNOWN, HEALTHY)
    return next((status for status in worst if status in essential), UNKNOWN)
