"""Pod → task definition and RunTask overrides.

Whatever may differ between two pods goes into the overrides, so that pods share definitions: registering
one is allowed once a second, launching twenty times. Only where the overrides would grow beyond what RunTask
takes do the words that the pod's template fixes move into the definition.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Final

import msgspec

from app.bridge.config import TaskSettings
from app.bridge.translation.environment import Resolved, resolve
from app.fargate import eligibility, sizes
from app.model.container import Container
from app.model.names import ATTEMPT_VARIABLE, IDENTITY_VARIABLE
from app.model.pod import Pod
from app.model.quantity import MIB, milli, whole
from app.model.reason import Reason
from app.model.requests import effective_requests, requests_of
from app.model.task import Definition, Identity, Launch
from app.model.wire import Json

OVERRIDES_LIMIT: Final = 8_192
"""Characters of JSON: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskOverride.html."""

DEFINITION_LIMIT: Final = 64 * 1024
"""https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html, task definition size."""

LEAST_STOP_TIMEOUT: Final = 2
MOST_STOP_TIMEOUT: Final = 120
LEAST_MEMORY_MIB: Final = 6
LEAST_CPU_UNITS: Final = 2


def translate(
    pod: Pod, *, config: TaskSettings, identity: Identity, attempt: int
) -> Launch | tuple[Reason, ...]:
    """The launch of the pod's attempt, or every reason why Fargate cannot run it.

    A pure function of its arguments: the same pod and attempt always make the same RunTask call, which is
    what lets a lost answer be asked for again.
    """
    reasons = list(eligibility.refusals(pod))
    if reasons:
        return tuple(reasons)
    resolved: dict[str, Resolved] = {}
    for index, container in enumerate(pod.spec.containers):
        words = resolve(container, pod=pod, field=f"spec.containers[{index}]")
        if isinstance(words, Resolved):
            resolved[container.name] = words
        else:
            reasons.extend(words)
    size = sizes.size_for(requests_of(pod).cpu_milli, _memory_of(pod))
    if isinstance(size, Reason):
        reasons.append(size)
    if reasons or isinstance(size, Reason):
        return tuple(reasons)
    body = _body(pod, config=config, size=size, resolved=resolved)
    ours = {IDENTITY_VARIABLE: identity.text(), ATTEMPT_VARIABLE: str(attempt)}
    overrides = _overrides(resolved, ours=ours)
    if _length(overrides) > OVERRIDES_LIMIT:
        body = _with_fixed_words(body, resolved)
        overrides = _overrides({name: _own(words) for name, words in resolved.items()}, ours=ours)
    too_large = _too_large(body, overrides)
    if too_large:
        return too_large
    return Launch(
        definition=Definition(family=family_of(body), body=body),
        overrides=overrides,
        started_by=started_by(identity),
        client_token=client_token(identity, attempt=attempt),
    )


def family_of(body: Mapping[str, Json]) -> str:
    """The definition's name: the hash of its content, so that equal names mean equal content."""
    return f"spillway-{hashlib.sha256(canonical(body).encode()).hexdigest()[:40]}"


def canonical(value: Json) -> str:
    """The value's one JSON text: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def client_token(identity: Identity, *, attempt: int) -> str:
    """RunTask's idempotency token: 64 hexadecimal digits, one for each attempt of each pod."""
    return hashlib.sha256(f"{identity.cluster}|{identity.uid}|{attempt}".encode()).hexdigest()


def started_by(identity: Identity) -> str:
    """RunTask's `startedBy`: at most 128 of the characters `[A-Za-z0-9_/-]`."""
    return re.sub(r"[^A-Za-z0-9_/-]", "-", f"spillway/{identity.uid}")[:128]


def stop_timeout(pod: Pod) -> int:
    """Seconds from SIGTERM to SIGKILL: the pod's grace period as far as Fargate goes along (2 to 120)."""
    return min(max(pod.spec.termination_grace_period_seconds, LEAST_STOP_TIMEOUT), MOST_STOP_TIMEOUT)


def _body(
    pod: Pod, *, config: TaskSettings, size: sizes.Size, resolved: Mapping[str, Resolved]
) -> dict[str, Json]:
    containers = [
        _container(each, pod=pod, config=config, size=size, words=resolved[each.name])
        for each in pod.spec.containers
    ]
    body: dict[str, Json] = {
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": str(size.cpu_units),
        "memory": str(size.memory_mib),
        "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
        "containerDefinitions": containers,
    }
    storage = sizes.ephemeral_gib_for(requests_of(pod).storage)
    if isinstance(storage, int):
        body["ephemeralStorage"] = {"sizeInGiB": storage}
    if config.execution_role_arn:
        body["executionRoleArn"] = config.execution_role_arn
    if config.task_role_arn:
        body["taskRoleArn"] = config.task_role_arn
    return body


