"""What RunTask refuses on Fargate, in AWS's words. Pure.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html
"""

import re
from collections.abc import Collection
from typing import Final

import msgspec

from app.local.fargate.errors import AwsError, invalid
from app.local.fargate.wire import Json

ON_DEMAND: Final = "FARGATE"
SPOT: Final = "FARGATE_SPOT"

_MOST_TASKS: Final = 10
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


def _require_overrides(params: Json, containers: Collection[str]) -> None:
    overrides = params.get("overrides", {})
    if len(msgspec.json.encode(overrides).decode()) > _MOST_OVERRIDES:
        raise invalid(f"Container Overrides length must be at most {_MOST_OVERRIDES}")
    for override in overrides.get("containerOverrides", ()):
        if override.get("name") not in containers:
            name = override.get("name", "null")
            raise invalid(f"Override for container named {name} is not a container in the TaskDefinition.")


def capacity_of(params: Json) -> str:
    """FARGATE or FARGATE_SPOT: the provider with the greatest weight, the first of equals.

    Raises:
        AwsError: there is none, or it is not Fargate's.
    """
    strategy = params.get("capacityProviderStrategy")
    launch_type = params.get("launchType")
    if strategy and launch_type:
        raise invalid("Specifying both a launch type and capacity provider strategy is not supported.")
    if not strategy:
        if launch_type != ON_DEMAND:
            raise invalid("No Container Instances were found in your cluster.")
        return ON_DEMAND
    for each in strategy:
        if each["capacityProvider"] not in {ON_DEMAND, SPOT}:
            raise invalid(f"The specified capacity provider '{each['capacityProvider']}' was not found.")
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
