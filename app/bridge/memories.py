"""What this process remembers of pods between two decisions; all of it may be lost without harm."""

from datetime import datetime
from typing import Final, Literal

import msgspec

from app.bridge.decision.facts import Gathered, Memory, Outcome, PodKey
from app.bridge.status.observed import HookFailure
from app.model.names import TaskArn

_MOST_STOPS: Final = 20
"""Stops of one pod's tasks that are remembered; only those of the tasks that still live are asked for."""


class Memories:
    """A memory for each pod that has one."""

    def __init__(self) -> None:
        self._memories: dict[PodKey, Memory] = {}

    def of(self, key: PodKey) -> Memory:
        """What was learned about the pod in this process."""
        return self._memories.get(key, Memory())

    def forget(self, key: PodKey) -> None:
        """The pod is gone for good, or its launch succeeded."""
        self._memories.pop(key, None)

    def denied(
        self,
        key: PodKey,
        *,
        attempt: int,
        kind: Literal["no-capacity", "refused"],
        message: str,
        now: datetime,
    ) -> None:
        """ECS said a definite no to an attempt."""
        memory = self.of(key)
        row = memory.outcome.row + 1 if memory.outcome is not None else 1
        outcome = Outcome(attempt=attempt, kind=kind, message=message, at=now, row=row)
        self._memories[key] = msgspec.structs.replace(memory, outcome=outcome)

    def gathered(self, key: PodKey, found: Gathered, *, now: datetime) -> None:
        """What a look for the pod's material came to."""
        self._memories[key] = msgspec.structs.replace(self.of(key), gathered=found, gathered_at=now)

    def stopped(self, key: PodKey, arn: TaskArn, *, now: datetime) -> None:
        """ECS accepted to stop a task."""
        memory = self.of(key)
        earlier = [each for each in memory.stops.items() if each[0] != arn][-_MOST_STOPS + 1 :]
        self._memories[key] = msgspec.structs.replace(memory, stops={**dict(earlier), arn: now})

    def told_of_hook(self, key: PodKey, arn: TaskArn, failure: HookFailure) -> None:
        """People were told of a failed hook; only the newest attempt's are asked for."""
        memory = self.of(key)
        same = frozenset(each for each in memory.hooks if each[0] == arn)
        self._memories[key] = msgspec.structs.replace(memory, hooks=same | {(arn, failure)})
