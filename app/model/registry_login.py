"""Logins of container registries: what image pull secrets hold, and which of it an image is pulled with.

https://kubernetes.io/docs/concepts/containers/images/#config-json
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Final
from urllib.parse import urlsplit

import msgspec

from app.model.image import RegistryLogin
from app.model.image_reference import DOCKER_HUB, ImageReference

__all__ = [
    "IDENTITY_TOKEN",
    "DockerConfigError",
    "RegistryLogin",
    "from_docker_cfg",
    "from_docker_config_json",
    "matching",
]

IDENTITY_TOKEN: Final = "<token>"  # noqa: S105  (a user's name by docker's convention)
"""The user of a login whose password is an identity token, which only a token server understands."""

_DEFAULT_KEY: Final = "index.docker.io"
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class DockerConfigError(ValueError):
    """The secret holds no docker configuration. The message never repeats anything that stands in it."""


class _Entry(msgspec.Struct, frozen=True):
    username: str = ""
    password: str = ""
    auth: str = ""
    identitytoken: str = ""


_Entries = dict[str, _Entry | None]


class _DockerConfig(msgspec.Struct, frozen=True):
    auths: _Entries | None = None


def from_docker_config_json(data: bytes) -> tuple[RegistryLogin, ...]:
    """The logins in a secret of type kubernetes.io/dockerconfigjson (its key `.dockerconfigjson`).

    Raises:
        DockerConfigError: it is no docker configuration.
    """
    try:
        config = msgspec.json.decode(data, type=_DockerConfig)
    except _UNREADABLE:
        raise _unreadable() from None
    return _logins(config.auths or {})


def from_docker_cfg(data: bytes) -> tuple[RegistryLogin, ...]:
    """The logins in a secret of type kubernetes.io/dockercfg (its key `.dockercfg`).

    Raises:
        DockerConfigError: it is no docker configuration.
    """
    try:
        entries = msgspec.json.decode(data, type=_Entries)
    except _UNREADABLE:
        raise _unreadable() from None
    return _logins(entries)


def matching(reference: ImageReference, logins: Iterable[RegistryLogin]) -> tuple[RegistryLogin, ...]:
    """The logins for an image, in the order in which a kubelet tries them.

    Longer paths come before shorter ones of the same host. Docker Hub's own entry (`https://index.docker.io/v1/`)
    counts where nothing else matches. Several logins of one registry keep their order: passwords rotate.
    """
    given = tuple(logins)
    found = [login for login in given if _covers(login.registry, reference.name)]
    if not found and reference.registry == DOCKER_HUB:
        found = [login for login in given if login.registry == _DEFAULT_KEY]
    return tuple(sorted(found, key=lambda login: login.registry, reverse=True))


def _logins(entries: Mapping[str, _Entry | None]) -> tuple[RegistryLogin, ...]:
    found = (_login(_key(location), entry) for location, entry in entries.items() if entry is not None)
    return tuple(login for login in found if login is not None)


def _login(registry: str, entry: _Entry) -> RegistryLogin | None:
    """None where the entry proves nothing: docker writes `{}` for what a credential helper keeps."""
    username, password = _pair(entry.auth, registry) if entry.auth else (entry.username, entry.password)
    if not password and entry.identitytoken:
        username, password = IDENTITY_TOKEN, entry.identitytoken
    return RegistryLogin(registry, username, password) if registry and (username or password) else None


def _pair(auth: str, registry: str) -> tuple[str, str]:
    packed = "".join(auth.split()).rstrip("=")
    padding = "=" * (-len(packed) % 4)
    try:
        text = base64.b64decode(packed + padding, validate=True).decode()
    except (binascii.Error, ValueError):
        text = ""
    username, colon, password = text.partition(":")
    if not colon:
        raise DockerConfigError(
            f"the auth of {registry!r} is not base64 of USERNAME:PASSWORD; "
            "make the secret anew with kubectl create secret docker-registry"
        )
    return username, password


def _key(location: str) -> str:
    """Where the entry counts; empty, as a kubelet ignores it, where the location is no address."""
    has_scheme = location.startswith(("https://", "http://"))
    try:
        url = urlsplit(location if has_scheme else f"https://{location}")
    except ValueError:
        return ""
    path = url.path[3:] if url.path.startswith(("/v1/", "/v2/")) else url.path
    return url.netloc.rpartition("@")[2] + ("" if path == "/" else path)


def _covers(key: str, name: str) -> bool:
    """Whether an entry is for the image: same port, each label of the host by glob, path by prefix."""
    key_host, key_path = _host_and_path(key)
    host, path = _host_and_path(name)
    if not path.startswith(key_path):
        return False
    if key_host == host:
        return True
    (labels, port), (own_labels, own_port) = _labels_and_port(key_host), _labels_and_port(host)
    return (
        port == own_port
        and len(labels) == len(own_labels)
        and all(_globs(*pair) for pair in zip(own_labels, labels, strict=True))
    )


def _globs(label: str, pattern: str) -> bool:
    return fnmatchcase(label, pattern.replace("[^", "[!"))


def _host_and_path(text: str) -> tuple[str, str]:
    host, slash, path = text.partition("/")
    return host, slash + path


def _labels_and_port(host: str) -> tuple[list[str], str]:
    name, colon, port = host.rpartition(":")
    return (name.split("."), port) if colon and port.isdigit() else (host.split("."), "")


def _unreadable() -> DockerConfigError:
    return DockerConfigError(
        "the secret holds no docker configuration (JSON of logins by registry); "
        "make it anew with kubectl create secret docker-registry"
    )
