"""`kubectl top`, and what metrics-server reads: measured by pods' helpers, and by Container Insights."""

import json
import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio

from app.local.cluster.metrics.exposition import ContainerKey, Scrape, scraped
from app.local.cluster.metrics.points import Point, kept, usage_of
from app.local.fargate.config import FAST, FargateConfig, Image
from app.local.loopback import LOOPBACK, free_ports
from app.wiring.clock import SystemClock
from app.wiring.local import helper
from app.wiring.local.options import LocalOptions
from app.wiring.local.programs import NODE
from app.wiring.local.stack import LocalStack
from tests.system.actors import Actors, running
from tests.system.conftest import KINDS, NEEDS_REAL, NODES
from tests.system.pods import SLEEP, create, python
from tests.system.test_access import let, token_of
from tests.system.test_bad_input import trusting

pytestmark = [
    pytest.mark.system,
    pytest.mark.asyncio(loop_scope="session"),
]
NEEDS_KUBECTL = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not on PATH")
ON_EMBEDDED = pytest.mark.parametrize("stack", ["embedded"], indirect=True, scope="module")
ON_REAL = pytest.mark.parametrize(
    "stack", [pytest.param("real", marks=NEEDS_REAL)], indirect=True, scope="module"
)

OTHER = "fargate-b"
ZONE, OTHER_ZONE = NODES[0].zone, NODES[1].zone
CLUSTER = "spillway"
BURN = """
import signal, sys, time
signal.signal(15, lambda *_: sys.exit(0))
page = bytearray(16 << 20)
while True:
    sum(range(300_000))
    time.sleep(0.05)
"""
ADDRESS = {"name": "ADDRESS", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
QUICK = Image(environment={"SPILLWAY_RUN_SECOND": "100"})
"""The keeper's seconds are short, and so it tells of usage every one and a half."""


@pytest.fixture(scope="module")
def nodes_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two virtual nodes; the second has a port of its own."""
    [port] = free_ports(1)
    nodes = [{"name": NODE, "zone": ZONE}, {"name": OTHER, "zone": OTHER_ZONE, "kubelet_port": port}]
    path = tmp_path_factory.mktemp("nodes") / "nodes.yaml"
    path.write_text(json.dumps(nodes))
    return path


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=KINDS)
async def stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, nodes_file: Path
) -> AsyncIterator[LocalStack]:
    """One bridge with two virtual nodes, which asks for usage every two seconds."""
    directory = tmp_path_factory.mktemp(f"top-{request.param}")
    options = LocalOptions(
        directory=directory,
        nodes=NODES,
        fargate=FargateConfig(
            pace=msgspec.structs.replace(FAST, insights=2.0),
            journal_path=directory / "fargate.jsonl",
            images={helper.IMAGE: QUICK},
        ),
        embedded=request.param == "embedded",
        flags={"bridge": {"nodes-file": str(nodes_file), "usage-period": "2s"}},
    )
    async with LocalStack(options, clock=SystemClock()) as started:
        yield started


@pytest.fixture
def needs_helper(stack: LocalStack) -> None:
    """Leave out what is about the helper where there is none."""
    if not stack.has_helper:
        pytest.skip("the helper cannot be built here: it needs a C compiler (apt-get install musl-tools)")


async def set_insights(actors: Actors, word: str) -> None:
    """Container Insights on or off, as `aws ecs update-cluster-settings` has it."""
    settings = [{"name": "containerInsights", "value": word}]
    body = msgspec.json.encode({"cluster": CLUSTER, "settings": settings})
    target = "AmazonEC2ContainerServiceV20141113.UpdateClusterSettings"
    answer = await actors.stack.fargate.api.handle(target, body)
    assert answer.status == 200


async def burning(actors: Actors, space: str, name: str, *, zone: str = ZONE, helped: bool = False) -> None:
    """Start a pod that works, on the virtual node of a zone; one with the helper has a second container."""
    selector = {"type": "virtual-kubelet", "topology.kubernetes.io/zone": zone}
    containers = [python(BURN), *([python(SLEEP, "side")] if helped else [])]
    await create(actors, space, name, *containers, nodeSelector=selector, restartPolicy="Always")


async def until_running(actors: Actors, space: str, count: int) -> None:
    await actors.until(space, "all pods to run", lambda pods: len(running(pods)) == count)


class Reader:
    """Reads the nodes' measurements as metrics-server does: by itself, with its account's token.

    Not through the API server, which passes nothing on to nodes on loopback.
    """

    def __init__(self, actors: Actors, other_port: int, tokens: Mapping[str, str]) -> None:
        self._actors = actors
        self._ports = {NODE: actors.stack.places.kubelet_port, OTHER: other_port}
        self._tokens = tokens

    async def scrape(self, node: str = NODE) -> Scrape:
        """`/metrics/resource`, as metrics-server understands it."""
        return scraped((await self._answer(node, "/metrics/resource", "metrics")).text)

    async def summary(self, node: str) -> Any:
        """`/stats/summary`."""
        return (await self._answer(node, "/stats/summary", "stats")).json()

    async def until(self, holds: Callable[[Scrape], bool], *, node: str = NODE) -> Scrape:
        """What the node tells, once it holds."""
        seen = await self.scrape(node)

        async def look() -> bool:
            nonlocal seen
            seen = await self.scrape(node)
            return holds(seen)

        await self._actors.until_so("the node to tell", look, shown=lambda: seen)
        return seen

    async def _answer(self, node: str, path: str, right: str) -> httpx.Response:
        url = f"https://{LOOPBACK}:{self._ports[node]}"
        async with httpx.AsyncClient(base_url=url, verify=trusting(self._actors)) as client:
            answer = await client.get(path, headers={"Authorization": f"Bearer {self._tokens[right]}"})
        assert answer.status_code == 200, answer.text
        return answer


@pytest_asyncio.fixture(loop_scope="session")
async def reader(actors: Actors, nodes_file: Path) -> Reader:
    """With an account for each of the two rights."""
    space = await actors.namespace()
    tokens = {}
    for right in ("metrics", "stats"):
        await let(actors, space, right, f"nodes/{right}")
        tokens[right] = await token_of(actors, space, right)
    return Reader(actors, json.loads(nodes_file.read_text())[1]["kubelet_port"], tokens)


def keys(space: str, pod: str, *containers: str) -> set[ContainerKey]:
    """These containers of the pod."""
    return {(space, pod, container) for container in containers}


def of(scrape: Scrape, space: str) -> set[ContainerKey]:
    """The containers of the namespace that were told of."""
    return {key for key in scrape.containers if key[0] == space}


def is_newer(point: Point | None, before: Point) -> bool:
    return point is not None and point.at > before.at


async def require_growth(reader: Reader, before: Scrape, wanted: set[ContainerKey]) -> None:
    """The counters of these containers go on from there, and no faster than a machine can work."""

    def later(now: Scrape) -> bool:
        return all(
            key in now.containers and now.containers[key].at > before.containers[key].at for key in wanted
        )

    after = await reader.until(later)
    for key in wanted:
        used = usage_of(kept((before.containers[key],), after.containers[key]))
        assert used is not None, (before.containers[key], after.containers[key])
        assert used.memory > 0
        assert (used.cpu > 0) or key[2] == "side"
        assert used.cpu < 4e9


@ON_REAL
@pytest.mark.usefixtures("needs_helper")
async def test_a_pod_with_the_helper_is_known_without_container_insights_and_others_are_left_out(
    actors: Actors, reader: Reader
) -> None:
    await set_insights(actors, "disabled")
    space = await actors.namespace(overflow="enabled")
    await burning(actors, space, "helped", helped=True)
    await burning(actors, space, "plain")
    await until_running(actors, space, 2)
    seen = await reader.until(lambda scrape: bool(of(scrape, space)))
    assert of(seen, space) == keys(space, "helped", "main", "side")
    await require_growth(reader, seen, keys(space, "helped", "main", "side"))


@ON_REAL
async def test_container_insights_tell_of_a_pod_without_the_helper(actors: Actors, reader: Reader) -> None:
    await set_insights(actors, "enabled")
    space = await actors.namespace(overflow="enabled")
    await burning(actors, space, "plain")
    await until_running(actors, space, 1)
    seen = await reader.until(lambda scrape: bool(of(scrape, space)))
    assert of(seen, space) == keys(space, "plain", "main")
    assert all(point.cpu > 0 and point.memory > 0 for point in seen.containers.values())
    await require_growth(reader, seen, keys(space, "plain", "main"))


@ON_REAL
@pytest.mark.usefixtures("needs_helper")
async def test_a_container_that_restarts_in_place_counts_on(actors: Actors, reader: Reader) -> None:
    await set_insights(actors, "enabled")
    space = await actors.namespace(overflow="enabled")
    works = "import time; end = time.monotonic() + 5\nwhile time.monotonic() < end: sum(range(300_000))"
    selector = {"type": "virtual-kubelet", "topology.kubernetes.io/zone": ZONE}
    again = {"restartPolicy": "Always", "nodeSelector": selector}
    await create(actors, space, "again", python(works, env=[ADDRESS]), **again)
    await until_running(actors, space, 1)
    key = (space, "again", "main")
    points = [(await reader.until(lambda scrape: key in scrape.containers)).containers[key]]

    async def restarted_and_measured() -> bool:
        now = (await reader.scrape()).containers.get(key)
        points.extend([now] if now is not None else [])
        [pod] = await actors.pods(space)
        return pod.status.container_statuses[0]["restartCount"] > 0 and points[-1].at > points[0].at + 8

    await actors.until_so("a restart", restarted_and_measured)
    assert [each.cpu for each in points] == sorted(each.cpu for each in points)
    assert {each.started for each in points} == {points[0].started}


def summed(pods: list[Mapping[str, Any]], space: str) -> dict[str, int]:
    """Core nanoseconds of the namespace's pods."""
    return {
        each["podRef"]["name"]: each["cpu"]["usageCoreNanoSeconds"]
        for each in pods
        if each["podRef"]["namespace"] == space
    }


@ON_REAL
@pytest.mark.usefixtures("needs_helper")
async def test_each_node_of_a_bridge_tells_of_its_own_pods_alone(actors: Actors, reader: Reader) -> None:
    await set_insights(actors, "enabled")
    space = await actors.namespace(overflow="enabled")
    await burning(actors, space, "here", helped=True)
    await burning(actors, space, "there", zone=OTHER_ZONE)
    await until_running(actors, space, 2)
    here = await reader.until(lambda scrape: bool(of(scrape, space)))
    there = await reader.until(lambda scrape: bool(of(scrape, space)), node=OTHER)
    assert (of(here, space), of(there, space)) == (
        keys(space, "here", "main", "side"),
        keys(space, "there", "main"),
    )
    assert here.node is not None
    assert there.node is not None
    for node, pod in ((NODE, "here"), (OTHER, "there")):
        summary = await reader.summary(node)
        assert summary["node"]["nodeName"] == node
        told = summed(summary["pods"], space)
        assert list(told) == [pod]
        assert told[pod] > 0


@NEEDS_KUBECTL
@ON_EMBEDDED
@pytest.mark.usefixtures("needs_helper")
async def test_kubectl_top_shows_what_pods_and_their_node_use(actors: Actors) -> None:
    await set_insights(actors, "enabled")
    space = await actors.namespace(overflow="enabled")
    await burning(actors, space, "helped", helped=True)
    await burning(actors, space, "plain")
    await until_running(actors, space, 2)
    shown: dict[str, tuple[int, int]] = {}

    async def look() -> bool:
        pods = await actors.kubectl("top", "pod", "-n", space, "--no-headers")
        nodes = await actors.kubectl("top", "node", NODE, "--no-headers")
        shown.clear()
        shown.update(rows(pods[1]) | rows(nodes[1]))
        return set(shown) == {"helped", "plain", NODE} and all(min(each) > 0 for each in shown.values())

    await actors.until_so("both pods and the node", look, shown=lambda: shown)
    assert shown["helped"][1] >= 16
    assert shown["plain"][1] >= 16


def rows(text: str) -> dict[str, tuple[int, int]]:
    """Millicores and mebibytes by name, of the columns of pods and of nodes."""
    split = (line.split() for line in text.splitlines())
    return {
        name: (int(cpu.removesuffix("m")), int(next(each for each in rest if each.endswith("Mi"))[:-2]))
        for name, cpu, *rest in split
        if cpu.endswith("m")
    }
