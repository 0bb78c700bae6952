"""Several places where usage is measured, asked as one (`app.ports.usage.Insights`)."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from app.model.names import TaskArn
from app.model.usage import Sample
from app.ports.failures import PortFailure
from app.ports.usage import Insights
from app.telemetry import logs

log = logs.get(__name__)


class Sources(Insights):
    """The helpers, who know best, and Container Insights for what they do not tell.

    One that fails keeps nobody from what the other knows.
    """

    def __init__(self, best: Insights, rest: Insights) -> None:
        self._sources = (best, rest)
        self._failing: dict[Insights, str] = {}

    async def samples(self, tasks: Collection[TaskArn], *, since: datetime) -> Sequence[Sample]:
        """What both have measured since then; of the rest, what is newer than what the best knows.

        Raises PortFailure where neither answers.
        """
        asked = (self._asked(each, tasks, since) for each in self._sources)
        best, rest = await asyncio.gather(*asked)
        if isinstance(best, PortFailure):
            if isinstance(rest, PortFailure):
                raise best
            return rest
        return best if isinstance(rest, PortFailure) else (*best, *newer(rest, than=best))

    async def _asked(
        self, source: Insights, tasks: Collection[TaskArn], since: datetime
    ) -> Sequence[Sample] | PortFailure:
        try:
            samples = await source.samples(tasks, since=since)
        except PortFailure as failure:
            # Asked several times a minute: told where it is another failure than the last.
            if self._failing.get(source) != str(failure):
                self._failing[source] = str(failure)
                log.warning(
                    "a source of usage does not answer", source=type(source).__name__, error=str(failure)
                )
            return failure
        self._failing.pop(source, None)
        return samples


def newer(samples: Iterable[Sample], *, than: Iterable[Sample]) -> list[Sample]:
    """Those that are newer than all others of the same container."""
    newest: dict[tuple[TaskArn, str], datetime] = {}
    for each in than:
        key = (each.task, each.container)
        newest[key] = max(newest.get(key, each.at), each.at)
    return [
        each
        for each in samples
        if (each.task, each.container) not in newest or each.at > newest[each.task, each.container]
    ]
