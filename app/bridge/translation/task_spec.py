"""Pod → task definition and RunTask overrides."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

import msgspec

from app.bridge.config import TaskSettings
from app.bridge.translation import sessions
from app.bridge.translation.answers import Refusal, refusal_of
from app.bridge.translation.caveats import caveats_of, unfound_pulls
from app.bridge.translation.containers import helper, ordering
from app.bridge.translation.containers.definitions import (
    Surroundings,
    definition_of,
    log_configuration,
    words_of,
)
from app.bridge.translation.containers.parts import Part, parts_of
from app.bridge.translation.material import Material
from app.bridge.translation.overrides import Words, too_large, travelling
from app.bridge.translation.standing import Standing, standing_of
from app.bridge.translation.volumes.brought import Brought, bring
from app.fargate import eligibility
from app.fargate.shares import Room, room_of, shares_of
from app.model.names import (
    ATTEMPT_VARIABLE,
    IDENTITY_VARIABLE,
    INSTALL_CONTAINER,
    OWN_PLAN_VARIABLE,
    PLAN_VARIABLE,
)
from app.model.pod import Pod
from app.model.reason import Reason
from app.model.setting import named
from app.model.task import Definition, Identity, Launch
from app.model.wire import Json

MOST_CONTAINERS: Final = 10
"""https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html"""

_ARCHITECTURES: Final = {"amd64": "X86_64", "arm64": "ARM64"}


class Translated(msgspec.Struct, frozen=True):
    """What is launched, and what runs otherwise than asked; the codes of `caveats` are reasons of Events."""

    launch: Launch
    caveats: tuple[Reason, ...]


class _Task(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about the pod's task but the attempt."""

    pod: Pod
    settings: TaskSettings
    material: Material
    parts: Sequence[Part]
    brought: Brought
    room: Room
    standing: Standing

    @property
    def keeps(self) -> bool:
        """Whether the keeper prints what the wrapped containers record, or the task lasts as long as it."""
        return any(each.run is not None for each in self.parts) or ordering.end_by_themselves(self.pod)

    @property
    def installs(self) -> bool:
        """Whether the helper comes into the task at all."""
        return self.keeps or bool(self.brought.plan or self.brought.own_plan)


def _as_created(pod: Pod) -> Pod:
    """The pod without what came after its creation: `kubectl debug` must not hinder the next attempt."""
    return msgspec.structs.replace(pod, spec=msgspec.structs.replace(pod.spec, ephemeral_containers=()))


def translate(
    pod: Pod,
    *,
    material: Material,
    config: TaskSettings,
    identity: Identity,
    attempt: int,
    capacity: Literal["on-demand", "spot"] = "on-demand",
) -> Translated | Refusal:
    """The launch of the pod's attempt; or what it still lacks; or every reason why Fargate cannot run it.

    A pure function of its arguments: the same pod, material and attempt always make the same RunTask call,
    which is what lets a lost answer be asked for again.
    """
    reasons = tuple(eligibility.refusals(_as_created(pod)))
    if reasons:
        return reasons
    task = _task(pod, material=material, settings=config)
    if not isinstance(task, _Task):
        return task
    words = _words(task, identity=identity, attempt=attempt)
    travels = travelling(words, role=task.standing.role)
    body = _body(task, written=travels.written)
    large = too_large(body, travels.overrides)
    if large:
        return large
    launch = Launch(
        definition=Definition(family=family_of(body), body=body),
        overrides=travels.overrides,
        started_by=started_by(identity),
        client_token=client_token(identity, attempt=attempt),
        capacity=capacity,
        security_groups=task.standing.groups,
        volumes=task.brought.launch_volumes,
        turn=attempt - 1,
        execute_command=sessions.are_enabled(role=task.standing.role, settings=config),
    )
    special = (
        *task.brought.caveats,
        *unfound_pulls(material.missing_pulls),
        *sessions.caveats(task.parts, role=task.standing.role, settings=config),
    )
    return Translated(launch, caveats_of(pod, parts=task.parts, brought=special))


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


