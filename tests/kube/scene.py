"""A reflector of pods that runs against a scripted server, on a clock that the test moves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry

from app.kube.metrics import WatchMetrics
from app.kube.paths import PODS
from app.kube.reflector import Reflector
from app.model.pod import Pod
from tests.builders import a_pod
from tests.fakes import VirtualClock, settle
from tests.kube.fakes import FakeTransport, FakeWatch, a_list, at_version

ONE = at_version(a_pod("one", uid="u1"), "5")
TWO = at_version(a_pod("two", uid="u2"), "6")
SAME = a_list(version="10")
"""What the server says when it is asked for its version only."""


class Scene:
    """A reflector that runs against a scripted server, and what its listener heard."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.server = FakeTransport()
        self.registry = CollectorRegistry()
        self.heard: list[tuple[Pod | None, Pod | None]] = []
        self.pods: Reflector[Pod] = Reflector(
            self.server,
            path=PODS,
            decode=Pod,
            clock=self.clock,
            jitter=lambda: 1.0,
            metrics=WatchMetrics(self.registry),
            field_selector="spec.nodeName=n",
        )
        self.pods.on_change(lambda before, after: self.heard.append((before, after)))

    def watches_asked(self) -> list[str]:
        return [each.query["resourceVersion"] for each in self.server.asks("WATCH")]

    def counted(self, what: str) -> float | None:
        return self.registry.get_sample_value(f"spillway_watch_{what}_total", {"path": PODS})

    def lists_asked(self) -> int:
        return len([each for each in self.server.asks("GET") if each.query.get("limit") != 1])

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.ensure_future(self.pods.run())
        await settle()
        try:
            yield
        finally:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task


Synced = tuple[Scene, FakeWatch]
"""The fixture `synced`: a scene, and its first open watch."""
