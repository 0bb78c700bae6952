"""emptyDir volumes: on the task's disk, or in the memory of the one container that mounts them.

https://kubernetes.io/docs/concepts/storage/volumes/#emptydir and
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/bind-mounts.html
"""

from collections.abc import Iterable, Sequence
from typing import Final

from app.bridge.translation.containers.users import is_root
from app.bridge.translation.environment.downward import allocatable_of
from app.bridge.translation.scene import Scene
from app.bridge.translation.volumes.fragment import Fragment, Line, empty_volume, mount_point
from app.bridge.translation.volumes.mounts import Mount
from app.bridge.translation.volumes.written import folder_names, group_line, volume_group
from app.model.pod import Pod
from app.model.quantity import MIB, QuantityError, whole
from app.model.reason import Reason
from app.model.setting import named
from app.model.volume import EmptyDir
from app.model.wire import Json

_MEMORY: Final = "Memory"


def scratch(
    name: str,
    source: EmptyDir,
    *,
    mounts: Sequence[Mount],
    scene: Scene,
    field: str,
) -> Fragment | tuple[Reason, ...]:
    """The volume's share of the task, or why it cannot be.

    Where containers mount folders of it only, each folder is a volume of its own. Folders may not be shared
    with whoever mounts more of the volume, since ECS mounts whole volumes.

    Args:
        name: of the volume in the task.
        source: what the pod says of it.
        mounts: where it is mounted; none leaves it out.
        scene: the pod, what was found for it, and whether there is a helper.
        field: the volume's path in the pod.
    """
    reasons = (*_medium(source, field=field), *_overlaps(mounts))
    if reasons:
        return reasons
    alone = mounts[0] if len(mounts) == 1 else None
    in_memory = source.medium == _MEMORY and alone is not None and not alone.part
    try:
        limit = whole(source.size_limit or "0")
        if in_memory and alone is not None:
            return Fragment(tmpfs=((alone.container.name, _tmpfs(alone, limit=limit, pod=scene.pod)),))
    except QuantityError as error:
        return (Reason("InvalidQuantity", str(error), f"{field}.emptyDir.sizeLimit"),)
    names = folder_names(name, (each.part for each in mounts))
    used = dict.fromkeys(names[each.part] for each in mounts)
    writers = _writers(mounts, scene=scene)
    opened = False in writers or (None in writers and scene.settings.helper_image != "")
    return Fragment(
        volumes=tuple(empty_volume(each) for each in used),
        mounts=tuple(
            (each.container.name, mount_point(names[each.part], each.path, read_only=each.read_only))
            for each in mounts
        ),
        lines=tuple(
            line for each in used for line in _lines(each, opened=opened, gid=volume_group(scene.pod))
        ),
        storage=limit if mounts else 0,
        caveats=tuple(_caveats(name, source, mounts=mounts, is_for_root=None in writers and not opened)),
    )


def _medium(source: EmptyDir, *, field: str) -> Iterable[Reason]:
    if source.medium not in {"", _MEMORY}:
        message = f'Fargate has no medium "{source.medium}"; use "" or "{_MEMORY}"'
        yield Reason("VolumeMedium", message, f"{field}.emptyDir.medium")


def _overlaps(mounts: Sequence[Mount]) -> Iterable[Reason]:
    parts = {each.part for each in mounts}
    for each in mounts:
        if each.part and any(_is_above(other, each.part) for other in parts):
            message = (
                f"ECS mounts whole volumes, and {each.part} is mounted with more of the volume elsewhere; "
                "use a volume of its own for it"
            )
            yield Reason("SubPathShared", message, each.field)


def _is_above(outer: str, inner: str) -> bool:
    return not outer or inner.startswith(f"{outer}/")


def _tmpfs(mount: Mount, *, limit: int, pod: Pod) -> Json:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Tmpfs.html; `size` is in MiB."""
    size = limit or whole(allocatable_of(pod).get("memory", "0")) // 2
    options = ["ro" if mount.read_only else "rw", "exec"]
    return {"containerPath": mount.path, "size": max(-(-size // MIB), 1), "mountOptions": options}


def _lines(name: str, *, opened: bool, gid: int | None) -> tuple[Line, ...]:
    everybody = (Line(volume=name, text=f"mode {name} 777"),) if opened else ()
    return (*everybody, *group_line(name, gid=gid))


def _writers(mounts: Sequence[Mount], *, scene: Scene) -> frozenset[bool | None]:
    """Whether those who write to the volume are root.

    A kubelet lets everybody write, and ECS makes the folder for root alone. An image that is not known may
    name another user: that is met where there is a helper, and said where there is none.
    """
    return frozenset(is_root(each.container, scene=scene) for each in mounts if not each.read_only)


def _caveats(name: str, source: EmptyDir, *, mounts: Sequence[Mount], is_for_root: bool) -> Iterable[Reason]:
    if mounts and source.medium == _MEMORY:
        message = f"volume {name} is on disk, since memory cannot be shared between containers on Fargate"
        yield Reason("MemoryVolumeOnDisk", message)
    if is_for_root:
        message = (
            f"only root can write to volume {name}, since the bridge has no "
            f"{named('bridge', 'helper_image')} to open it with"
        )
        yield Reason("VolumeForRootOnly", message)
