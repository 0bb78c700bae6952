"""Where the pod's containers mount its volumes, with kubelet's rules for paths and parts."""

import posixpath
from collections.abc import Mapping

import msgspec

from app.bridge.translation.environment import sources
from app.bridge.translation.environment.expansion import (
    Text,
    TextTooLongError,
    expanded,
    is_late,
    is_own,
    plain,
    references,
    text_of,
)
from app.bridge.translation.environment.variables import variables_of
from app.bridge.translation.injected import left_out
from app.bridge.translation.material import Unready
from app.bridge.translation.problems import Problem
from app.bridge.translation.scene import Scene
from app.bridge.translation.volumes.fragment import ROOT
from app.fargate.rights import all_containers
from app.model.container import Container, VolumeMount
from app.model.reason import Reason


class Mount(msgspec.Struct, frozen=True, kw_only=True):
    """One volume in one container.

    Attributes:
        path: absolute and clean.
        part: the file or folder of the volume that is mounted, clean; empty for the whole volume.
        is_own: whether the part's name is this pod's alone.
        field: the mount's path in the pod.
    """

    container: Container
    volume: str
    path: str
    part: str
    is_own: bool
    read_only: bool
    field: str


def mounts_of(scene: Scene) -> tuple[Mount | Problem, ...]:
    """Every mount of a volume that the task gets, in the order of the pod, or what is in its way."""
    gone = left_out(scene.pod, settings=scene.settings)
    known = {volume.name for volume in scene.pod.spec.volumes}
    found: list[Mount | Problem] = []
    for path, container in all_containers(scene.pod):
        for index, mount in enumerate(container.volume_mounts):
            field = f"{path}.volumeMounts[{index}]"
            if mount.name not in known:
                message = f'the pod has no volume "{mount.name}"; add it, or remove the mount'
                found.append(Reason("UnknownVolume", message, field))
            elif mount.name not in gone:
                found.append(_mount(mount, scene, container=container, path=path, field=field))
    return tuple(found)


def absolute(path: str) -> str:
    """The path from the root on, clean, as a kubelet mounts it."""
    return posixpath.normpath(f"/{path.lstrip('/')}")


def _mount(
    mount: VolumeMount, scene: Scene, *, container: Container, path: str, field: str
) -> Mount | Problem:
    where = absolute(mount.mount_path)
    if where == ROOT or where.startswith(f"{ROOT}/"):
        message = f"{ROOT} is where the in-task helper lives; mount elsewhere"
        return Reason("ReservedMountPath", message, f"{field}.mountPath")
    named: Text | Problem = text_of(mount.sub_path)
    if mount.sub_path_expr:
        values = variables_of(container, scene=scene, field=path)
        named = _expanded_part(mount.sub_path_expr, values, field=f"{field}.subPathExpr")
    if not isinstance(named, tuple):
        return named
    clean = posixpath.normpath(plain(named)) if named else ""
    return _unfit(plain(named), field=field) or Mount(
        container=container,
        volume=mount.name,
        path=where,
        part="" if clean == "." else clean,
        is_own=is_own(named),
        read_only=mount.read_only,
        field=field,
    )


def _expanded_part(
    expression: str, values: Mapping[str, Text] | Unready | tuple[Reason, ...], *, field: str
) -> Text | Problem:
    """A subPathExpr with the container's variables in it, all of which must have a value."""
    if not isinstance(values, Mapping):
        return values if isinstance(values, Unready) else values[0]
    missing = sorted(name for name in references(expression) if not values.get(name))
    if missing:
        return sources.unset(f"missing value for {', '.join(missing)}")
    try:
        named = expanded(expression, values.get)
    except TextTooLongError as error:
        return Reason("SubPath", f"subPathExpr {error}; shorten it", field)
    if is_late(named):
        message = "a volume is mounted before its Secret or the pod's address is known; use other variables"
        return Reason("SubPathUnknownBeforeLaunch", message, field)
    return named


def _unfit(part: str, *, field: str) -> Reason | None:
    if part.startswith("/"):
        return Reason("SubPath", f"subPath {part} must not be an absolute path", field)
    if ".." in part.split("/"):
        return Reason("SubPath", f"subPath {part} must not contain '..'", field)
    return None
