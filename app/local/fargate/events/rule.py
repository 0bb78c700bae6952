"""The EventBridge rule that puts every change of a task into a queue, and what may go wrong on the way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import msgspec

from app.local.fargate.agenda import Agenda
from app.local.fargate.config import FargateConfig
from app.local.fargate.events.queues import Queue
from app.local.fargate.events.state_changes import event_of
from app.local.fargate.faults.orders import Faults
from app.local.fargate.tasks.description import described
from app.local.fargate.tasks.record import TaskRecord
from app.ports.clock import Clock

SEND: Final = "SendMessage"
"""The operation whose faults befall events."""

_HELD_BACK: Final = 1.0
"""Seconds that an event waits for another one to overtake it, unless the fault says how many."""


@dataclass(kw_only=True)
class EventRule:
    """Sends events to the queue that the configuration names: at least once, in no promised order.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-delivery.html

    Attributes:
        queues: that queue by its name; empty where there is none.
    """

    config: FargateConfig
    clock: Clock
    agenda: Agenda
    faults: Faults
    ids: Callable[[], str]
    queues: Mapping[str, Queue] = field(init=False)
    _held: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        name = self.config.events_queue
        self.queues = {name: Queue(name=name, clock=self.clock, ids=self.ids)} if name else {}

    def publish(self, task: TaskRecord) -> None:
        """Send an event for the task's present version."""
        queue = self.queues.get(self.config.events_queue)
        if queue is None:
            return
        view = described(task)
        event = event_of(view, config=self.config, event_id=self.ids(), now=self.clock.now())
        body = msgspec.json.encode(event).decode()
        if self.faults.take(SEND, "loss") is not None:
            return
        after = self.config.pace.event_after
        late = self.faults.take(SEND, "delay")
        if late is not None:
            after += late.seconds
        self.agenda.after(after, partial(self._arrive, queue, body))
        twice = self.faults.take(SEND, "duplicate")
        if twice is not None:
            self.agenda.after(after + twice.seconds, partial(self._arrive, queue, body))

    def _arrive(self, queue: Queue, body: str) -> None:
        overtaken = self.faults.take(SEND, "reorder")
        if overtaken is not None:
            self._held.append(body)
            self.agenda.after(overtaken.seconds or _HELD_BACK, partial(self._release, queue))
            return
        queue.send(body)
        self._release(queue)

    def _release(self, queue: Queue) -> None:
        held, self._held = self._held, []
        for body in held:
            queue.send(body)
