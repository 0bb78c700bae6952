"""What RegisterTaskDefinition refuses of health checks and start timeouts. Pure.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html
"""

from typing import Final

from app.local.fargate.definitions.container_spec import ContainerSpec, HealthCheck
from app.local.fargate.protocol.errors import client_error

_RANGES: Final = {
    "interval": range(5, 301),
    "timeout": range(2, 61),
    "retries": range(1, 11),
    "startPeriod": range(301),
}
_START_TIMEOUT: Final = range(2, 121)


def require_health_check(container: ContainerSpec) -> None:
    """Raise AwsError for the first rule that the container's health check or start timeout breaks."""
    if container.start_timeout is not None and container.start_timeout not in _START_TIMEOUT:
        raise client_error("Container startTimeout must be between 2 and 120 seconds on Fargate.")
    check = container.health_check
    if check is None:
        return
    _require_command(check)
    values = {
        "interval": check.interval,
        "timeout": check.timeout,
        "retries": check.retries,
        "startPeriod": check.start_period,
    }
    for name, value in values.items():
        allowed = _RANGES[name]
        if value not in allowed:
            raise client_error(
                f"Health check {name} must be between {allowed.start} and {allowed.stop - 1}, not {value}."
            )


def _require_command(check: HealthCheck) -> None:
    kind = check.command[0] if check.command else ""
    if kind not in {"CMD", "CMD-SHELL"}:
        raise client_error("Health check command must begin with CMD or CMD-SHELL.")
    if not any(word.strip() for word in check.command[1:]):
        raise client_error("Health check command must name a command after CMD or CMD-SHELL.")
