"""Tasks that stop though neither their containers nor the bridge wanted it: Spot, retirement, users, worse.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-maintenance.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from app.local.fargate.config import SPOT
from app.local.fargate.faults.mishaps import Mishap
from app.local.fargate.tasks.lifecycle import USER_INITIATED, Lifecycle
from app.local.fargate.tasks.record import TaskRecord

SPOT_INTERRUPTION: Final = "SpotInterruption"
TERMINATION_NOTICE: Final = "TerminationNotice"
RETIRED: Final = "ServiceSchedulerInitiated"
INFRASTRUCTURE_HEALTH: Final = "InfrastructureHealth"

_INTERRUPTED: Final = "Your Spot Task was interrupted."
_MAINTENANCE: Final = "ECS is performing maintenance on the underlying infrastructure hosting the task."
_UNHEALTHY: Final = "The infrastructure that hosts the task is unhealthy."
_BY_USER: Final = "Task stopped by user"


@dataclass(kw_only=True)
class Interruptions:
    """Interrupts tasks, given by ARN or id; one that is over, or was never there, is left alone."""

    lifecycle: Lifecycle

    def interrupt_spot(self, name: str, *, code: str = SPOT_INTERRUPTION) -> None:
        """AWS takes Spot capacity back: SIGTERM at once, the end after the pace's `spot_notice`.

        `code` is what AWS says of it: SpotInterruption, in older regions TerminationNotice.
        """
        task = self._find(name)
        if task is not None:
            self._notice(task, code=code, reason=_INTERRUPTED)

    def spot_tasks(self) -> Sequence[str]:
        """The ARNs of the Spot tasks that run and are not being stopped."""
        return [
            each.arn
            for each in self.lifecycle.tasks.values()
            if each.capacity == SPOT and each.status == "RUNNING" and each.desired == "RUNNING"
        ]

    def retire(self, name: str, *, code: str = RETIRED, reason: str = _MAINTENANCE) -> None:
        """AWS stops a task for maintenance, or (InfrastructureHealth) since its host is unhealthy."""
        task = self._find(name)
        if task is not None:
            self.lifecycle.stop(task, code=code, reason=reason)

    def stop_as_user(self, name: str, *, reason: str = _BY_USER) -> None:
        """Somebody stops the task in the console; as with StopTask, its tags are gone."""
        task = self._find(name)
        if task is not None:
            task.tags = []
            self.lifecycle.stop(task, code=USER_INITIATED, reason=reason)

    def vanish(self, name: str) -> None:
        """The task is MISSING from now on, and what ran in it is gone."""
        task = self._find(name)
        if task is not None:
            self.lifecycle.lose(task)

    def await_mishaps(self, task: TaskRecord) -> None:
        """Have what is in store for a task that has just come to RUNNING happen in its time."""
        for mishap in task.mishaps:
            self.lifecycle.agenda.after(mishap.seconds, partial(self._befall, task, mishap))

    def _befall(self, task: TaskRecord, mishap: Mishap) -> None:
        if self.lifecycle.tasks.get(task.id) is not task:
            return
        text = mishap.message
        match mishap.kind:
            case "spot-interruption":
                self._notice(task, code=SPOT_INTERRUPTION, reason=text or _INTERRUPTED)
            case "termination-notice":
                self._notice(task, code=TERMINATION_NOTICE, reason=text or _INTERRUPTED)
            case "retirement":
                self.retire(task.id, reason=text or _MAINTENANCE)
            case "infrastructure-health":
                self.retire(task.id, code=INFRASTRUCTURE_HEALTH, reason=text or _UNHEALTHY)
            case "user-stop":
                self.stop_as_user(task.id, reason=text or _BY_USER)
            case "vanish":
                self.vanish(task.id)
            case _:
                return  # it befell the task before it ran

    def _notice(self, task: TaskRecord, *, code: str, reason: str) -> None:
        seconds = self.lifecycle.pace.spot_notice
        self.lifecycle.give_notice(task, code=code, reason=reason, seconds=seconds)

    def _find(self, name: str) -> TaskRecord | None:
        return self.lifecycle.tasks.get(name.rsplit("/", 1)[-1])