def _task(pod: Pod, *, material: Material, settings: TaskSettings) -> _Task | Refusal:
    brought = bring(pod, material=material, settings=settings)
    lines, storage = (brought.run, brought.storage) if isinstance(brought, Brought) else ({}, 0)
    parts = parts_of(pod, places=lines, material=material, settings=settings)
    room = room_of(pod, volumes=storage)
    standing = standing_of(pod, material=material, settings=settings)
    if (
        not isinstance(brought, Brought)
        or not isinstance(parts, list)
        or not isinstance(room, Room)
        or not isinstance(standing, Standing)
    ):
        return refusal_of((brought, parts, room, standing))
    task = _Task(
        pod=pod,
        settings=settings,
        material=material,
        parts=parts,
        brought=brought,
        room=room,
        standing=standing,
    )
    return tuple(_obstacles(task)) or task


def _obstacles(task: _Task) -> Iterable[Reason]:
    """What only the whole task shows."""
    if task.installs and not task.settings.helper_image:
        message = (
            f"the pod needs the in-task helper; ask the operator to set {named('bridge', 'helper_image')}"
        )
        yield Reason("HelperImage", message, "spec")
    count = len(task.parts) + task.installs + task.keeps
    if count > MOST_CONTAINERS:
        message = f"{count} containers, with the helper's, exceed the {MOST_CONTAINERS} of a task; use fewer"
        yield Reason("TooManyContainers", message, "spec.containers")


def _words(task: _Task, *, identity: Identity, attempt: int) -> Sequence[Words]:
    """What each container is told; the first main one, whose task this is."""
    whose = {IDENTITY_VARIABLE: identity.text()}
    first = task.pod.spec.containers[0].name
    told = [
        words_of(part, ours={**whose, ATTEMPT_VARIABLE: str(attempt)} if part.name == first else {})
        for part in task.parts
    ]
    if not task.installs:
        return told
    plan, own_plan = "\n".join(task.brought.plan), "\n".join(task.brought.own_plan)
    install = Words(
        container=INSTALL_CONTAINER,
        shared={PLAN_VARIABLE: plan} if plan else {},
        own={**whose, OWN_PLAN_VARIABLE: own_plan} if own_plan else {},
    )
    return [install, *told]


def _body(task: _Task, *, written: Mapping[str, dict[str, Json]]) -> dict[str, Json]:
    definitions = [*_helpers(task), *_containers(task)]
    size, settings = task.room.size, task.settings
    optional: dict[str, Json] = {
        "volumes": [*([helper.VOLUME] if task.installs else []), *task.brought.volumes],
        "pidMode": "task" if task.pod.spec.share_process_namespace else "",
        "ephemeralStorage": {"sizeInGiB": task.room.storage} if task.room.storage else {},
        "executionRoleArn": settings.execution_role_arn,
        "taskRoleArn": settings.task_role_arn,
    }
    return {
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": str(size.cpu_units),
        "memory": str(size.memory_mib),
        "runtimePlatform": {
            "cpuArchitecture": _ARCHITECTURES[settings.architecture],
            "operatingSystemFamily": "LINUX",
        },
        "containerDefinitions": [{**each, **written.get(each["name"], {})} for each in definitions],
        **{key: value for key, value in optional.items() if value},
    }


def _containers(task: _Task) -> list[dict[str, Json]]:
    surroundings = Surroundings(
        pod=task.pod,
        settings=task.settings,
        shares=shares_of(task.pod, size=task.room.size),
        mounts=task.brought.mounts,
        tmpfs=task.brought.tmpfs,
        waits=ordering.dependencies(task.parts, installed=task.installs, kept=task.keeps),
        lasts=not ordering.end_by_themselves(task.pod),
        pulls=task.material.pulls,
    )
    return [definition_of(part, task=surroundings) for part in task.parts]


def _helpers(task: _Task) -> list[dict[str, Json]]:
    """The helper's own containers, as far as the task needs them."""
    settings = task.settings
    definitions: list[dict[str, Json]] = []
    if task.installs:
        install = helper.install(image=settings.helper_image, mounts=task.brought.install_mounts)
        secrets = sorted(task.brought.plan_secrets.items())
        pairs = [{"name": name, "valueFrom": place} for name, place in secrets]
        definitions.append({**install, **({"secrets": pairs} if pairs else {})})
    if task.keeps:
        awaited = [each.name for each in task.pod.spec.containers]
        names = awaited if ordering.end_by_themselves(task.pod) else []
        definitions.append(helper.keeper(image=settings.helper_image, names=names))
    return [{**each, "logConfiguration": log_configuration(settings)} for each in definitions]
