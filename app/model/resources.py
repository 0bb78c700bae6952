"""What a pod asks for and a node has: cpu, memory, ephemeral storage and pod slots, as exact integers."""

from collections.abc import Iterable, Mapping
from typing import Final, Self

import msgspec

from app.model import quantity

_STANDARD: Final = frozenset({"cpu", "memory", "ephemeral-storage", "pods"})


class Resources(msgspec.Struct, frozen=True, kw_only=True):
    """An amount of room. Units: millicores, bytes, bytes, pods; extended resources by name, in units."""

    cpu_milli: int = 0
    memory: int = 0
    storage: int = 0
    pods: int = 0
    extended: tuple[tuple[str, int], ...] = ()

    @classmethod
    def parse(cls, wire: Mapping[str, str]) -> Self:
        """From a Kubernetes resource list, as `{"cpu": "500m", "memory": "1Gi"}`.

        Raises:
            QuantityError: a value is not a quantity.
        """
        others = wire.keys() - _STANDARD
        extended = ((name, quantity.whole(wire[name])) for name in others)
        return cls(
            cpu_milli=quantity.milli(wire.get("cpu", "0")),
            memory=quantity.whole(wire.get("memory", "0")),
            storage=quantity.whole(wire.get("ephemeral-storage", "0")),
            pods=quantity.whole(wire.get("pods", "0")),
            extended=tuple(sorted(pair for pair in extended if pair[1])) if others else (),
        )

    def wire(self) -> dict[str, str]:
        """As a Kubernetes resource list with all four standard names."""
        return {
            "cpu": quantity.milli_text(self.cpu_milli),
            "memory": quantity.bytes_text(self.memory),
            "ephemeral-storage": quantity.bytes_text(self.storage),
            "pods": str(self.pods),
            **{name: str(count) for name, count in self.extended},
        }

    def __add__(self, other: "Resources") -> "Resources":
        return _combine(self, other, 1)

    def __sub__(self, other: "Resources") -> "Resources":
        return _combine(self, other, -1)

    def at_least(self, other: "Resources") -> "Resources":
        """The larger of both in each dimension."""
        names = dict(other.extended)
        for name, count in self.extended:
            names[name] = max(count, names.get(name, 0))
        return Resources(
            cpu_milli=max(self.cpu_milli, other.cpu_milli),
            memory=max(self.memory, other.memory),
            storage=max(self.storage, other.storage),
            pods=max(self.pods, other.pods),
            extended=tuple(sorted(names.items())),
        )

    def fits(self, room: "Resources") -> bool:
        """Whether this amount fits into `room` in every dimension that it asks for.

        What is not asked for fits even where `room` is below zero, as on an overcommitted node.
        """
        have = dict(room.extended)
        pairs = (
            (self.cpu_milli, room.cpu_milli),
            (self.memory, room.memory),
            (self.storage, room.storage),
            (self.pods, room.pods),
            *((count, have.get(name, 0)) for name, count in self.extended),
        )
        return all(asked <= 0 or asked <= there for asked, there in pairs)


NOTHING: Final = Resources()
"""No room at all."""


def _combine(left: Resources, right: Resources, sign: int) -> Resources:
    return Resources(
        cpu_milli=left.cpu_milli + sign * right.cpu_milli,
        memory=left.memory + sign * right.memory,
        storage=left.storage + sign * right.storage,
        pods=left.pods + sign * right.pods,
        extended=_combined(left.extended, right.extended, sign) if left.extended or right.extended else (),
    )


def _combined(
    left: tuple[tuple[str, int], ...], right: tuple[tuple[str, int], ...], sign: int
) -> tuple[tuple[str, int], ...]:
    names = dict(left)
    for name, count in right:
        names[name] = names.get(name, 0) + sign * count
    return tuple(sorted((name, count) for name, count in names.items() if count))


def total(amounts: Iterable[Resources]) -> Resources:
    """The sum; nothing sums to no room at all."""
    result = NOTHING
    for amount in amounts:
        result += amount
    return result
