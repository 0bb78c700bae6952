"""The files of ConfigMap, Secret, downward API and projected volumes, with kubelet's rules.

https://kubernetes.io/docs/concepts/storage/volumes/ and
https://kubernetes.io/docs/concepts/storage/projected-volumes/
"""

import posixpath
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

import msgspec

from app.bridge.translation.environment import sources
from app.bridge.translation.environment.downward import (
    SHARED_FIELDS,
    allocatable_of,
    field_value,
    resource_value,
)
from app.bridge.translation.injected import containers_of
from app.bridge.translation.material import Material, StoredKey, TokenWish, Unready
from app.bridge.translation.problems import Problem, judged
from app.bridge.translation.scene import Scene
from app.bridge.translation.volumes.fragment import encoded, variable_of
from app.bridge.translation.volumes.projection import projected
from app.fargate.caveat_rules import INJECTED_TOKEN_SECONDS
from app.fargate.rights import user_of
from app.model.container import ResourceFieldRef
from app.model.pod import Pod
from app.model.quantity import QuantityError
from app.model.reason import Reason
from app.model.volume import (
    DownwardFile,
    KeyToPath,
    ProjectedObject,
    ProjectedToken,
    ProjectedVolume,
    Projection,
    Volume,
)

_TOKEN_MODE: Final = 0o600
_LONGEST_PATH, _LONGEST_NAME = 4096, 255


