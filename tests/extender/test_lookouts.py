"""What the leader tells of beside the gate: a webhook that is away, and keys that nobody reads."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
import structlog
from prometheus_client import CollectorRegistry

from app.extender.chores import Chore
from app.extender.cluster.facts import Facts
from app.extender.decider import at_once
from app.extender.lookouts import NOT_READ, LookoutMetrics, SpellingLookout, WebhookLookout
from app.model.actuator import SCHEDULER
from app.model.namespace import Namespace
from app.model.pod import Pod
from app.timing.waiting import cancelled
from tests.builders import a_pod, opted_in_toleration
from tests.extender.fakes import FakeEvents, a_namespace
from tests.fakes import FakeWatched, VirtualClock, settle


def nothing() -> Facts:
    raise AssertionError("a lookout asks for no facts")


class Stage:
    """Both lookouts over fakes."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.pods = FakeWatched[Pod]()
        self.namespaces = FakeWatched[Namespace]([a_namespace()])
        self.events = FakeEvents()
        self.registry = CollectorRegistry()
        self.leads = True
        metrics = LookoutMetrics(self.registry)
        self.webhook = WebhookLookout(
            self.pods,
            self.namespaces,
            own="spillway",
            actuator=SCHEDULER,
            clock=self.clock,
            metrics=metrics,
            apart=at_once,
            refusals=lambda _: (),
        )
        self.spelling = SpellingLookout(
            self.namespaces,
            events=self.events,
            clock=self.clock,
            metrics=metrics,
            leads=lambda: self.leads,
        )

    @contextlib.asynccontextmanager
    async def working(self, chore: Chore) -> AsyncIterator[None]:
        task = asyncio.create_task(chore.run(nothing))
        await settle()
        yield
        await cancelled(task)

    @property
    def unprepared(self) -> float | None:
        return self.registry.get_sample_value("spillway_gate_unprepared_pods")

    def faults(self, code: str) -> float | None:
        return self.registry.get_sample_value("spillway_gate_namespace_faults", {"code": code})


@pytest.fixture
def stage() -> Stage:
    return Stage()


async def test_pods_that_were_not_prepared_are_counted_until_they_are_made_anew(stage: Stage) -> None:
    stage.pods.put(a_pod("bare"))
    async with stage.working(stage.webhook):
        assert stage.unprepared == 1
        stage.pods.put(a_pod("bare", tolerations=[opted_in_toleration()]))
        await stage.clock.advance(30)
        assert stage.unprepared == 0


async def test_a_count_that_grows_is_logged_and_one_that_stays_is_not(stage: Stage) -> None:
    stage.pods.put(a_pod("bare"))
    with structlog.testing.capture_logs() as said:
        async with stage.working(stage.webhook):
            await stage.clock.advance(300)
    assert [each["log_level"] for each in said] == ["warning"]
    assert "1 pod of a labelled namespace was created without the webhook" in said[0]["event"]


async def test_who_leads_no_more_counts_none(stage: Stage) -> None:
    stage.pods.put(a_pod("bare"))
    async with stage.working(stage.webhook):
        assert stage.unprepared == 1
    assert stage.unprepared == 0


async def test_a_misspelt_budget_is_told_on_its_namespace_once(stage: Stage) -> None:
    stage.namespaces.put(a_namespace(annotations={"spillway.dev/max-pod": "1"}))
    async with stage.working(stage.spelling):
        await stage.clock.advance(300)
        said = "nobody reads the annotation spillway.dev/max-pod of a namespace; do you mean {}?"
        assert stage.events.said == [("shop", NOT_READ, said.format("spillway.dev/max-pods"))]
        assert stage.faults("UnknownKey") == 1


async def test_a_label_that_means_nothing_is_told_when_it_is_written(stage: Stage) -> None:
    async with stage.working(stage.spelling):
        assert stage.events.said == []
        stage.namespaces.put(a_namespace("other", {"spillway.dev/overflow": "enable"}))
        await stage.clock.advance(2)
        assert [(about, reason) for about, reason, _ in stage.events.said] == [("other", NOT_READ)]
        assert stage.faults("InvalidNamespaceLabel") == 1


async def test_what_was_mended_is_no_longer_counted_and_is_told_again_if_it_returns(stage: Stage) -> None:
    wrong = a_namespace(annotations={"spillway.dev/max-pod": "1"})
    async with stage.working(stage.spelling):
        for namespace in (wrong, a_namespace(), wrong):
            stage.namespaces.put(namespace)
            await stage.clock.advance(2)
        assert len(stage.events.said) == 2
        stage.namespaces.put(a_namespace())
        await stage.clock.advance(2)
        assert stage.faults("UnknownKey") == 0


async def test_an_event_that_could_not_be_written_comes_again(stage: Stage) -> None:
    stage.namespaces.put(a_namespace(annotations={"spillway.dev/max-pod": "1"}))
    stage.events.broken = True
    async with stage.working(stage.spelling):
        assert stage.events.said == []
        stage.events.broken = False
        await stage.clock.advance(62)
        assert len(stage.events.said) == 1


async def test_who_is_not_sure_to_lead_tells_nobody(stage: Stage) -> None:
    stage.namespaces.put(a_namespace(annotations={"spillway.dev/max-pod": "1"}))
    stage.leads = False
    async with stage.working(stage.spelling):
        assert stage.events.said == []
