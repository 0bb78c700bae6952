"""Volumes of files as volumes of a task, which `spillway-install` fills before the containers start."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from app.bridge.translation.containers.users import is_root
from app.bridge.translation.scene import Scene
from app.bridge.translation.volumes.files import File
from app.bridge.translation.volumes.fragment import (
    Fragment,
    Line,
    empty_volume,
    encoded,
    install_path,
    mount_point,
    part_name,
)
from app.bridge.translation.volumes.mounts import Mount, absolute
from app.bridge.translation.volumes.projection import projected
from app.fargate.rights import has_read_only_root
from app.model.pod import Pod
from app.model.reason import Reason
from app.model.wire import Json

_READABLE: Final = 0o444
_MOUNT_POINT: Final = ".mounted"


def written(
    name: str, files: Mapping[str, File], *, mounts: Sequence[Mount], scene: Scene
) -> Fragment | tuple[Reason, ...]:
    """The volume's share of the task, or why one of its files cannot be where a container wants it.

    A folder of the volume becomes a volume of its own. A single file is copied into the container at its
    start, which takes the right to write there.

    Args:
        name: of the volume in the task.
        files: all that the volume holds, by path.
        mounts: where it is mounted; none leaves it out.
        scene: the pod and what was found for it.
    """
    reasons = tuple(reason for each in mounts for reason in _refusals(each, files=files, scene=scene))
    if reasons:
        return reasons
    placed = [each for each in mounts if each.part in files]
    names = folder_names(name, (each.part for each in mounts if each.part not in files))
    contents = _with_mount_points(_contents(name, files, names=names, placed=placed), mounts, names=names)
    gid = volume_group(scene.pod)
    return Fragment(
        volumes=tuple(empty_volume(each) for each in contents),
        mounts=tuple(_points(name, mounts, names=names)),
        lines=tuple(line for each, inside in contents.items() for line in _lines(each, inside, gid=gid)),
        run=tuple((each.container.name, _place(name, each)) for each in placed),
    )


def volume_group(pod: Pod) -> int | None:
    """The group that owns the pod's volumes.

    https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
    """
    context = pod.spec.security_context
    return context.fs_group if context is not None else None


def group_line(name: str, *, gid: int | None) -> tuple[Line, ...]:
    """The line that gives a volume to the group, if there is one."""
    return () if gid is None else (Line(volume=name, text=f"group {name} {gid}"),)


def folder_names(name: str, parts: Iterable[str]) -> dict[str, str]:
    """Part → the task's volume for it, numbered by first use; the whole volume keeps its name."""
    asked = dict.fromkeys(parts)
    numbers = {part: number for number, part in enumerate((each for each in asked if each), start=1)}
    return {part: part_name(name, numbers[part]) if part else name for part in asked}


def _contents(
    name: str, files: Mapping[str, File], *, names: Mapping[str, str], placed: Iterable[Mount]
) -> dict[str, tuple[File, ...]]:
    """Volume of the task → its files; what is only copied from needs no other file."""
    copied = {each.part for each in placed}
    base = {name: tuple(files[path] for path in sorted(copied))} if copied else {}
    return base | {
        folder: _below(part, files.values()) if part else tuple(files.values())
        for part, folder in names.items()
    }


def _with_mount_points(
    contents: Mapping[str, tuple[File, ...]], mounts: Iterable[Mount], *, names: Mapping[str, str]
) -> dict[str, tuple[File, ...]]:
    """The contents with the folders in which a container mounts something else: nobody can make them later.

    Kubelet makes them as well. Each gets an empty file, which whatever is mounted there hides.
    """
    made = {name: {each.path: each for each in inside} for name, inside in contents.items()}
    for mount in mounts:
        inside = made[names[mount.part]] if mount.part in names else {}
        for folder in _mounted_below(mount):
            if folder not in inside and not any(path.startswith(f"{folder}/") for path in inside):
                path = f"{folder}/{_MOUNT_POINT}"
                inside[path] = File(path=path, mode=_READABLE, source="text:-")
    return {name: tuple(inside.values()) for name, inside in made.items()}


def _mounted_below(mount: Mount) -> list[str]:
    """Where the container mounts something inside this mount, relative to it."""
    paths = {absolute(each.mount_path) for each in mount.container.volume_mounts}
    return sorted(path.removeprefix(f"{mount.path}/") for path in paths if path.startswith(f"{mount.path}/"))


def _below(part: str, files: Iterable[File]) -> tuple[File, ...]:
    inside = [each for each in files if each.path.startswith(f"{part}/")]
    return tuple(msgspec.structs.replace(each, path=each.path[len(part) + 1 :]) for each in inside)


def _lines(name: str, files: Iterable[File], *, gid: int | None) -> tuple[Line, ...]:
    written_lines = [
        Line(
            volume=name,
            text=f"file {name} {encoded(each.path)} {each.mode:o} {_owner(each)} - {each.source}",
            is_own=each.is_own,
            key=each.key,
            is_sealed=each.is_sealed,
            expires_at=each.expires_at,
        )
        for each in files
    ]
    return (*written_lines, *group_line(name, gid=gid))


def _owner(file: File) -> str:
    return "-" if file.uid is None else str(file.uid)


def _points(name: str, mounts: Iterable[Mount], *, names: Mapping[str, str]) -> Iterable[tuple[str, Json]]:
    """A kubelet mounts all of these read-only. The source of copies is mounted once in each container."""
    sources = set()
    for each in mounts:
        container = each.container.name
        if each.part in names:
            yield container, mount_point(names[each.part], each.path, read_only=True)
        elif container not in sources:
            sources.add(container)
            yield container, mount_point(name, install_path(name), read_only=True)


def _place(name: str, mount: Mount) -> str:
    """The copy keeps owner and mode."""
    return f"place {encoded(f'{install_path(name)}/{mount.part}')} {encoded(mount.path)} -"


def _refusals(mount: Mount, *, files: Mapping[str, File], scene: Scene) -> Iterable[Reason]:
    if mount.is_own:
        message = "a folder for each pod would take a task definition for each; mount the whole volume"
        yield Reason("SubPathOfPod", message, mount.field)
    if mount.part not in files:
        return
    mend = "mount the whole volume (or a folder of it) at a folder of its own instead"
    if is_root(mount.container, scene=scene) is False:
        message = f"a single file is copied in, which only a container that runs as root can do; {mend}"
        yield Reason("SubPathFile", message, mount.field)
    elif not _is_writable(mount, pod=scene.pod):
        message = f"a single file is copied in, and the container cannot write there; {mend}"
        yield Reason("SubPathFile", message, mount.field)


def _is_writable(mount: Mount, *, pod: Pod) -> bool:
    """Whether a file can be made at the mount's path: in another volume, or in the container's root."""
    others = {absolute(each.mount_path): each for each in mount.container.volume_mounts}
    above = [path for path in others if mount.path.startswith(f"{path}/")]
    if not above:
        return not has_read_only_root(mount.container)
    nearest = others[max(above, key=len)]
    filled = {each.name for each in pod.spec.volumes if projected(each) is not None}
    return not nearest.read_only and nearest.name not in filled
