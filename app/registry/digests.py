"""Digests: what a registry's content is named by, so that no one on the way can swap it.

https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests
"""

import hashlib
import re
from typing import Final

_SIZES: Final = {"sha256": 64, "sha384": 96, "sha512": 128}
_HEX: Final = re.compile("[a-f0-9]+")


def is_digest(text: str) -> bool:
    """Whether the text is a digest that we can verify."""
    algorithm, _, value = text.partition(":")
    return len(value) == _SIZES.get(algorithm) and _HEX.fullmatch(value) is not None


def digest_of(body: bytes) -> str:
    """The digest that registries give content of their own accord: SHA-256."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def verifies(body: bytes, digest: str) -> bool:
    """Whether the body is what the digest names."""
    algorithm, _, value = digest.partition(":")
    return is_digest(digest) and hashlib.new(algorithm, body).hexdigest() == value
