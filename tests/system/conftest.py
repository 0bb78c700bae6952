"""One running stack per kind of cluster, shared by the tests: embedded, and real where assets exist."""

import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app.local.controlplane import missing_assets
from app.local.fargate.config import FAST, FargateConfig
from app.local.kubelets import FakeNode
from app.wiring.clock import SystemClock
from app.wiring.local.options import LocalOptions
from app.wiring.local.stack import LocalStack
from tests.system.actors import Actors

NODES = (
    FakeNode(name="ec2-0", cpu="2", memory="4Gi", zone="us-east-1a"),
    FakeNode(name="ec2-1", cpu="2", memory="4Gi", zone="us-east-1b"),
)

PRIORITY_CLASSES = "test-burst=burst,test-preempt=preempt,test-wait=wait"


def real_is_missing() -> str:
    """Why no real control plane can be used; empty where one can."""
    missing = missing_assets(os.environ)
    return f"no real control plane: {', '.join(missing)}; set KUBEBUILDER_ASSETS" if missing else ""


NEEDS_REAL = pytest.mark.skipif(bool(real_is_missing()), reason=real_is_missing())
KINDS = ["embedded", pytest.param("real", marks=NEEDS_REAL)]
TOLERATING = ["embedded-toleration", pytest.param("real-toleration", marks=NEEDS_REAL)]
"""Stacks: the kind of cluster, and the actuator where it is not the scheduler's extender."""

BOTH_ACTUATORS = pytest.mark.parametrize("stack", [*KINDS, TOLERATING[1]], indirect=True, scope="session")
BY_TOLERATION = pytest.mark.parametrize("stack", TOLERATING, indirect=True, scope="session")
TOLERATING_ON_REAL = pytest.mark.parametrize("stack", [TOLERATING[1]], indirect=True, scope="session")
ON_REAL = pytest.mark.parametrize("stack", [KINDS[1]], indirect=True, scope="session")
"""For tests (or a module's `pytestmark`) on other stacks than the two kinds; long ones run
on the real control plane alone."""


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=KINDS)
async def stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[LocalStack]:
    """A whole local stack: two nodes of 2 cpu, and Fargate."""
    kind, _, actuator = str(request.param).partition("-")
    directory = tmp_path_factory.mktemp(f"stack-{request.param}")
    options = LocalOptions(
        directory=directory,
        nodes=NODES,
        fargate=FargateConfig(
            pace=FAST, events_queue="task-events", journal_path=directory / "fargate.jsonl"
        ),
        embedded=kind == "embedded",
        node_lease_seconds=5,
        actuator="toleration" if actuator else "scheduler",
        flags={"extender": {"priority-classes": PRIORITY_CLASSES}},
    )
    async with LocalStack(options, clock=SystemClock()) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def actors(stack: LocalStack) -> AsyncIterator[Actors]:
    """The stack, with a namespace of its own per test that is emptied afterwards; no task may be left."""
    acting = Actors(stack, clock=SystemClock())
    yield acting
    await acting.leave()
