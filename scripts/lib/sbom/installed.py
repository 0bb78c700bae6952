"""What is installed in a folder, as far as one distribution needs it, held against the lock."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.lib.sbom.locked import BillError, Pin

OWN: Final = "spillway-fargate"

_LONGEST_NAME: Final = 80
"""A `License` field that is longer, or has lines, is a whole text."""


@dataclass(frozen=True, slots=True)
class Package:
    """An installed distribution.

    `licence` is an SPDX expression where `is_expression`, else a name in the words of its authors, or empty.
    `sha256` is that of the wheel that it came from; empty where that is not at hand.
    """

    name: str
    version: str
    licence: str
    is_expression: bool
    sha256: str
    needs: tuple[str, ...]


def packages(site: Path, *, lock: Mapping[str, Pin], wheels: Path | None) -> tuple[Package, ...]:
    """Our own distribution and all that it needs, by name.

    Raises:
        BillError: one of them is not installed, or not as the lock has it.
    """
    there: dict[str, Distribution] = {
        canonicalize_name(each.name): each for each in distributions(path=[str(site)])
    }
    wanted: dict[str, set[str]] = {}
    edges: dict[str, set[str]] = {}
    queue: list[tuple[str, str]] = [(OWN, "")]
    while queue:
        name, extra = queue.pop()
        if extra in wanted.setdefault(name, set()):
            continue
        wanted[name].add(extra)
        for need in _needs(_found(there, name), extra=extra):
            needed = canonicalize_name(need.name)
            edges.setdefault(name, set()).add(needed)
            queue.extend((needed, each) for each in ("", *need.extras))
    return tuple(
        _package(there[name], needs=tuple(sorted(edges.get(name, ()))), lock=lock, wheels=wheels)
        for name in sorted(wanted)
    )


def _found(there: Mapping[str, Distribution], name: str) -> Distribution:
    if name not in there:
        raise BillError(f"{name} is needed and not installed")
    return there[name]


def _needs(distribution: Distribution, *, extra: str) -> Iterator[Requirement]:
    for text in distribution.requires or ():
        need = Requirement(text)
        if need.marker is None:
            if not extra:
                yield need
        elif need.marker.evaluate({"extra": extra}):
            yield need


def _package(
    distribution: Distribution, *, needs: tuple[str, ...], lock: Mapping[str, Pin], wheels: Path | None
) -> Package:
    name = canonicalize_name(distribution.name)
    sha256 = _wheel(name, distribution.version, wheels) if wheels else ""
    if name != OWN:
        _hold(name, distribution.version, sha256, lock)
    licence, is_expression = _licence(distribution)
    return Package(name, distribution.version, licence, is_expression, sha256, needs)


def _hold(name: str, version: str, sha256: str, lock: Mapping[str, Pin]) -> None:
    pin = lock.get(name)
    if pin is None:
        raise BillError(f"{name} is installed and not in the lock; write it anew: scripts/lock")
    if pin.version != version:
        raise BillError(f"{name} {version} is installed, the lock has {pin.version}; install from the lock")
    if sha256 and sha256 not in pin.hashes:
        raise BillError(f"the wheel of {name} {version} is not one that the lock names")


def _wheel(name: str, version: str, wheels: Path) -> str:
    for file in sorted(wheels.glob("*.whl")):
        its_name, its_version = file.name.split("-")[:2]
        if (canonicalize_name(its_name), its_version) == (name, version):
            return hashlib.sha256(file.read_bytes()).hexdigest()
    raise BillError(f"{wheels} has no wheel of {name} {version}")


def _licence(distribution: Distribution) -> tuple[str, bool]:
    if expression := _field(distribution, "License-Expression"):
        return expression, True
    text = _field(distribution, "License")
    if text and len(text) <= _LONGEST_NAME and "\n" not in text:
        return text, False
    classifiers = distribution.metadata.get_all("Classifier") or []
    named = [each.rpartition(" :: ")[2] for each in classifiers if each.startswith("License :: ")]
    return " and ".join(named), False


def _field(distribution: Distribution, name: str) -> str:
    return next(iter(distribution.metadata.get_all(name) or ()), "")
