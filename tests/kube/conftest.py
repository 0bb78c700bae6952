import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.kube.connection import Connection, connect
from tests.fakes import VirtualClock
from tests.kube.fakes import FakeWatch, a_list
from tests.kube.scene import ONE, Scene
from tests.kube.server import WireServer, wire_server


def a_kubeconfig(
    path: Path,
    server: str,
    *,
    user: dict[str, Any] | None = None,
    cluster: dict[str, Any] | None = None,
    name: str = "main",
) -> str:
    """Write a kubeconfig with one context; its path."""
    path.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": name,
                "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
                "clusters": [{"name": name, "cluster": {"server": server, **(cluster or {})}}],
                "users": [{"name": name, "user": user or {"token": "secret"}}],
            }
        )
    )
    return str(path)


@pytest.fixture
async def server() -> AsyncIterator[WireServer]:
    async with wire_server() as scripted:
        yield scripted


@pytest.fixture
async def connection(server: WireServer, tmp_path: Path) -> AsyncIterator[Connection]:
    """A connection to `server`, with the token `secret`."""
    config = a_kubeconfig(tmp_path / "config", f"http://127.0.0.1:{server.port}")
    made = await connect(kubeconfig=config, clock=VirtualClock(), agent="spillway/1 (test)", environ={})
    yield made
    await made.close()


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
async def synced(scene: Scene) -> AsyncIterator[tuple[Scene, FakeWatch]]:
    """Pod `one` is listed at version 10, and the first watch is open; what was heard so far is forgotten."""
    scene.server.answer(a_list(ONE))
    watch = scene.server.watch()
    async with scene.running():
        scene.heard.clear()
        yield scene, watch
