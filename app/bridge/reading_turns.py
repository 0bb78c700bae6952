"""Whose records are read next: tasks of which something is due, and all others in turn."""

from collections.abc import Iterable
from typing import Final

from app.bridge.config import RecordConfig
from app.model.names import TaskArn

_NEVER: Final = float("-inf")


class ReadingTurns:
    """Remembers when each task was read, and when something new was.

    Every other turn is a lively task's: one that is new here, or of which something new was read a moment
    ago. The turns between are those of whoever waits longest, so that nobody is forgotten.
    """

    def __init__(self, config: RecordConfig) -> None:
        self._config = config
        self._read: dict[TaskArn, float] = {}
        self._news: dict[TaskArn, float] = {}
        self._favours_lively = True

    def next_of(self, arns: Iterable[TaskArn], *, now: float) -> TaskArn | None:
        """Whose turn it is; None where all were read a moment ago. `now` is the steady clock's."""
        due = [arn for arn in arns if now - self._read.get(arn, _NEVER) >= self._config.period]
        lively = [arn for arn in due if now - self._news.get(arn, now) <= self._config.lively]
        chosen = lively if lively and self._favours_lively else due
        self._favours_lively = not self._favours_lively
        return min(chosen, key=lambda arn: self._read.get(arn, _NEVER), default=None)

    def was_read(self, arn: TaskArn, *, now: float, news: bool) -> None:
        """A task was read, or could not be; `news` where something new was found."""
        self._read[arn] = now
        if news or arn not in self._news:
            self._news[arn] = now

    def prune(self, known: Iterable[TaskArn]) -> None:
        """Forget all tasks but these."""
        kept = frozenset(known)
        self._read = {arn: at for arn, at in self._read.items() if arn in kept}
        self._news = {arn: at for arn, at in self._news.items() if arn in kept}
