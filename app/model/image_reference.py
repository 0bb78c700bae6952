"""The names of images, read as container runtimes read them.

https://pkg.go.dev/github.com/distribution/reference
"""

import re
from typing import Final

import msgspec

DOCKER_HUB: Final = "docker.io"

_LEGACY_HUB: Final = "index.docker.io"
_DEFAULT_TAG: Final = "latest"
_LONGEST_TEXT: Final = 1024
_LONGEST_REPOSITORY: Final = 255

_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST: Final = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[A-Fa-f0-9:]+\])(?::[0-9]+)?"
_COMPONENT: Final = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REFERENCE: Final = re.compile(
    rf"(?P<registry>{_HOST})/(?P<repository>{_COMPONENT}(?:/{_COMPONENT})*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    r"(?:@(?P<digest>sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128}))?"
)
_IDENTIFIER: Final = re.compile(r"[a-f0-9]{64}")


class ImageNameError(ValueError):
    """The text names no image; a kubelet calls that InvalidImageName."""


class ImageReference(msgspec.Struct, frozen=True, kw_only=True):
    """An image's whole name. Either the tag or the digest may be empty, not both; a digest outranks a tag.

    `registry` is `HOST[:PORT]` as written, `docker.io` for Docker Hub whatever it was written like.
    """

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        """`REGISTRY/REPOSITORY`: what a login is looked up for."""
        return f"{self.registry}/{self.repository}"

    @property
    def pointer(self) -> str:
        """What to ask the registry for: the digest, or else the tag."""
        return self.digest or self.tag

    @property
    def text(self) -> str:
        """The canonical text, which `parsed` reads back to an equal value."""
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return self.name + tag + digest


def parsed(text: str) -> ImageReference:
    """The reference with everything in it that the text leaves out: `docker.io`, `library/`, `:latest`.

    Raises:
        ImageNameError: it is none.
    """
    if len(text) > _LONGEST_TEXT:
        raise ImageNameError(f"image name {text[:80]!r}... is longer than {_LONGEST_TEXT} characters")
    if _IDENTIFIER.fullmatch(text):
        raise ImageNameError(f"image name {text!r} is the id of an image; write REPOSITORY@sha256:{text}")
    found = _REFERENCE.fullmatch("/".join(_split(text)))
    if found is None:
        raise ImageNameError(
            f"image name {text!r} is not of the form [REGISTRY/]REPOSITORY[:TAG][@DIGEST]{_hint(text)}"
        )
    if len(found["repository"]) > _LONGEST_REPOSITORY:
        raise ImageNameError(f"image name {text!r}: its repository exceeds {_LONGEST_REPOSITORY} characters")
    digest = found["digest"] or ""
    tag = found["tag"] or ("" if digest else _DEFAULT_TAG)
    return ImageReference(registry=found["registry"], repository=found["repository"], tag=tag, digest=digest)


def _split(text: str) -> tuple[str, str]:
    """The registry and the rest; the first part is a registry where it cannot be a user of Docker Hub."""
    first, slash, rest = text.partition("/")
    if not slash or not _is_host(first):
        first, rest = DOCKER_HUB, text
    if first == _LEGACY_HUB:
        first = DOCKER_HUB
    if first == DOCKER_HUB and "/" not in rest:
        rest = f"library/{rest}"
    return first, rest


def _is_host(part: str) -> bool:
    return part == "localhost" or "." in part or ":" in part or part != part.lower()


def _hint(text: str) -> str:
    if "://" in text:
        return "; leave out the scheme"
    return "; repositories are lower case" if text != text.lower() else ""
