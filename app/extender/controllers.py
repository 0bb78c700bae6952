"""Which controllers cannot do without a replica for a moment, as they said lately."""

import asyncio
from collections.abc import Iterable
from typing import Final

from app.extender.homing.config import ReturnConfig
from app.extender.homing.returning import objection
from app.model.early import owner_of
from app.model.meta import OwnerReference
from app.model.pod import Pod, controller_of
from app.ports.clock import Clock
from app.ports.failures import NotFound, PortFailure
from app.ports.kubernetes import Evictions
from app.telemetry import logs
from app.timing.waiting import within

_log = logs.get(__name__)

_ASKED_EACH: Final = 20
"""Controllers asked at once, who waits longest first: those of a sudden burst take turns, nothing presses."""

_BELIEVED: Final = {False: 300.0, True: 2.0}
"""Seconds for which an answer is good: an objection may be over soon, as that of one that starts up."""

_TIMEOUT: Final = 5.0


class Controllers:
    """Asks each controller once in a while.

    Args:
        evictions: where they are asked.
        config: how many replicas must be Ready before one is taken.
        clock: time.
    """

    def __init__(self, evictions: Evictions, *, config: ReturnConfig, clock: Clock) -> None:
        self._evictions = evictions
        self._config = config
        self._clock = clock
        self._answers: dict[str, tuple[bool, float]] = {}

    async def stuck(self, pods: Iterable[Pod]) -> frozenset[str]:
        """The pods' controllers that cannot, as `owner_of` gives them; who was not asked yet is among them.

        A pod may claim a controller of another namespace: that one's answer counts where it really is.
        """
        owners = {
            owner_of(pod): (pod.metadata.namespace, owner) for pod in pods if (owner := controller_of(pod))
        }
        self._answers = {key: each for key, each in self._answers.items() if key in owners}
        now = self._clock.steady()
        until = {key: self._answers[key][1] if key in self._answers else 0.0 for key in owners}
        due = sorted((key for key in owners if until[key] <= now), key=lambda key: until[key])
        asked = due[:_ASKED_EACH]
        answers = await asyncio.gather(*(self._objects(*owners[key]) for key in asked))
        for key, objects in zip(asked, answers, strict=True):
            self._answers[key] = (objects, now + _BELIEVED[objects])
        return frozenset(owners) - {key for key, (objects, _) in self._answers.items() if not objects}

    async def _objects(self, namespace: str, owner: OwnerReference) -> bool:
        try:
            replicas = await within(self._clock, _TIMEOUT, self._evictions.replicas(namespace, owner))
        except NotFound:
            return True
        except PortFailure as error:
            _log.info("controller not readable", kind=owner.kind, name=owner.name, error=str(error))
            return True
        return objection(replicas, config=self._config) is not None
