"""Faults on request: what shall go wrong, how often, and whether it does this time."""

import hashlib
from typing import Literal

import msgspec

FaultKind = Literal["error", "timeout-after-effect", "capacity", "delay", "pull-error", "oom", "empty-page"]


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """One order for trouble.

    Attributes:
        operation: which one it befalls, as `RunTask`; `*` for any.
        kind: `error` answers with `code` and `message` instead of doing anything; `timeout-after-effect`
            does it and closes the connection without an answer; `capacity` makes RunTask answer that there
            is none; `delay` waits `seconds` first; `pull-error` and `oom` befall the task that RunTask
            launches (`oom` after `seconds` of running); `empty-page` makes GetLogEvents answer a page
            without events but with new tokens, as the real one may.
        count: how many times; without it and without `probability`, once.
        probability: the share of calls befallen, 0..1, for ever or until `count` is used up.
        seed: the same seed befalls the same calls again.
    """

    operation: str
    kind: FaultKind
    code: str = "ServerException"
    message: str = ""
    count: int | None = None
    probability: float | None = None
    seed: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.probability is not None and not 0 <= self.probability <= 1:
            raise ValueError("probability must be between 0 and 1")
        if self.count is not None and self.count < 1:
            raise ValueError("count must be at least 1")


class Faults:
    """The orders that are not used up yet, oldest first."""

    def __init__(self) -> None:
        self._orders: list[_Order] = []

    def add(self, fault: Fault) -> None:
        """Accept an order."""
        self._orders.append(_Order(fault))

    def clear(self) -> None:
        """Forget all orders."""
        self._orders.clear()

    def pending(self) -> tuple[Fault, ...]:
        """The orders that are still open."""
        return tuple(order.fault for order in self._orders)

    def take(self, operation: str, *kinds: FaultKind) -> Fault | None:
        """The first order of these kinds that befalls this call, and one of its times used up."""
        for order in self._orders:
            if order.fault.kind in kinds and order.fault.operation in {operation, "*"} and order.strikes():
                if order.left == 0:
                    self._orders.remove(order)
                return order.fault
        return None


class _Order:
    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        once = 1 if fault.probability is None else None
        self.left = fault.count if fault.count is not None else once
        self._asked = 0

    def strikes(self) -> bool:
        if self.fault.probability is not None:
            self._asked += 1
            if _share(self.fault.seed, self._asked) >= self.fault.probability:
                return False
        if self.left is not None:
            self.left -= 1
        return True


def _share(seed: int, number: int) -> float:
    """A number in 0..1 that looks random and is always the same."""
    digest = hashlib.sha256(f"{seed}:{number}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
