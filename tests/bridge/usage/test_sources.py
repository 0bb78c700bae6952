from datetime import datetime, timedelta

import pytest

from app.bridge.usage.sources import Sources, newer
from app.model.names import TaskArn
from app.model.usage import Sample
from app.ports.failures import Unavailable
from tests.bridge.fakes import FakeInsights
from tests.builders import NOON

TASK = TaskArn("t")


def a_sample(seconds: float, container: str = "main", **fields: float) -> Sample:
    """A measurement so many seconds after noon."""
    at = NOON + timedelta(seconds=seconds)
    return Sample(task=TASK, container=container, at=at, cpu_seconds=fields.get("cpu_seconds"))


class Asked:
    """Two sources as one."""

    def __init__(self) -> None:
        self.best, self.rest = FakeInsights(), FakeInsights()
        self.sources = Sources(self.best, self.rest)

    async def times(self) -> list[datetime]:
        return [each.at for each in await self.sources.samples([TASK], since=NOON)]


async def test_of_each_container_the_newer_measurement_counts() -> None:
    asked = Asked()
    asked.best.measured = [a_sample(30, cpu_seconds=1), a_sample(45, cpu_seconds=2)]
    asked.rest.measured = [a_sample(44), a_sample(45), a_sample(60), a_sample(10, "side")]
    samples = await asked.sources.samples([TASK], since=NOON)
    assert samples == (
        a_sample(30, cpu_seconds=1),
        a_sample(45, cpu_seconds=2),
        a_sample(60),
        a_sample(10, "side"),
    )


@pytest.mark.parametrize(("failing", "left"), [("best", 60), ("rest", 30)])
async def test_a_source_that_fails_keeps_nothing_of_the_other_back(failing: str, left: int) -> None:
    asked = Asked()
    asked.best.measured, asked.rest.measured = [a_sample(30)], [a_sample(60)]
    getattr(asked, failing).failing = True
    assert await asked.times() == [NOON + timedelta(seconds=left)]


async def test_nothing_is_known_where_neither_answers() -> None:
    asked = Asked()
    asked.best.failing = asked.rest.failing = True
    with pytest.raises(Unavailable):
        await asked.times()


async def test_a_failure_that_lasts_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    asked = Asked()
    asked.best.failing = True
    await asked.times()
    await asked.times()
    asked.best.failing = False
    await asked.times()
    asked.best.failing = True
    await asked.times()
    assert capsys.readouterr().out.count("a source of usage does not answer") == 2


def test_everything_is_newer_than_nothing() -> None:
    assert newer([a_sample(1)], than=[]) == [a_sample(1)]
