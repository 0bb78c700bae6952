"""Container definitions: what of a container stands in the task definition.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from app.bridge.config import TaskSettings
from app.bridge.translation.containers import helper
from app.bridge.translation.containers.health import health_check
from app.bridge.translation.containers.parts import Part
from app.bridge.translation.overrides import Words
from app.model.container import Container
from app.model.names import RUN_VARIABLE
from app.model.pod import Pod
from app.model.wire import Json

RESTART_PERIOD: Final = 60
"""Seconds that a sidecar must have run for ECS to restart it: the least that ECS takes."""


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What a container's definition takes from its task.

    Attributes:
        shares: cpu and memory by the container's name, in ECS's words.
        mounts: `mountPoints` by the container's name.
        tmpfs: `linuxParameters.tmpfs` by the container's name.
        waits: `dependsOn` by the container's name.
        lasts: whether the task lasts as long as its main containers (and not as long as the keeper).
        pulls: `credentialsParameter` by image.
    """

    pod: Pod
    settings: TaskSettings
    shares: Mapping[str, dict[str, Json]]
    mounts: Mapping[str, tuple[Json, ...]]
    tmpfs: Mapping[str, tuple[Json, ...]]
    waits: Mapping[str, list[dict[str, str]]]
    lasts: bool
    pulls: Mapping[str, str]


def definition_of(part: Part, *, task: Surroundings) -> dict[str, Json]:
    """One container definition, without the words that `app.bridge.translation.overrides` deals out."""
    container = part.container
    optional: dict[str, Json] = {
        "entryPoint": _entry_point(part),
        "workingDirectory": container.working_dir,
        "user": part.rights.user,
        "readonlyRootFilesystem": part.rights.read_only,
        "linuxParameters": _linux_parameters(part, task=task),
        "systemControls": list(part.rights.controls),
        "portMappings": _port_mappings(container),
        "pseudoTerminal": container.tty,
        "interactive": container.stdin,
        "mountPoints": _mounts(part, task=task),
        "secrets": _secrets(part.words.secrets),
        "dependsOn": task.waits.get(part.name),
        "healthCheck": health_check(container),
        "restartPolicy": _restart_policy(part),
        "repositoryCredentials": _credentials(container, task=task),
        **task.shares.get(part.name, {}),
    }
    return {
        "name": container.name,
        "image": part.image,
        "essential": part.role == "main" and task.lasts,
        "stopTimeout": helper.stop_timeout(task.pod, records=part.run is not None),
        "logConfiguration": log_configuration(task.settings),
        **{key: value for key, value in optional.items() if value},
    }


def words_of(part: Part, *, ours: Mapping[str, str]) -> Words:
    """What the container is told: its variables, and its words after the entry point.

    Args:
        part: the container.
        ours: Spillway's own variables of this pod.
    """
    environment = part.words.environment
    own = {name: value for name, value in environment.items() if name in part.words.own}
    return Words(
        container=part.name,
        shared={} if part.run is None else {RUN_VARIABLE: part.run},
        fixed={name: value for name, value in environment.items() if name not in part.words.own},
        own={**own, **ours},
        command=_after_entry_point(part),
        own_command=part.words.own_command,
    )


def log_configuration(settings: TaskSettings) -> dict[str, Json]:
    """Where a container's output goes."""
    options = {
        "awslogs-group": settings.log_group,
        "awslogs-region": settings.region,
        "awslogs-stream-prefix": settings.stream_prefix,
        "mode": settings.log_mode,
    }
    if settings.log_mode == "non-blocking":
        options["max-buffer-size"] = settings.log_buffer
    return {"logDriver": "awslogs", "options": options}


def _entry_point(part: Part) -> list[str]:
    if part.run is not None:
        return helper.entry_point()
    return list(part.words.command[:1])


def _after_entry_point(part: Part) -> tuple[str, ...]:
    if part.run is not None:
        return helper.wrapped(part.container, part.command)
    return part.command[len(part.words.command[:1]) :]


def _linux_parameters(part: Part, *, task: Surroundings) -> dict[str, Json]:
    wanted: dict[str, Json] = {
        "capabilities": part.rights.capabilities,
        "tmpfs": list(task.tmpfs.get(part.name, ())),
    }
    return {key: value for key, value in wanted.items() if value}


def _port_mappings(container: Container) -> list[dict[str, Json]]:
    ports = {(each.container_port, each.protocol.lower() or "tcp") for each in container.ports}
    return [{"containerPort": port, "protocol": protocol} for port, protocol in sorted(ports)]


def _mounts(part: Part, *, task: Surroundings) -> list[Json]:
    return [*([helper.mount()] if part.run is not None else []), *task.mounts.get(part.name, ())]


def _secrets(secrets: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "valueFrom": place} for name, place in sorted(secrets.items())]


def _restart_policy(part: Part) -> dict[str, Json]:
    """ECS's own restarts, for a sidecar that the helper does not restart."""
    if part.role != "sidecar" or part.run is not None:
        return {}
    return {"enabled": True, "restartAttemptPeriod": RESTART_PERIOD}


def _credentials(container: Container, *, task: Surroundings) -> dict[str, Json]:
    parameter = task.pulls.get(container.image)
    return {"credentialsParameter": parameter} if parameter else {}
