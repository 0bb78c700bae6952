"""The leader's policy comes onto every virtual node, and stays what it is."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec
import pytest

from app.extender.cluster.facts import Facts
from app.extender.insight.policy import DEFAULTS, Policy, read_policy
from app.extender.publisher import Publisher
from app.model.names import POLICY, POLICY_MANAGER
from app.model.node import Node
from app.ports.failures import NotFound, PortFailure, Unavailable
from app.timing.waiting import cancelled
from tests.builders import VIRTUAL, a_node, a_virtual_node
from tests.fakes import FakeWatched, VirtualClock, settle

POLICY_HERE = Policy(handover=True)


class AnnotatingNodes:
    """The Nodes port as far as annotations go; the watch shows each write at once."""

    def __init__(self, watch: FakeWatched[Node]) -> None:
        self.watch = watch
        self.writes: list[tuple[str, str]] = []
        self.failures: list[PortFailure] = []

    async def apply_status(self, manifest: Mapping[str, Any], *, manager: str) -> Node:
        self.writes.append((manifest["metadata"]["name"], manager))
        if self.failures:
            raise self.failures.pop(0)
        node = self.watch.get(manifest["metadata"]["name"])
        assert node is not None
        return self.put(node, manifest["metadata"]["annotations"])

    def put(self, node: Node, annotations: Mapping[str, str]) -> Node:
        metadata = msgspec.structs.replace(node.metadata, annotations=dict(annotations))
        after = msgspec.structs.replace(node, metadata=metadata)
        self.watch.put(after)
        return after

    async def get(self, name: str) -> Node:
        raise NotImplementedError

    async def create(self, manifest: Mapping[str, Any]) -> Node:
        raise NotImplementedError

    async def apply(self, manifest: Mapping[str, Any], *, manager: str) -> Node:
        raise NotImplementedError


class Stage:
    """A publisher that works."""

    def __init__(self, *nodes: Node) -> None:
        self.clock = VirtualClock()
        self.watch: FakeWatched[Node] = FakeWatched(nodes)
        self.port = AnnotatingNodes(self.watch)
        self.leads = True
        self.publisher = Publisher(
            POLICY_HERE, watched=self.watch, nodes=self.port, clock=self.clock, leads=lambda: self.leads
        )

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.publisher.run(nothing))
        await settle()
        yield
        await cancelled(task)

    def shown(self, name: str = VIRTUAL) -> Policy | None:
        node = self.watch.get(name)
        assert node is not None
        return read_policy(node.metadata.annotations)


def nothing() -> Facts:
    raise AssertionError("a publisher asks for no facts")


async def test_it_is_written_on_virtual_nodes_and_on_no_other() -> None:
    stage = Stage(a_virtual_node(), a_node())
    async with stage.working():
        assert stage.port.writes == [(VIRTUAL, POLICY_MANAGER)]
        assert stage.shown() == POLICY_HERE


async def test_what_stands_there_already_is_not_written_again() -> None:
    stage = Stage(a_virtual_node())
    async with stage.working():
        await stage.clock.advance(120)
        assert len(stage.port.writes) == 1


async def test_a_virtual_node_that_comes_later_gets_it() -> None:
    stage = Stage()
    async with stage.working():
        stage.watch.put(a_virtual_node())
        await stage.clock.advance(1)
        assert stage.shown() == POLICY_HERE


async def test_what_somebody_else_wrote_there_is_put_right() -> None:
    stage = Stage(a_virtual_node())
    async with stage.working():
        node = stage.watch.get(VIRTUAL)
        assert node is not None
        stage.port.put(node, {POLICY: "{}"})
        assert stage.shown() == DEFAULTS
        await stage.clock.advance(1)
        assert stage.shown() == POLICY_HERE


@pytest.mark.parametrize(
    "failure",
    [pytest.param(Unavailable("no answer"), id="no-answer"), pytest.param(NotFound("gone"), id="gone")],
)
async def test_a_write_that_fails_is_tried_again(failure: PortFailure) -> None:
    stage = Stage(a_virtual_node())
    stage.port.failures = [failure]
    async with stage.working():
        assert stage.shown() is None
        await stage.clock.advance(31)
        assert stage.shown() == POLICY_HERE


async def test_failing_writes_are_not_hurried_by_a_node_that_changes() -> None:
    stage = Stage(a_virtual_node())
    stage.port.failures = [Unavailable("no answer")] * 100
    async with stage.working():
        for _ in range(50):
            stage.watch.put(a_virtual_node())
            await stage.clock.advance(0.1)
        assert len(stage.port.writes) <= 6


async def test_one_who_does_not_surely_lead_writes_nothing() -> None:
    stage = Stage(a_virtual_node())
    stage.leads = False
    async with stage.working():
        assert stage.port.writes == []
