"""Manifests and indexes: which platform's manifest to take, and where its configuration is.

https://github.com/opencontainers/image-spec/blob/main/manifest.md
https://github.com/opencontainers/image-spec/blob/main/image-index.md
"""

from typing import Final

import msgspec

from app.registry.digests import is_digest
from app.registry.wire import WireError, read

OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
DOCKER_LIST: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
ACCEPT: Final = f"{OCI_INDEX}, {DOCKER_LIST}, {OCI_MANIFEST}, {DOCKER_MANIFEST}"

_INDEXES: Final = frozenset({OCI_INDEX, DOCKER_LIST})
_MANIFESTS: Final = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
_SCHEMA_1: Final = frozenset(
    {
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
    }
)
_CONFIGS: Final = frozenset(
    {
        "application/vnd.oci.image.config.v1+json",
        "application/vnd.docker.container.image.v1+json",
        # Some old clients pushed images so: https://github.com/distribution/distribution/issues/1621
        "application/octet-stream",
        "",
    }
)
_ALIASES: Final = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64"}
_ABSENT: Final = msgspec.Raw(b"null")
_PLAIN_VARIANTS: Final = {"amd64": ("", "v1"), "arm64": ("", "v8", "8")}


class ManifestError(ValueError):
    """The document describes no image that a container can be started from."""


class NoPlatformError(LookupError):
    """The image is there, but not for this platform."""


class Platform(msgspec.Struct, frozen=True):
    """Where a manifest's image runs, in Go's words."""

    architecture: str = ""
    os: str = ""
    variant: str = ""


class Descriptor(msgspec.Struct, frozen=True, rename="camel"):
    """A pointer to content in the same repository; `size` in bytes."""

    digest: str
    size: int
    media_type: str = ""
    platform: Platform | None = None


class Index(msgspec.Struct, frozen=True):
    """An image for several platforms."""

    manifests: tuple[Descriptor, ...]


class Manifest(msgspec.Struct, frozen=True):
    """An image for one platform."""

    config: Descriptor


class _Document(msgspec.Struct, frozen=True, rename="camel"):
    schema_version: int = 0
    media_type: str = ""
    config: Descriptor | None = None
    manifests: tuple[Descriptor, ...] | None = None
    layers: msgspec.Raw = _ABSENT
    fs_layers: msgspec.Raw = _ABSENT


def decoded(body: bytes, *, content_type: str) -> Index | Manifest:
    """What a registry answered for a manifest.

    Args:
        body: the document.
        content_type: the answer's Content-Type; counts where the document does not name its own type.

    Raises:
        ManifestError: it is neither, or claims to be both.
    """
    try:
        document = read(body, _Document)
    except WireError as error:
        raise ManifestError(f"the registry's answer is no image manifest ({error})") from error
    kind = document.media_type or content_type.partition(";")[0].strip().lower()
    if kind in _SCHEMA_1 or document.schema_version == 1 or document.fs_layers != _ABSENT:
        raise ManifestError(
            "the image has a manifest of Docker's retired schema 1; push it with a newer client"
        )
    match document:
        case _Document(manifests=tuple() as manifests, config=None, layers=layers) if (
            kind not in _MANIFESTS and layers == _ABSENT
        ):
            return Index(_checked(manifests))
        case _Document(manifests=None, config=Descriptor() as config) if kind not in _INDEXES:
            return Manifest(_image_config(config))
        case _:
            raise ManifestError(f"a document of type {kind or 'unknown'} is neither an image nor an index")


def chosen(index: Index, *, architecture: str) -> Descriptor:
    """The index's entry for Linux on the architecture: the first of those that name it without a variant.

    Entries without a platform are taken where nothing else is: their configuration tells.

    Raises:
        NoPlatformError: there is none; the message names those that there are.
    """
    images = [each for each in index.manifests if each.media_type in _INDEXES | _MANIFESTS | {""}]
    for each in images:
        if each.platform is not None and _suits(each.platform, architecture):
            return each
    for each in images:
        if each.platform is None:
            return each
    there = sorted({_named(each.platform) for each in images if each.platform is not None})
    raise NoPlatformError(
        f"the image is not for linux/{architecture}, only for {', '.join(there) or 'no platform'}; "
        "select another kubernetes.io/arch, or push an image for this one"
    )


def go_architecture(name: str) -> str:
    """The architecture in Go's words, whichever tool built the image."""
    return _ALIASES.get(name.lower(), name.lower())


def _suits(platform: Platform, architecture: str) -> bool:
    return (
        platform.os.lower() == "linux"
        and go_architecture(platform.architecture) == architecture
        and platform.variant.lower() in _PLAIN_VARIANTS[architecture]
    )


def _named(platform: Platform) -> str:
    return "/".join(filter(None, (platform.os, platform.architecture, platform.variant)))[:40]


def _image_config(config: Descriptor) -> Descriptor:
    if config.media_type not in _CONFIGS:
        raise ManifestError(
            f"it is no container image: its configuration is of type {config.media_type[:100]}"
        )
    return _checked((config,))[0]


def _checked(descriptors: tuple[Descriptor, ...]) -> tuple[Descriptor, ...]:
    """The descriptors; their digests become part of URLs, so nothing but a digest may stand there."""
    for each in descriptors:
        if not is_digest(each.digest):
            raise ManifestError(f"the image's manifest holds {each.digest[:100]!r} where a digest belongs")
    return descriptors
