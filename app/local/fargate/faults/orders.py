"""Faults on request: what shall go wrong, how often, and whether it does this time."""

import hashlib
from typing import Literal

import msgspec

FaultKind = Literal[
    "error",
    "delay",
    "timeout-after-effect",
    "lost-request",
    "empty-page",
    "partial",
    "capacity",
    "pull-error",
    "oom",
    "no-spot-capacity",
    "spot-interruption",
    "termination-notice",
    "retirement",
    "infrastructure-health",
    "user-stop",
    "vanish",
    "foreign-container",
    "loss",
    "duplicate",
    "reorder",
    "break",
    "linger",
    "no-agent",
]


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """One order for trouble.

    Attributes:
        operation: which one it befalls, as `RunTask`; `*` for any; `SendMessage` for EventBridge's events; a
            MessageType, as `output_stream_data`, for messages of data channels (`acknowledge` in both
            directions).
        kind: what happens.
            To a call: `error` answers with `code` and `message` instead of doing anything; `delay` waits
            `seconds` first; `lost-request` closes the connection before anything is done,
            `timeout-after-effect` after it is done; `empty-page` makes GetLogEvents or FilterLogEvents
            answer a page without events but with new tokens, as the real ones may; `partial` makes ListTasks
            and DescribeTasks leave out a `share` of the tasks.
            To RunTask: `capacity` answers `failures` with `message` as their reason (by default: none left).
            To the task that RunTask launches: `pull-error`; `no-spot-capacity` (Spot tasks only), once it was
            accepted; `foreign-container` puts one of AWS's own beside the task's; and, after `seconds` of
            running: `oom`, `spot-interruption` (Spot tasks only), `termination-notice`, `retirement`,
            `infrastructure-health`, `user-stop`, `vanish`. With `no-agent` no session
            can ever be opened in it.
            To an event (SendMessage): `loss`, `duplicate`, `delay` by `seconds`, `reorder` behind the next.
            To a message of a session's data channel: `loss`, `duplicate`, `reorder` behind the next one
            in its direction; and `break` breaks the connection instead of passing it on. To the end of what
            runs in a session (`channel_closed`): `linger` keeps the channel open, and nothing is told of it.
        count: how many times; without it and without `probability`, once.
        probability: the share of calls befallen, 0..1, for ever or until `count` is used up.
        seed: the same seed befalls the same calls again.
        share: how many tasks `partial` leaves out, 0..1; chosen by `seed`, so always the same ones.
        subnet, provider: befall only launches into this subnet, by this capacity provider (`FARGATE` also for
            the launch type).
        resource_ids: the member of a ConflictException.
    """

    operation: str
    kind: FaultKind
    code: str = "ServerException"
    message: str = ""
    count: int | None = None
    probability: float | None = None
    seed: int = 0
    seconds: float = 0.0
    share: float = 0.5
    subnet: str = ""
    provider: str = ""
    resource_ids: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.probability is not None and not 0 <= self.probability <= 1:
            raise ValueError("probability must be between 0 and 1")
        if not 0 <= self.share <= 1:
            raise ValueError("share must be between 0 and 1")
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

    def take(self, operation: str, *kinds: FaultKind, subnet: str = "", provider: str = "") -> Fault | None:
        """The first order of these kinds that befalls this call, and one of its times used up."""
        for order in self._orders:
            fault = order.fault
            applies = (
                fault.kind in kinds
                and fault.operation in {operation, "*"}
                and fault.subnet in {"", subnet}
                and fault.provider in {"", provider}
            )
            if applies and order.strikes():
                if order.left == 0:
                    self._orders.remove(order)
                return fault
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
            if share_of(self.fault.seed, self._asked) >= self.fault.probability:
                return False
        if self.left is not None:
            self.left -= 1
        return True


def share_of(seed: int, subject: int | str) -> float:
    """A number in 0..1 that looks random and is always the same."""
    digest = hashlib.sha256(f"{seed}:{subject}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
