"""Rules about mounts: each names a volume of the pod, and which parts of a volume can be mounted alone."""

import posixpath
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from app.fargate.rights import ROOT, all_containers, forbids_root, has_read_only_root, user_of
from app.model.container import Container, VolumeMount
from app.model.names import HELPER_VOLUME
from app.model.pod import Pod
from app.model.reason import Reason
from app.model.volume import ConfigMapVolume, ProjectedObject, SecretVolume, Volume

_HELPER: Final = f"/{HELPER_VOLUME}"
_PLACED: Final = "copied in by root only; mount the volume"
_SHARED: Final = "ECS cannot share parts; use two volumes"
_WHOLE: Final = "ECS mounts the whole disk; remove it, or use an emptyDir"


class _Mounted(msgspec.Struct, frozen=True):
    """One mount, with where it stands and who has it."""

    mount: VolumeMount
    container: Container
    path: str

    @property
    def part(self) -> str:
        """What of the volume is mounted, clean; empty for all of it."""
        part = self.mount.sub_path or self.mount.sub_path_expr
        return posixpath.normpath(part) if part else ""

    @property
    def field(self) -> str:
        """The path of the field that names the part."""
        return f"{self.path}.subPath{'Expr' if self.mount.sub_path_expr else ''}"


def unknown_volumes(pod: Pod) -> Iterable[Reason]:
    """Mounts of a volume that the pod has not."""
    known = {volume.name for volume in pod.spec.volumes}
    for each in _mounts(pod):
        if each.mount.name not in known:
            message = f'the pod has no volume "{each.mount.name}"; add it'
            yield Reason("UnknownVolume", message, each.path)


def is_reserved(mount_path: str) -> bool:
    """Whether the in-task helper lives there (helper/README.md)."""
    path = posixpath.normpath(f"/{mount_path.lstrip('/')}")
    return path == _HELPER or path.startswith(f"{_HELPER}/")


def sub_paths(pod: Pod) -> Iterable[Reason]:
    """Mounts of a part of a volume that ECS cannot mount and the helper cannot place.

    Parts of a PersistentVolumeClaim, and those that `$(VAR)` names, are judged at launch.
    """
    volumes = {volume.name: volume for volume in pod.spec.volumes}
    mounts = tuple(_mounts(pod))
    for each in mounts:
        volume = volumes.get(each.mount.name)
        if not each.part or volume is None:
            continue
        if _explicit_paths(volume) is not None:
            yield from _of_files(each, volume, pod=pod)
        elif volume.ephemeral is not None:
            yield Reason("SubPathOfDisk", _WHOLE, each.field)
        elif volume.persistent_volume_claim is None:
            yield from _of_scratch(each, mounts)


def _mounts(pod: Pod) -> Iterator[_Mounted]:
    for path, container in all_containers(pod):
        for index, mount in enumerate(container.volume_mounts):
            yield _Mounted(mount, container, f"{path}.volumeMounts[{index}]")


def _of_files(each: _Mounted, volume: Volume, *, pod: Pod) -> Iterable[Reason]:
    """A folder of the volume becomes a volume of its own; a single file is copied in at the start."""
    if not _is_file(each.part, volume):
        return
    user = user_of(each.container, pod)
    is_other = user != ROOT if user is not None else forbids_root(each.container, pod)
    if is_other or (has_read_only_root(each.container) and not _is_below_a_mount(each)):
        yield Reason("SubPathFile", _PLACED, each.field)


def _is_file(part: str, volume: Volume) -> bool:
    """Whether the part is a single file for certain, if it is there at all: keys hold no slash."""
    named = _explicit_paths(volume) or frozenset()
    if part in named:
        return True
    is_folder = any(path.startswith(f"{part}/") for path in named)
    return _has_every_key(volume) and not is_folder and "/" not in part and "$(" not in part


def _is_below_a_mount(each: _Mounted) -> bool:
    """Whether the file goes into another volume of the container, which may be written to."""
    others = (other.mount_path.rstrip("/") for other in each.container.volume_mounts)
    return any(each.mount.mount_path.startswith(f"{other}/") for other in others)


def _explicit_paths(volume: Volume) -> frozenset[str] | None:
    """The files that the volume names; None where the helper writes none of its files."""
    sources = _sources(volume)
    if not sources:
        return None
    return frozenset(item.path for source in sources for item in getattr(source, "items", ()))


def _has_every_key(volume: Volume) -> bool:
    """Whether an object's keys become files without being named."""
    objects = (ConfigMapVolume, SecretVolume, ProjectedObject)
    return any(isinstance(source, objects) and not source.items for source in _sources(volume))


def _sources(volume: Volume) -> tuple[object, ...]:
    """What the helper makes the volume's files of."""
    projections = volume.projected.sources if volume.projected is not None else ()
    found: list[object] = [volume.config_map, volume.secret, volume.downward_api]
    for each in projections:
        found += [each.config_map, each.secret, each.downward_api, each.service_account_token]
    return tuple(source for source in found if source is not None)


def _of_scratch(each: _Mounted, mounts: tuple[_Mounted, ...]) -> Iterable[Reason]:
    others = (other.part for other in mounts if other.mount.name == each.mount.name)
    if any(_holds(other, each.part) for other in others):
        yield Reason("SubPathShared", _SHARED, each.field)


def _holds(outer: str, inner: str) -> bool:
    """Whether the outer part holds the inner one without being it; what `$(VAR)` stands for is not known."""
    return not outer or ("$(" not in outer + inner and inner.startswith(f"{outer}/"))
