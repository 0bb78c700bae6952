"""What RunTask refuses on Fargate, in AWS's words. Pure.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html
"""

import re
from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from app.local.fargate.config import ON_DEMAND, SPOT
from app.local.fargate.protocol.errors import AwsError, invalid
from app.local.fargate.protocol.wire import Json

Strategy = Sequence[Json]
"""A capacityProviderStrategy: `capacityProvider`, `weight` and `base` of each part."""

_MOST_TASKS: Final = 10
_MOST_PROVIDERS: Final = 20
_MOST_OVERRIDES: Final = 8192
_MOST_SUBNETS: Final = 16
_MOST_SECURITY_GROUPS: Final = 5
_STARTED_BY: Final = re.compile(r"[A-Za-z0-9_/-]{1,128}")
_TOKEN: Final = re.compile(r"[!-~]{1,64}")
_PLATFORMS: Final = {"LATEST", "1.4.0", "1.3.0"}


def require_runnable(params: Json, *, containers: Collection[str]) -> None:
    """Raise AwsError for the first rule that the request breaks; `containers` are the definition's."""
    if not 1 <= params.get("count", 1) <= _MOST_TASKS:
        raise invalid(f"Count must be between 1 and {_MOST_TASKS}.")
    if not _STARTED_BY.fullmatch(params.get("startedBy", "-")):
        raise invalid("startedBy must match [A-Za-z0-9_/-]{1,128}.")
    if not _TOKEN.fullmatch(params.get("clientToken", "-")):
        raise invalid("clientToken must be 1 to 64 printable ASCII characters.")
    if params.get("platformVersion", "LATEST") not in _PLATFORMS:
        raise AwsError("PlatformUnknownException", "The specified platform version does not exist.")
    if params.get("propagateTags") == "SERVICE":
        raise invalid("propagateTags must be TASK_DEFINITION or NONE for a task that no service starts.")
    _require_overrides(params, containers)


def require_role(params: Json, *, role: str) -> None:
    """Raise AwsError for a task with sessions that has no role; `role` is the definition's.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html
    """
    role = params.get("overrides", {}).get("taskRoleArn", role)
    if params.get("enableExecuteCommand") and not role:
        raise invalid(
            "The execute command failed because a valid task role is not being used. Specify a valid task "
            "role in your task definition or as a task override and try again."
        )


def _require_overrides(params: Json, containers: Collection[str]) -> None:
    overrides = params.get("overrides", {})
    if len(msgspec.json.encode(overrides).decode()) > _MOST_OVERRIDES:
        raise invalid(f"Container Overrides length must be at most {_MOST_OVERRIDES}")
    for override in overrides.get("containerOverrides", ()):
        if override.get("name") not in containers:
            name = override.get("name", "null")
            raise invalid(f"Override for container named {name} is not a container in the TaskDefinition.")


def strategy_of(params: Json, *, associated: Collection[str], default: Strategy) -> Strategy:
    """The strategy that holds for a request: its own, or the cluster's default; empty for a launch type.

    `associated` are the cluster's capacity providers.
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html

    Raises:
        AwsError: it contradicts itself, or names what the cluster does not have.
    """
    strategy: Strategy = params.get("capacityProviderStrategy", ())
    if strategy and params.get("launchType"):
        raise invalid("Specifying both a launch type and capacity provider strategy is not supported.")
    if not strategy and not params.get("launchType"):
        strategy = default
    require_strategy(strategy, associated=associated)
    return strategy


def require_strategy(strategy: Strategy, *, associated: Collection[str]) -> None:
    """Raise AwsError for the first rule that a strategy breaks; an empty one breaks none."""
    if len(strategy) > _MOST_PROVIDERS:
        raise invalid(
            f"The capacity provider strategy can have at most {_MOST_PROVIDERS} capacity providers."
        )
    for each in strategy:
        name = each["capacityProvider"]
        if name not in {ON_DEMAND, SPOT}:
            raise invalid(f"The specified capacity provider '{name}' was not found.")
        if name not in associated:
            raise invalid(
                "The specified capacity provider strategy cannot contain a capacity provider that is not "
                "associated with the cluster. Associate the capacity provider with the cluster and try again."
            )
    if strategy and all(each.get("weight", 0) == 0 for each in strategy):
        raise invalid("At least one capacity provider in the strategy must have a weight greater than 0.")
    if sum(each.get("base", 0) > 0 for each in strategy) > 1:
        raise invalid("Only one capacity provider in a strategy can have a base defined.")


def capacity_of(params: Json, *, strategy: Strategy) -> str:
    """FARGATE or FARGATE_SPOT: the provider with the greatest weight, the first of equals.

    Raises:
        AwsError: there is none, or it is not Fargate's.
    """
    if not strategy:
        if params.get("launchType") != ON_DEMAND:
            raise invalid("No Container Instances were found in your cluster.")
        return ON_DEMAND
    chosen = max(strategy, key=lambda each: (each.get("base", 0), each.get("weight", 0)))
    return str(chosen["capacityProvider"])


def subnets_of(params: Json) -> tuple[str, ...]:
    """The subnets that the task may land in.

    Raises:
        AwsError: none are given, or too many.
    """
    network = params.get("networkConfiguration", {}).get("awsvpcConfiguration")
    if network is None:
        raise invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
    if not network["subnets"]:
        raise invalid("subnets can not be empty.")
    if len(network["subnets"]) > _MOST_SUBNETS:
        raise invalid(f"subnets can have at most {_MOST_SUBNETS} items.")
    if len(network.get("securityGroups", ())) > _MOST_SECURITY_GROUPS:
        raise invalid(f"securityGroups can have at most {_MOST_SECURITY_GROUPS} items.")
    return tuple(network["subnets"])