def _container(
    container: Container, *, pod: Pod, config: TaskSettings, size: sizes.Size, words: Resolved
) -> dict[str, Json]:
    """One container definition.

    All are essential: under restartPolicy Always, one that dies ends the task, and the bridge launches the
    whole task anew; under the others there is but one container.
    """
    optional: dict[str, Json] = {
        "entryPoint": list(words.command[:1]),
        "workingDirectory": container.working_dir,
        "portMappings": _port_mappings(container),
        "pseudoTerminal": container.tty,
        "interactive": container.stdin,
        **_resources(container, size=size),
    }
    return {
        "name": container.name,
        "image": container.image,
        "essential": True,
        "stopTimeout": stop_timeout(pod),
        "logConfiguration": _log_configuration(config),
        **{key: value for key, value in optional.items() if value},
    }


def _port_mappings(container: Container) -> list[dict[str, Json]]:
    ports = {(each.container_port, each.protocol.lower()) for each in container.ports}
    return [{"containerPort": port, "protocol": protocol} for port, protocol in sorted(ports)]


def _resources(container: Container, *, size: sizes.Size) -> dict[str, Json]:
    """The container's share of the task: requests reserve, a memory limit kills; cpu is a share, not a cap.

    ECS wants `memory` above `memoryReservation`, and neither above the task.
    """
    requests = effective_requests(container.resources)
    cpu = milli(requests.get("cpu", "0")) * 1024 // 1000
    reserved = _mib(requests.get("memory", "0"))
    limit = min(_mib(container.resources.limits.get("memory", "0")), size.memory_mib)
    return {
        "cpu": max(cpu, LEAST_CPU_UNITS) if cpu else 0,
        "memory": limit,
        "memoryReservation": reserved if reserved < limit or not limit else 0,
    }


def _mib(quantity: str) -> int:
    size = whole(quantity)
    return max(-(-size // MIB), LEAST_MEMORY_MIB) if size else 0


def _memory_of(pod: Pod) -> int:
    """Bytes that the task needs: the pod's request, and what its containers reserve in whole MiB."""
    reserved = sum(
        _mib(effective_requests(each.resources).get("memory", "0")) for each in pod.spec.containers
    )
    return max(requests_of(pod).memory, reserved * MIB)


def _log_configuration(config: TaskSettings) -> dict[str, Json]:
    options = {
        "awslogs-group": config.log_group,
        "awslogs-region": config.region,
        "awslogs-stream-prefix": config.stream_prefix,
        "mode": config.log_mode,
    }
    if config.log_mode == "non-blocking":
        options["max-buffer-size"] = config.log_buffer
    return {"logDriver": "awslogs", "options": options}


def _overrides(resolved: Mapping[str, Resolved], *, ours: Mapping[str, str]) -> dict[str, Json]:
    return {
        "containerOverrides": [_override(name, words=words, ours=ours) for name, words in resolved.items()]
    }


def _override(name: str, *, words: Resolved, ours: Mapping[str, str]) -> dict[str, Json]:
    override: dict[str, Json] = {"name": name, "environment": _pairs({**words.environment, **ours})}
    rest = _arguments(words)
    if rest:
        override["command"] = rest
    return override


def _with_fixed_words(body: Mapping[str, Json], resolved: Mapping[str, Resolved]) -> dict[str, Json]:
    """The definition with the words in it that the pod's template fixes."""
    containers = [_with_words(each, _fixed(resolved[each["name"]])) for each in body["containerDefinitions"]]
    return {**body, "containerDefinitions": containers}


def _with_words(container: Mapping[str, Json], words: Resolved) -> dict[str, Json]:
    optional = {"environment": _pairs(words.environment), "command": _arguments(words)}
    return {**container, **{key: value for key, value in optional.items() if value}}


def _fixed(words: Resolved) -> Resolved:
    environment = {key: value for key, value in words.environment.items() if key not in words.own}
    kept = msgspec.structs.replace(words, environment=environment)
    return msgspec.structs.replace(kept, command=(), args=()) if words.own_command else kept


def _own(words: Resolved) -> Resolved:
    environment = {key: value for key, value in words.environment.items() if key in words.own}
    kept = msgspec.structs.replace(words, environment=environment)
    return kept if words.own_command else msgspec.structs.replace(kept, command=(), args=())


def _arguments(words: Resolved) -> list[str]:
    """All words after the entry point, which only a definition can hold."""
    return [*words.command[1:], *words.args]


def _pairs(environment: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": key, "value": value} for key, value in environment.items()]


def _length(overrides: Mapping[str, Json]) -> int:
    return len(json.dumps(overrides))


def _too_large(body: Mapping[str, Json], overrides: Mapping[str, Json]) -> tuple[Reason, ...]:
    reasons: list[Reason] = []
    written = _length(overrides)
    if written > OVERRIDES_LIMIT:
        reasons.append(
            Reason(
                "OverridesTooLarge",
                f"environment, command and args that are this pod's own take {written} of "
                f"{OVERRIDES_LIMIT} characters; shorten them, or bake them into the image",
                "spec.containers",
            )
        )
    if len(msgspec.json.encode(body)) > DEFINITION_LIMIT:
        reasons.append(
            Reason(
                "DefinitionTooLarge",
                "the task definition exceeds 64 KB; shorten the containers' fields",
                "spec.containers",
            )
        )
    return tuple(reasons)
