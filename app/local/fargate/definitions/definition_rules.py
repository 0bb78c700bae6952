"""What RegisterTaskDefinition refuses for Fargate, in AWS's words. Pure.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from app.local.fargate.definitions import rights_rules, sizes, storage_rules
from app.local.fargate.definitions.container_spec import ContainerSpec, Dependency
from app.local.fargate.definitions.health_rules import require_health_check
from app.local.fargate.protocol.errors import client_error
from app.local.fargate.protocol.wire import Json

_FAMILY: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")
_MOST_CONTAINERS: Final = 10
_MOST_BYTES: Final = 64 * 1024
_STOP_TIMEOUT: Final = range(2, 121)
_NOT_ON_FARGATE: Final = (
    "privileged",
    "dnsServers",
    "dnsSearchDomains",
    "extraHosts",
    "links",
    "disableNetworking",
    "dockerSecurityOptions",
    "hostname",
)
_AWSLOGS_OPTIONS: Final = ("awslogs-group", "awslogs-region", "awslogs-stream-prefix")


class Size(msgspec.Struct, frozen=True):
    """CPU units and MiB."""

    cpu: int
    memory: int


def containers_of(params: Json) -> tuple[ContainerSpec, ...]:
    """The containers of a validated request."""
    return msgspec.convert(params["containerDefinitions"], tuple[ContainerSpec, ...])


def size_of(params: Json) -> Size:
    """The task's size.

    Raises:
        AwsError: it is missing, not readable, or none that Fargate offers.
    """
    if "cpu" not in params or "memory" not in params:
        raise client_error("Fargate requires that 'cpu' and 'memory' be defined at the task level.")
    cpu, memory = sizes.cpu_units(params["cpu"]), sizes.memory_mib(params["memory"])
    if cpu is None:
        raise client_error("Invalid 'cpu' setting for task.")
    if memory is None:
        raise client_error("Invalid 'memory' setting for task.")
    if not sizes.is_offered(cpu, memory):
        raise client_error("No Fargate configuration exists for given values.")
    return Size(cpu, memory)


def require_runnable(params: Json, containers: Sequence[ContainerSpec]) -> None:
    """Raise AwsError for the first rule that the request breaks."""
    if not _FAMILY.fullmatch(params["family"]):
        raise client_error(f"Invalid family name: {params['family']}")
    if len(msgspec.json.encode(params)) > _MOST_BYTES:
        raise client_error("Actual length of the task definition exceeds the limit of 64 KB.")
    _require_fargate(params)
    _require_set(containers)
    size = size_of(params)
    require_room(containers, size)
    for container, body in zip(containers, params["containerDefinitions"], strict=True):
        _require_container(container, body)
        require_health_check(container)
        _require_log(container, role=params.get("executionRoleArn", ""))
        rights_rules.require_container(container, body, role=params.get("executionRoleArn", ""))
    _require_dependencies(containers)
    storage_rules.require_storage(params, containers)


def _require_fargate(params: Json) -> None:
    if "FARGATE" not in params.get("requiresCompatibilities", ()):
        raise client_error("The embedded ECS runs Fargate only: set requiresCompatibilities to ['FARGATE'].")
    if params.get("networkMode") != "awsvpc":
        raise client_error("Fargate only supports network mode 'awsvpc'.")
    rights_rules.require_task(params)


def _require_set(containers: Sequence[ContainerSpec]) -> None:
    names = [each.name for each in containers]
    if not names:
        raise client_error("Container list cannot be empty.")
    if len(names) > _MOST_CONTAINERS:
        raise client_error(f"A task definition can have at most {_MOST_CONTAINERS} containers.")
    if len(set(names)) < len(names):
        raise client_error("Container names must be unique within a task definition.")
    bad = next((name for name in names if not _FAMILY.fullmatch(name)), None)
    if bad is not None:
        raise client_error(f"Invalid container name: {bad}")
    if not any(each.essential for each in containers):
        raise client_error("A task definition must have at least one essential container.")


def require_room(containers: Sequence[ContainerSpec], size: Size) -> None:
    """Raise AwsError where the containers want more than the task has."""
    if sum(each.cpu for each in containers) > size.cpu:
        raise client_error("Total cpu of the containers must not exceed the task's cpu.")
    if sum(each.memory_reservation or each.memory or 0 for each in containers) > size.memory:
        raise client_error("Total memory of the containers must not exceed the task's memory.")
    if any((each.memory or 0) > size.memory for each in containers):
        raise client_error("Invalid 'memory' setting for container: it exceeds the task's memory.")


def _require_container(container: ContainerSpec, body: Json) -> None:
    if not container.image:
        raise client_error("Container.image should not be null or empty.")
    unsupported = next((name for name in _NOT_ON_FARGATE if body.get(name)), None)
    if unsupported is not None:
        raise client_error(f"Fargate does not support the container parameter '{unsupported}'.")
    if container.stop_timeout not in _STOP_TIMEOUT:
        raise client_error("Container stopTimeout must be between 2 and 120 seconds on Fargate.")
    added = set(body.get("linuxParameters", {}).get("capabilities", {}).get("add", ()))
    if added - {"SYS_PTRACE"}:
        raise client_error("Fargate supports adding only the capability SYS_PTRACE.")
    for port in body.get("portMappings", ()):
        if port.get("hostPort", port.get("containerPort")) not in {0, port.get("containerPort")}:
            raise client_error(
                "When networkMode=awsvpc, the host ports and container ports in port mappings must match."
            )


def _require_log(container: ContainerSpec, *, role: str) -> None:
    options = container.awslogs
    if options is None:
        return
    missing = [name for name in _AWSLOGS_OPTIONS if not options.get(name)]
    if missing:
        raise client_error(f"Log driver awslogs requires options: {', '.join(missing)}")
    if not role:
        raise client_error(
            "Fargate requires task definition to have execution role ARN to support log driver awslogs."
        )


def _require_dependencies(containers: Sequence[ContainerSpec]) -> None:
    known = {each.name: each for each in containers}
    for container in containers:
        for dependency in container.depends_on:
            _require_dependency(container, dependency, known.get(dependency.container_name))
    _require_no_cycle(known)


def _require_dependency(
    container: ContainerSpec, dependency: Dependency, target: ContainerSpec | None
) -> None:
    if target is None:
        raise client_error(f"Container '{container.name}' depends on a container that does not exist.")
    if dependency.condition in {"COMPLETE", "SUCCESS"} and target.essential:
        raise client_error(
            f"Essential container '{target.name}' cannot be depended on with condition "
            f"{dependency.condition}: it may not exit."
        )
    if dependency.condition == "HEALTHY" and target.health_check is None:
        raise client_error(
            f"Container '{target.name}' cannot be depended on with condition HEALTHY: it has no health check."
        )


def _require_no_cycle(known: Mapping[str, ContainerSpec]) -> None:
    settled: set[str] = set()
    while True:
        free = {
            name
            for name, each in known.items()
            if name not in settled and all(on.container_name in settled for on in each.depends_on)
        }
        if not free:
            break
        settled |= free
    if len(settled) < len(known):
        raise client_error("Container dependencies must not form a cycle.")


def described(params: Json) -> Json:
    """The request as DescribeTaskDefinition gives it back, with the members that AWS fills in."""
    defaults: Json = {
        "cpu": 0,
        "portMappings": [],
        "essential": True,
        "environment": [],
        "mountPoints": [],
        "volumesFrom": [],
        "systemControls": [],
    }
    body = {name: value for name, value in params.items() if name != "tags"}
    body["containerDefinitions"] = [defaults | each for each in params["containerDefinitions"]]
    filled: Json = {
        "volumes": [],
        "requiresAttributes": [],
        "placementConstraints": [],
        "compatibilities": ["EC2", "FARGATE"],
    }
    return filled | body
