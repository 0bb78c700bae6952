"""What was sent and is not acknowledged yet, and when to send it again. Pure."""

from typing import Final
from uuid import UUID

import msgspec

from app.local.fargate.session_manager.frames import Frame
from app.local.fargate.session_manager.violation import Violation

_MOST_OPEN: Final = 64
_PATIENCE: Final = 0.2
_MOST_PATIENCE: Final = 1.0
_MOST_TRIES: Final = 3000


class _Sent(msgspec.Struct):
    frame: Frame
    due: float
    patience: float = _PATIENCE
    tries: int = 1


class Outbox:
    """Numbers begin at 0. Times are steady seconds.

    Only the oldest message is sent again, until it arrives.
    """

    def __init__(self) -> None:
        self.next = 0
        self._open: dict[int, _Sent] = {}
        self._arrived: dict[int, UUID] = {}

    @property
    def is_full(self) -> bool:
        """Whether no more should be sent before something arrives."""
        return len(self._open) >= _MOST_OPEN

    @property
    def is_empty(self) -> bool:
        """Whether everything has arrived."""
        return not self._open

    def put(self, frame: Frame, *, now: float) -> None:
        """Note a message that is sent, with the next number."""
        self._open[frame.sequence] = _Sent(frame, now + _PATIENCE)
        self.next = frame.sequence + 1

    def arrived(self, sequence: int, identity: UUID) -> None:
        """A message has arrived, perhaps not for the first time.

        Raises:
            Violation: no such message was sent.
        """
        sent = self._open.get(sequence)
        known = sent.frame.id if sent is not None else self._arrived.get(sequence)
        if known != identity:
            raise Violation(f"message {sequence} with the id {identity} was never sent, but acknowledged")
        self._open.pop(sequence, None)
        self._arrived[sequence] = identity
        self._arrived.pop(sequence - _MOST_OPEN * 64, None)

    def open(self) -> tuple[Frame, ...]:
        """Everything that has not arrived, in order."""
        return tuple(each.frame for each in self._open.values())

    def due(self) -> float | None:
        """When the oldest message is to be sent again; None where there is none."""
        oldest = self._oldest()
        return oldest.due if oldest is not None else None

    def again(self, *, now: float) -> Frame | None:
        """The message to send again now; None where none is due."""
        oldest = self._oldest()
        if oldest is None or oldest.due > now:
            return None
        oldest.patience = min(oldest.patience * 2, _MOST_PATIENCE)
        oldest.due = now + oldest.patience
        oldest.tries += 1
        return oldest.frame

    def is_hopeless(self) -> bool:
        """Whether the oldest message was sent so often that nobody can be there."""
        oldest = self._oldest()
        return oldest is not None and oldest.tries > _MOST_TRIES

    def _oldest(self) -> _Sent | None:
        return next(iter(self._open.values()), None)
