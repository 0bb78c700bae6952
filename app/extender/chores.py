"""Work that the leader does beside the pressure loop: each piece fails alone."""

from collections.abc import Callable
from typing import Final, Protocol

from app.extender.cluster.facts import Facts
from app.extender.metrics import GateMetrics
from app.ports.clock import Clock
from app.telemetry import logs
from app.timing import backoff

_log = logs.get(__name__)

_FIRST: Final = 1.0
_LONGEST: Final = 300.0
_SOUND: Final = 600.0
"""Seconds after which a chore that fails again is taken to have worked in between."""


class Chore(Protocol):
    """Work that goes on beside the pressure loop, for as long as this replica leads."""

    async def run(self, facts: Callable[[], Facts]) -> None:
        """Work until cancelled; `facts` gives the cluster as it is now, and costs a walk over its nodes."""
        ...


async def tended(chore: Chore, facts: Callable[[], Facts], *, clock: Clock, metrics: GateMetrics) -> None:
    """Keep the chore at work until cancelled: bringing pods home may fail, bursting must go on.

    What it raises is a defect, or input that nobody thought of: it is logged in full and counted, and the
    chore begins anew after a pause that doubles.
    """
    name, failures = type(chore).__name__, 0
    while True:
        begun = clock.steady()
        try:
            await chore.run(facts)
        except Exception:  # noqa: BLE001  (whatever it is, the pressure loop must not end with it)
            failures = 1 if clock.steady() - begun > _SOUND else failures + 1
            pause = backoff.delay(failures, first=_FIRST, longest=_LONGEST, jitter=1.0)
            metrics.chore_failures.labels(name).inc()
            _log.exception("a chore failed, begun anew after a pause", chore=name, seconds=pause)
            await clock.sleep(pause)
        else:
            _log.warning("a chore is over", chore=name)
            return
