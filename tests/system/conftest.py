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


def real_is_missing() -> str:
    """Why no real control plane can be used; empty where one can."""
    missing = missing_assets(os.environ)
    return f"no real control plane: {', '.join(missing)}; set KUBEBUILDER_ASSETS" if missing else ""


@pytest_asyncio.fixture(
    scope="session",
    loop_scope="session",
    params=[
        "embedded",
        pytest.param("real", marks=pytest.mark.skipif(bool(real_is_missing()), reason=real_is_missing())),
    ],
)
async def stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[LocalStack]:
    """A whole local stack: two nodes of 2 cpu, and Fargate."""
    directory = tmp_path_factory.mktemp(f"stack-{request.param}")
    options = LocalOptions(
        directory=directory,
        nodes=NODES,
        fargate=FargateConfig(
            pace=FAST, events_queue="task-events", journal_path=directory / "fargate.jsonl"
        ),
        embedded=request.param == "embedded",
        node_lease_seconds=5,
    )
    async with LocalStack(options, clock=SystemClock()) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def actors(stack: LocalStack) -> AsyncIterator[Actors]:
    """The stack, with a namespace of its own per test that is emptied afterwards; no task may be left."""
    acting = Actors(stack, clock=SystemClock())
    yield acting
    await acting.leave()
