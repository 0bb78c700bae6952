"""The lock file: which versions are installed, and which files of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.utils import canonicalize_name

_PIN: Final = re.compile(r"^([A-Za-z0-9._-]+)==([^ \\]+)")
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")


class BillError(Exception):
    """What is installed is not what the lock says; names what differs."""


@dataclass(frozen=True, slots=True)
class Pin:
    """A locked version, with the SHA-256 of each file of it that may be installed."""

    version: str
    hashes: frozenset[str]


def pins(lock: Path) -> Mapping[str, Pin]:
    """The pins of a lock with hashes, by canonical name."""
    found: dict[str, Pin] = {}
    for entry in lock.read_text().replace("\\\n", " ").splitlines():
        if match := _PIN.match(entry):
            found[canonicalize_name(match[1])] = Pin(match[2], frozenset(_HASH.findall(entry)))
    return found