class File(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a volume.

    Attributes:
        path: within the volume, clean.
        source: what the helper's instruction `file` takes (helper/README.md).
        is_own: whether the content is this pod's alone.
        key: where the value is kept that the source names a variable of.
        uid: its owner; None is root.
        is_sealed: whether only the helper can read the source.
        expires_at: of a token that has to be renewed before long.
    """

    path: str
    mode: int
    source: str
    is_own: bool = False
    key: StoredKey | None = None
    uid: int | None = None
    is_sealed: bool = False
    expires_at: datetime | None = None


class _Place(msgspec.Struct, frozen=True, kw_only=True):
    """Whose files are made; `field` is the volume's path in the pod."""

    pod: Pod
    material: Material
    volume: str
    field: str
    default_mode: int


_Found = File | Problem


def files_of(
    volume: Volume, *, scene: Scene, field: str
) -> Mapping[str, File] | Unready | tuple[Reason, ...]:
    """Every file of the volume by its path, sorted; of two with one path, the later source's.

    Args:
        volume: one that is made of files (`app.bridge.translation.volumes.projection`).
        scene: the pod and what was found for it.
        field: the volume's path in the pod, as `spec.volumes[0]`.
    """
    whole = projected(volume) or ProjectedVolume()
    place = _Place(
        pod=scene.pod,
        material=scene.material,
        volume=volume.name,
        field=field,
        default_mode=whole.default_mode,
    )
    found = [file for source in whole.sources for file in _of_source(source, place)]
    files = {each.path: each for each in found if isinstance(each, File)}
    problems: list[Problem] = [each for each in found if not isinstance(each, File)]
    problems.extend(_unfit(files, place))
    return judged(problems) or dict(sorted(files.items()))


def _of_source(source: Projection, place: _Place) -> Iterable[_Found]:
    if source.config_map is not None:
        return _of_object("configmap", source.config_map, place)
    if source.secret is not None:
        return _of_object("secret", source.secret, place)
    if source.downward_api is not None:
        return [_of_field(each, place) for each in source.downward_api.items]
    if source.service_account_token is not None:
        return [_of_token(source.service_account_token, place)]
    message = "this projection does not reach Fargate; remove it from the volume's sources"
    return [Reason("Volume", message, f"{place.field}.projected.sources")]


def _of_object(kind: sources.Kind, wanted: ProjectedObject, place: _Place) -> Iterable[_Found]:
    found = sources.entries(kind, wanted.name, material=place.material)
    if found is None and not wanted.optional:
        return [sources.unmounted(place.volume, sources.not_found(kind, wanted.name))]
    there = found or {}
    items = wanted.items or tuple(KeyToPath(key=key, path=key) for key in there)
    missing = () if wanted.optional else [each.key for each in items if each.key not in there]
    if missing:
        return [sources.unmounted(place.volume, sources.no_key_for_file(kind, missing[0]))]
    return [_file_of(there[each.key], each, place) for each in items if each.key in there]


def _file_of(value: sources.Value, item: KeyToPath, place: _Place) -> File:
    path = _clean(item.path)
    mode = place.default_mode if item.mode is None else item.mode
    if not isinstance(value, StoredKey):
        return File(path=path, mode=mode, source=f"text:{encoded(value)}")
    way = "env64" if value.encoded else "env"
    return File(path=path, mode=mode, source=f"{way}:{variable_of(value)}", key=value)


def _of_field(item: DownwardFile, place: _Place) -> _Found:
    mode = place.default_mode if item.mode is None else item.mode
    path = _clean(item.path)
    if item.resource_field_ref is not None:
        told = _told_resource(item.resource_field_ref, place)
        return (
            told if isinstance(told, Reason) else File(path=path, mode=mode, source=f"text:{encoded(told)}")
        )
    field = item.field_ref.field_path if item.field_ref is not None else ""
    value = field_value(place.pod, field) if field.startswith("metadata.") else None
    if value is None:
        message = f"{path}: a file can tell of metadata, not of {field or 'nothing'}; use a variable"
        return Reason("DownwardField", message, place.field)
    is_own = field not in SHARED_FIELDS
    return File(path=path, mode=mode, source=f"text:{encoded(value)}", is_own=is_own)


def _told_resource(reference: ResourceFieldRef, place: _Place) -> str | Reason:
    try:
        value = resource_value(reference, pod=place.pod, allocatable=allocatable_of(place.pod))
    except QuantityError as error:
        return Reason("InvalidQuantity", str(error), place.field)
    if value is not None:
        return value
    message = f'container "{reference.container_name}" has no {reference.resource}; name another resource'
    return Reason("UnknownResource", message, place.field)


def _of_token(wanted: ProjectedToken, place: _Place) -> _Found:
    token = place.material.tokens.get(TokenWish(wanted.audience, wanted.expiration_seconds))
    if token is None or not place.material.seal_key:
        account = place.pod.spec.service_account_name or "default"
        why = f'serviceaccounts "{account}" not found' if place.material.account is None else "no answer yet"
        return sources.unmounted(place.volume, f"failed to fetch token: {why}")
    owner, context = _single_user(place.pod), place.pod.spec.security_context
    is_guarded = owner is not None or (context is not None and context.fs_group is not None)
    return File(
        path=_clean(wanted.path),
        mode=_TOKEN_MODE if is_guarded else place.default_mode,
        source=f"sealed:{token.sealed}",
        is_own=True,
        uid=owner,
        is_sealed=True,
        expires_at=token.expires_at if wanted.expiration_seconds != INJECTED_TOKEN_SECONDS else None,
    )


def _single_user(pod: Pod) -> int | None:
    """The user that all containers ask for, if they agree on one: a token is theirs alone."""
    asked = {user_of(each, pod) for each in containers_of(pod)}
    return asked.pop() if len(asked) == 1 else None


def _clean(path: str) -> str:
    """The path without detours; one that steps back is left as it is, to be refused."""
    return path if ".." in path.split("/") else posixpath.normpath(path)


def _unfit(files: Mapping[str, File], place: _Place) -> Iterable[Reason]:
    """A kubelet's rules for paths, and paths that are a file and a folder at once."""
    for path in files:
        names = path.split("/")
        if path in {"", "."} or path.startswith("/") or names[0].startswith("..") or ".." in names:
            yield Reason("FilePath", f'"{path}" must be a path inside the volume; change it', place.field)
        elif len(path) > _LONGEST_PATH or any(len(name.encode()) > _LONGEST_NAME for name in names):
            yield Reason("FilePath", f"{names[-1][:20]}… is too long for a file's name", place.field)
        if any(f"{path}/" == other[: len(path) + 1] for other in files):
            yield Reason("FilePath", f'"{path}" is a file and a folder; change one of them', place.field)
