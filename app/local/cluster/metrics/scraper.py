"""Asks every node's kubelet for its measurements, again and again."""

import asyncio
from typing import Final

from app.local.cluster.apiserver.api import Api
from app.local.cluster.apiserver.errors import ApiError
from app.local.cluster.apiserver.log_proxy import KubeletTls, kubelet_address
from app.local.cluster.apiserver.objects import Object
from app.local.cluster.metrics.exposition import ContainerKey, Scrape, scraped
from app.local.cluster.metrics.points import Point, Usage, kept, usage_of
from app.local.http_client import HttpClient, HttpError
from app.ports.clock import Clock

_PERIOD: Final = 15.0
_OK: Final = 200
_PATH: Final = "/metrics/resource"


class Scraper:
    """The last two points of every node and container whose kubelet answers."""

    def __init__(self, api: Api, *, kubelets: KubeletTls, clock: Clock) -> None:
        self._api = api
        self._kubelets = kubelets
        self._clock = clock
        self._nodes: dict[str, tuple[Point, ...]] = {}
        self._containers: dict[ContainerKey, tuple[Point, ...]] = {}

    async def run(self) -> None:
        """Scrape until cancelled."""
        while True:
            await self.scrape()
            await self._clock.sleep(_PERIOD)

    async def scrape(self) -> None:
        """One round. What is not told any more is forgotten."""
        nodes = [node for node in self._api.list("nodes") if _has_kubelet(node)]
        found = await asyncio.gather(*(self._ask(node) for node in nodes))
        answers = {
            str(node["metadata"]["name"]): answer
            for node, answer in zip(nodes, found, strict=True)
            if answer is not None
        }
        self._nodes = {
            name: kept(self._nodes.get(name, ()), answer.node)
            for name, answer in answers.items()
            if answer.node is not None
        }
        self._containers = {
            key: kept(self._containers.get(key, ()), point)
            for answer in answers.values()
            for key, point in answer.containers.items()
        }

    def node(self, name: str) -> Usage | None:
        """What the node used lately; None where that is not known."""
        return usage_of(self._nodes.get(name, ()))

    def pod(self, namespace: str, name: str) -> dict[str, Usage]:
        """What each container of the pod used lately; empty unless that is known of all of them."""
        series = {key[2]: points for key, points in self._containers.items() if key[:2] == (namespace, name)}
        usages = {container: usage_of(points) for container, points in series.items()}
        known = {container: usage for container, usage in usages.items() if usage is not None}
        return known if len(known) == len(series) else {}

    async def _ask(self, node: Object) -> Scrape | None:
        """What the kubelet says; None where it does not answer, as that of a node without an API."""
        try:
            host, port = kubelet_address(node)
            client = HttpClient(f"https://{host}:{port}", tls=self._kubelets.verified)
            try:
                answer = await client.request("GET", _PATH)
            finally:
                await client.close()
        except (ApiError, HttpError):
            return None
        return scraped(answer.body.decode(errors="replace")) if answer.status == _OK else None


def _has_kubelet(node: Object) -> bool:
    """Whether the node says where its kubelet listens; nodes that are only played by a test do not."""
    endpoints = node.get("status", {}).get("daemonEndpoints", {})
    return bool(endpoints.get("kubeletEndpoint", {}).get("Port"))
