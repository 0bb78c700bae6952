"""`kubectl top` by the real kubectl, where it is on PATH."""

import asyncio
import itertools
import json
import os
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.local.cluster.cluster import ClusterConfig, EmbeddedCluster
from app.tls.authority import Authority
from tests.fakes import VirtualClock
from tests.local.cluster.metrics.kubelets import Measured, add_node, add_pod, measuring, said

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not on PATH")


@pytest.fixture
def clock() -> VirtualClock:
    """Begins now: TLS compares certificates with the machine's own time."""
    return VirtualClock(datetime.now(tz=UTC))  # noqa: TID251  (see above)


@pytest.fixture
async def cluster(clock: VirtualClock, tmp_path: Path) -> AsyncIterator[EmbeddedCluster]:
    """A cluster in which a pod used a quarter of a core lately."""
    numbers = itertools.count(1)
    authority = Authority.create("tests", now=clock.now())
    made = EmbeddedCluster(
        ClusterConfig(), clock=clock, ids=lambda: f"uid-{next(numbers)}", authority=authority
    )
    await made.start()
    async with measuring(authority, clock, tmp_path) as kubelet:
        await add_node(made.api, "virtual", kubelet.port)
        await add_pod(made.api)
        await measure(kubelet, clock, said(0, cpu=10.0))
        await measure(kubelet, clock, said(60, cpu=25.0))
        yield made
        await made.stop()


async def measure(kubelet: Measured, clock: VirtualClock, text: str) -> None:
    """One round of the scraper."""
    kubelet.text = text
    await clock.advance(15)
    async with asyncio.timeout(20):
        await kubelet.rounds.acquire()
    await asyncio.sleep(0.1)  # the answer is on its way, in real time


async def top(cluster: EmbeddedCluster, folder: Path, *arguments: str) -> tuple[str, str]:
    """What `kubectl top` prints, and complains of."""
    path = folder / "kubeconfig"
    path.write_text(json.dumps(cluster.kubeconfig()))
    running = await asyncio.create_subprocess_exec(
        "kubectl",
        "top",
        *arguments,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "KUBECONFIG": str(path)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await running.communicate()
    return out.decode(), err.decode()


async def test_pods(cluster: EmbeddedCluster, tmp_path: Path) -> None:
    out, err = await top(cluster, tmp_path, "pod", "--containers")

    assert err == ""
    assert out.splitlines()[1].split() == ["web", "main", "250m", "0Mi"]


async def test_one_pod(cluster: EmbeddedCluster, tmp_path: Path) -> None:
    out, _ = await top(cluster, tmp_path, "pod", "web", "--no-headers")

    assert out.split() == ["web", "250m", "0Mi"]


async def test_nodes_with_their_share(cluster: EmbeddedCluster, tmp_path: Path) -> None:
    out, err = await top(cluster, tmp_path, "node", "--no-headers")

    assert err == ""
    assert out.split() == ["virtual", "250m", "25%", "2Mi", "25%"]
