"""What goes wrong with messages on their way, as it was ordered."""

from typing import Generic, TypeVar

from app.local.fargate.faults.orders import Faults

T = TypeVar("T")


class Way(Generic[T]):
    """One direction of one connection; orders name the messages by their MessageType."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._held: tuple[T, ...] = ()

    def breaks(self, kind: str) -> bool:
        """Whether the connection breaks before this message."""
        return self._faults.take(kind, "break") is not None

    def through(self, message: T, *, kind: str) -> tuple[T, ...]:
        """What arrives now that this message is sent: nothing, itself, itself twice, an earlier one."""
        if self._faults.take(kind, "loss") is not None:
            return ()
        if not self._held and self._faults.take(kind, "reorder") is not None:
            self._held = (message,)
            return ()
        copies = 1 if self._faults.take(kind, "duplicate") is None else 2
        held, self._held = self._held, ()
        return (message,) * copies + held
