import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from app.kube import paths
from app.kube.metrics import WatchMetrics
from app.kube.optional import AGAIN_SECONDS, OptionalWatch, Wanted
from app.kube.reflector import Reflector
from app.model.node_claim import NodeClaim
from app.ports.failures import NotFound, PortFailure, Refused, Unavailable
from tests.extender.cluster.bodies import CLAIM
from tests.fakes import VirtualClock, settle
from tests.kube.fakes import FakeTransport, FakeWatch, a_list

SERVED = {
    "kind": "APIResourceList",
    "groupVersion": "karpenter.sh/v1",
    "resources": [{"name": "nodepools"}, {"name": "nodeclaims"}, {"name": "nodeclaims/status"}],
}
OTHERS = {**SERVED, "resources": [{"name": "nodepools"}]}
EMPTY = a_list()


def _name(claim: NodeClaim | None) -> str | None:
    return claim.name if claim is not None else None


class Karpenter:
    """An optional watch of claims against a scripted server."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.server = FakeTransport()
        self.heard: list[tuple[str | None, str | None]] = []
        wanted = Wanted(path=paths.NODE_CLAIMS, group=paths.KARPENTER, mend="give the extender the right")
        self.watch = OptionalWatch(self.server, wanted, make=self._reflector, clock=self.clock)
        self.watch.on_change(lambda before, after: self.heard.append((_name(before), _name(after))))

    def _reflector(self) -> Reflector[NodeClaim]:
        return Reflector(
            self.server,
            path=paths.NODE_CLAIMS,
            decode=NodeClaim,
            clock=self.clock,
            jitter=lambda: 1.0,
            metrics=WatchMetrics(CollectorRegistry()),
        )

    def asked(self) -> list[str]:
        return [each.path for each in self.server.asks("GET")]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.ensure_future(self.watch.run())
        await settle()
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[FakeWatch]:
        """One claim is listed and its watch is open."""
        self.server.answer(SERVED, EMPTY, a_list(CLAIM))
        watch = self.server.watch()
        async with self.running():
            yield watch


@pytest.fixture
def karpenter() -> Karpenter:
    return Karpenter()


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param((NotFound("no such group"),), id="no such API group"),
        pytest.param((OTHERS,), id="no such kind in it"),
        pytest.param((SERVED, NotFound("no such path")), id="gone meanwhile"),
        pytest.param((SERVED, Refused("403 nodeclaims is forbidden")), id="not allowed"),
        pytest.param((Unavailable("no answer"),), id="no answer"),
    ],
)
async def test_what_is_not_there_is_looked_for_now_and_then_and_watched_once_it_is(
    karpenter: Karpenter, answers: tuple[Any, ...]
) -> None:
    karpenter.server.answer(*answers)
    async with karpenter.running():
        await karpenter.watch.synced()
        assert (karpenter.watch.all(), karpenter.watch.get("x")) == ((), None)
        await karpenter.clock.advance(AGAIN_SECONDS - 1)
        assert len(karpenter.asked()) == len(answers)
        karpenter.server.answer(SERVED, EMPTY, a_list(CLAIM))
        karpenter.server.watch()
        await karpenter.clock.advance(1)
        await karpenter.watch.synced()
        assert karpenter.heard == [(None, "default-7lh6k")]
        assert len(karpenter.watch.all()) == 1


async def test_changes_are_heard_as_those_of_any_watch(karpenter: Karpenter) -> None:
    async with karpenter.watching() as watch:
        later = {**CLAIM, "metadata": {**CLAIM["metadata"], "resourceVersion": "18355"}}
        watch.event("MODIFIED", later)
        watch.event("DELETED", later)
        await settle()
        assert karpenter.heard == [
            (None, "default-7lh6k"),
            ("default-7lh6k", "default-7lh6k"),
            ("default-7lh6k", None),
        ]


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param((NotFound("no such group"),), id="uninstalled"),
        pytest.param((SERVED, Refused("403 nodeclaims is forbidden")), id="no longer allowed"),
    ],
)
async def test_what_goes_away_leaves_nothing_behind(karpenter: Karpenter, answers: tuple[Any, ...]) -> None:
    async with karpenter.watching() as watch:
        karpenter.server.answer(*answers)
        await karpenter.clock.advance(AGAIN_SECONDS)
        assert (karpenter.watch.all(), watch.closed) == ((), True)
        assert karpenter.heard[-1] == ("default-7lh6k", None)


async def test_a_server_that_does_not_answer_takes_nothing_away(karpenter: Karpenter) -> None:
    async with karpenter.watching() as watch:
        karpenter.server.answer(Unavailable("no answer"))
        await karpenter.clock.advance(AGAIN_SECONDS)
        assert (len(karpenter.watch.all()), watch.closed) == (1, False)


@pytest.mark.parametrize(
    ("failure", "level"),
    [
        pytest.param(Refused("GET: 403 forbidden"), "warning", id="not allowed"),
        pytest.param(NotFound("GET: 404"), "info", id="not there"),
    ],
)
async def test_what_keeps_it_from_watching_is_said_once(
    karpenter: Karpenter, failure: PortFailure, level: str
) -> None:
    karpenter.server.answer(SERVED, failure, SERVED, failure, SERVED, failure)
    with capture_logs() as lines:
        async with karpenter.running():
            await karpenter.clock.advance(3 * AGAIN_SECONDS)
    (said,) = [line for line in lines if "not watched" in line["event"]]
    assert said["log_level"] == level
    assert ("give the extender the right" in str(said)) is (level == "warning")
    assert len(karpenter.asked()) > 4
