"""Puts what arrives into its order. Pure."""

from typing import Final

from app.aws.sessions.frames import Frame

MOST_AHEAD: Final = 4_096
"""Messages that are kept until those before them arrive."""


class Inbox:
    """Output messages by their sequence numbers, which begin at 0."""

    def __init__(self) -> None:
        self._expected = 0
        self._ahead: dict[int, Frame] = {}

    def take(self, frame: Frame) -> tuple[bool, list[Frame]]:
        """Take one message in.

        Returns:
            Whether to acknowledge it, and the messages whose turn it is now. One that came before is only
            acknowledged again, and one too far ahead is not: it will come again.
        """
        if frame.sequence < self._expected:
            return True, []
        if frame.sequence > self._expected:
            if frame.sequence not in self._ahead and len(self._ahead) >= MOST_AHEAD:
                return False, []
            self._ahead[frame.sequence] = frame
            return True, []
        return True, self._in_turn(frame)

    def _in_turn(self, frame: Frame) -> list[Frame]:
        turn = [frame]
        self._expected += 1
        while self._expected in self._ahead:
            turn.append(self._ahead.pop(self._expected))
            self._expected += 1
        return turn
