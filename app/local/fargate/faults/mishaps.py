"""What RunTask's faults hold in store for the task that it launches."""

from typing import Final

import msgspec

from app.local.fargate.config import SPOT
from app.local.fargate.faults.orders import FaultKind, Faults

ONLY_SPOT: Final[tuple[FaultKind, ...]] = ("no-spot-capacity", "spot-interruption")
ANY_TASK: Final[tuple[FaultKind, ...]] = (
    "termination-notice",
    "retirement",
    "infrastructure-health",
    "user-stop",
    "vanish",
    "foreign-container",
)


class Mishap(msgspec.Struct, frozen=True, kw_only=True):
    """One mishap that awaits a task, `seconds` after it began to run."""

    kind: FaultKind
    seconds: float = 0.0
    message: str = ""


def in_store(faults: Faults, *, subnet: str, provider: str) -> tuple[Mishap, ...]:
    """The mishaps of one launch; each kind at most once, and one of its order's times used up."""
    kinds = (*ONLY_SPOT, *ANY_TASK) if provider == SPOT else ANY_TASK
    orders = (faults.take("RunTask", kind, subnet=subnet, provider=provider) for kind in kinds)
    return tuple(
        Mishap(kind=order.kind, seconds=order.seconds, message=order.message)
        for order in orders
        if order is not None
    )
