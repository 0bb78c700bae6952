"""A pod's volumes as a task has them, and what has to be brought along to fill them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec

from app.bridge.config import TaskSettings
from app.bridge.translation.injected import brought, containers_of, left_out, token_volumes
from app.bridge.translation.material import Material, Unready
from app.bridge.translation.problems import Problem, judged
from app.bridge.translation.scene import Scene
from app.bridge.translation.volumes.claims import claimed, made_by_ecs
from app.bridge.translation.volumes.files import files_of
from app.bridge.translation.volumes.fragment import (
    Fragment,
    Line,
    install_path,
    mount_point,
    task_names,
    variable_of,
)
from app.bridge.translation.volumes.mounts import Mount, mounts_of
from app.bridge.translation.volumes.projection import projected
from app.bridge.translation.volumes.scratch import scratch
from app.bridge.translation.volumes.written import written
from app.model.names import SEAL_KEY_VARIABLE
from app.model.pod import Pod
from app.model.reason import Reason
from app.model.setting import named
from app.model.volume import EmptyDir, Volume
from app.model.wire import Json

_T = TypeVar("_T")


class Brought(msgspec.Struct, frozen=True, kw_only=True):
    """What the pod's volumes make of its task, in AWS's own field names. Mappings are by container.

    Attributes:
        volumes: the definition's `volumes`.
        mounts: mount points; every container of the pod has an entry.
        tmpfs: `linuxParameters.tmpfs`.
        install_mounts: mount points of `spillway-install`.
        plan: lines of its `SPILLWAY_PLAN`, the same for all pods of a template.
        own_plan: lines of its `SPILLWAY_PLAN_OWN`, this pod's alone.
        plan_secrets: its variables → `valueFrom`.
        run: lines of a container's `SPILLWAY_RUN`.
        launch_volumes: RunTask's `volumeConfigurations`.
        storage: bytes of the task's disk that emptyDirs are to hold.
        caveats: what runs differently from a real node; each code is the reason of an Event.
    """

    volumes: tuple[Json, ...] = ()
    mounts: Mapping[str, tuple[Json, ...]] = {}
    tmpfs: Mapping[str, tuple[Json, ...]] = {}
    install_mounts: tuple[Json, ...] = ()
    plan: tuple[str, ...] = ()
    own_plan: tuple[str, ...] = ()
    plan_secrets: dict[str, str] = {}
    run: Mapping[str, tuple[str, ...]] = {}
    launch_volumes: tuple[Json, ...] = ()
    storage: int = 0
    caveats: tuple[Reason, ...] = ()


def bring(pod: Pod, *, material: Material, settings: TaskSettings) -> Brought | Unready | tuple[Reason, ...]:
    """The pod's volumes in its task; what is missing for them; or every reason against them.

    The same for all pods of a template, but for `own_plan` and `caveats`.
    """
    scene = Scene(pod=pod, material=material, settings=settings)
    found = mounts_of(scene)
    mounts = [each for each in found if isinstance(each, Mount)]
    problems: list[Problem] = [each for each in found if not isinstance(each, Mount)]
    names = task_names(pod)
    fragments: list[Fragment] = []
    for index, volume in brought(pod, settings=settings):
        used = [each for each in mounts if each.volume == volume.name]
        share = _share(volume, scene, name=names[volume.name], mounts=used, field=f"spec.volumes[{index}]")
        if isinstance(share, Fragment):
            fragments.append(share)
        else:
            problems.extend((share,) if isinstance(share, Unready) else share)
    problems.extend(_too_many_disks(fragments))
    return judged(problems) or _together(fragments, scene)


def _share(
    volume: Volume, scene: Scene, *, name: str, mounts: Sequence[Mount], field: str
) -> Fragment | Unready | tuple[Reason, ...]:
    """One volume's share. One that nobody mounts is looked at all the same, as a kubelet does."""
    if projected(volume) is not None:
        files = files_of(volume, scene=scene, field=field)
        return written(name, files, mounts=mounts, scene=scene) if isinstance(files, Mapping) else files
    if volume.persistent_volume_claim is not None:
        return claimed(name, volume.persistent_volume_claim, mounts=mounts, scene=scene, field=field)
    if volume.ephemeral is not None:
        return made_by_ecs(name, volume.ephemeral, mounts=mounts, scene=scene, field=field)
    other = _other_source(volume)
    if other:
        message = f"{other} does not reach Fargate; use EFS, or an emptyDir"
        return (Reason("Volume", message, f"{field}.{other}"),)
    return scratch(name, volume.empty_dir or EmptyDir(), mounts=mounts, scene=scene, field=field)


def _other_source(volume: Volume) -> str:
    """The wire name of a source that Fargate has nothing like; empty for none."""
    wire = {field.name: field.encode_name for field in msgspec.structs.fields(Volume)}
    kinds = (name for name in wire if name not in {"name", "empty_dir"})
    return next((wire[name] for name in kinds if getattr(volume, name) is not None), "")


def _too_many_disks(fragments: Iterable[Fragment]) -> Iterable[Reason]:
    if sum(len(each.launch) for each in fragments) > 1:
        message = "ECS makes one disk for a task; keep one ephemeral volume, and use emptyDir for the others"
        yield Reason("SeveralEphemeralVolumes", message, "spec.volumes")


def _together(fragments: Sequence[Fragment], scene: Scene) -> Brought:
    lines = [line for each in fragments for line in each.lines]
    filled = dict.fromkeys(line.volume for line in lines)
    secrets = {variable_of(line.key): line.key.value_from for line in lines if line.key is not None}
    if any(line.is_sealed for line in lines):
        secrets[SEAL_KEY_VARIABLE] = scene.material.seal_key
    return Brought(
        volumes=tuple(volume for each in fragments for volume in each.volumes),
        mounts=_by_container((pair for each in fragments for pair in each.mounts), scene.pod),
        tmpfs=_by_container((pair for each in fragments for pair in each.tmpfs), scene.pod),
        install_mounts=tuple(mount_point(name, install_path(name), read_only=False) for name in filled),
        plan=tuple(line.text for line in lines if not line.is_own),
        own_plan=tuple(line.text for line in lines if line.is_own),
        plan_secrets=dict(sorted(secrets.items())),
        run=_by_container((pair for each in fragments for pair in each.run), scene.pod),
        launch_volumes=tuple(volume for each in fragments for volume in each.launch),
        storage=sum(each.storage for each in fragments),
        caveats=(
            *_about_tokens(lines, scene),
            *(caveat for each in fragments for caveat in each.caveats),
        ),
    )


def _by_container(pairs: Iterable[tuple[str, _T]], pod: Pod) -> dict[str, tuple[_T, ...]]:
    found: dict[str, list[_T]] = {each.name: [] for each in containers_of(pod)}
    for container, value in pairs:
        found[container].append(value)
    return {container: tuple(values) for container, values in found.items()}


def _about_tokens(lines: Iterable[Line], scene: Scene) -> Iterable[Reason]:
    """What of the pod's tokens is not as on a real node."""
    absent = sorted(token_volumes(scene.pod) & left_out(scene.pod, settings=scene.settings))
    if absent:
        message = (
            f"volume {', '.join(absent)} is left out: the bridge has no {named('bridge', 'helper_image')} to "
            "bring it with"
        )
        yield Reason("TokenVolumeLeftOut", message)
    ends = sorted(line.expires_at for line in lines if line.expires_at is not None)
    if ends:
        message = f"the service account's token is not refreshed: it expires at {ends[0]:%Y-%m-%dT%H:%M:%SZ}"
        yield Reason("TokenNotRefreshed", message)
