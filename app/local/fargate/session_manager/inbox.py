"""The order of what a client sends: each message once, by its number, whatever the way made of them. Pure."""

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from app.local.fargate.session_manager.frames import Frame
from app.local.fargate.session_manager.violation import Violation

if TYPE_CHECKING:
    from uuid import UUID

_AHEAD: Final = 256
"""How many messages are kept that came too early."""

_REMEMBERED: Final = 4096


class Inbox:
    """Numbers begin at 0. Every message is taken once; what comes again is only recognized."""

    def __init__(self) -> None:
        self._next = 0
        self._early: dict[int, Frame] = {}
        self._ids: OrderedDict[int, UUID] = OrderedDict()

    def put(self, frame: Frame) -> bool:
        """Take in a message; True where it was taken before, so that it is to be acknowledged again.

        One that is too far ahead is dropped: its sender will send it again.

        Raises:
            Violation: another message had this number.
        """
        known = self._ids.get(frame.sequence)
        if known is not None and known != frame.id:
            raise Violation(f"two messages have the number {frame.sequence}")
        if frame.sequence < self._next:
            return True
        if frame.sequence < self._next + _AHEAD:
            self._early[frame.sequence] = frame
            self._remember(frame)
        return False

    def head(self) -> Frame | None:
        """The message whose turn it is, if it is there."""
        return self._early.get(self._next)

    def take(self) -> None:
        """The message whose turn it was has been dealt with."""
        del self._early[self._next]
        self._next += 1

    def _remember(self, frame: Frame) -> None:
        self._ids[frame.sequence] = frame.id
        if len(self._ids) > _REMEMBERED:
            self._ids.popitem(last=False)
