"""What one volume contributes to a task; `brought` puts all of them together."""

import base64
import hashlib
from datetime import datetime
from typing import Final

import msgspec

from app.bridge.translation.environment.variables import VALUE_PREFIX
from app.bridge.translation.injected import token_volumes
from app.bridge.translation.material import StoredKey
from app.model.names import HELPER_VOLUME
from app.model.pod import Pod
from app.model.reason import Reason
from app.model.wire import Json

ROOT: Final = f"/{HELPER_VOLUME}"
"""Where the helper's own volume is mounted (helper/README.md)."""

_TOKEN_NAME: Final = "kube-api-access_"  # noqa: S105  (a volume's name, not a secret)


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the plan that `spillway-install` carries out.

    Attributes:
        volume: the task's volume that it is about.
        is_own: whether it holds what is this pod's alone.
        is_sealed: whether it takes the seal's key to read its value.
        key: where the value is kept that the line takes from a variable.
        expires_at: of a token that has to be renewed before long.
    """

    text: str
    volume: str
    is_own: bool = False
    is_sealed: bool = False
    key: StoredKey | None = None
    expires_at: datetime | None = None


class Fragment(msgspec.Struct, frozen=True, kw_only=True):
    """One volume's share of a task, in AWS's own field names; pairs begin with the container's name.

    Attributes:
        volumes: of the definition.
        mounts: mount points.
        tmpfs: `linuxParameters.tmpfs`.
        lines: of the install plan, in the order in which they are to be carried out.
        run: lines of a container's `SPILLWAY_RUN`.
        launch: RunTask's `volumeConfigurations`.
        storage: bytes of the task's disk that the pod wants for it.
        caveats: what runs differently from a real node, with the reason of its Event as code.
    """

    volumes: tuple[Json, ...] = ()
    mounts: tuple[tuple[str, Json], ...] = ()
    tmpfs: tuple[tuple[str, Json], ...] = ()
    lines: tuple[Line, ...] = ()
    run: tuple[tuple[str, str], ...] = ()
    launch: tuple[Json, ...] = ()
    storage: int = 0
    caveats: tuple[Reason, ...] = ()


def task_names(pod: Pod) -> dict[str, str]:
    """The task's name for each volume of the pod: its own, unless that is random or the helper's.

    Names of the pod have no underscore, so what is made here with one is never taken.
    """
    names: dict[str, str] = {}
    random = token_volumes(pod)
    for each in pod.spec.volumes:
        if each.name in random:
            taken = sum(name.startswith(_TOKEN_NAME) for name in names.values())
            names[each.name] = f"{_TOKEN_NAME}{taken or ''}"
        else:
            names[each.name] = f"{each.name}_" if each.name == HELPER_VOLUME else each.name
    return names


def part_name(volume: str, number: int) -> str:
    """The task's name for a folder of a volume that became a volume of its own."""
    return f"{volume}_{number}"


def empty_volume(name: str) -> Json:
    """A volume of the definition that begins empty, on the task's disk."""
    return {"name": name, "host": {}}


def mount_point(volume: str, path: str, *, read_only: bool) -> Json:
    """Where a container sees a volume."""
    return {"sourceVolume": volume, "containerPath": path, "readOnly": read_only}


def install_path(volume: str) -> str:
    """Where the helper sees a volume of the task."""
    return f"{ROOT}/volumes/{volume}"


def variable_of(key: StoredKey) -> str:
    """The variable of `spillway-install` that brings the value: equal names mean equal places."""
    return f"{VALUE_PREFIX}{hashlib.sha256(key.value_from.encode()).hexdigest()[:16].upper()}"


def encoded(value: str | bytes) -> str:
    """A field `B64` of the helper's lines."""
    raw = value.encode() if isinstance(value, str) else value
    return base64.b64encode(raw).decode() or "-"
