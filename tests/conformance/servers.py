"""The API servers that the suite runs on, and a client that says what the tests say."""

import asyncio
import base64
import json
import os
import ssl
import threading
import uuid
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import Any, TypeVar

import httpx

from app.local.cluster.cluster import ClusterConfig, EmbeddedCluster
from app.local.controlplane import ControlPlane, ControlPlaneAssets
from app.tls.authority import Authority

T = TypeVar("T")
Json = dict[str, Any]
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"


class WallClock:
    """The real time: a real API server has no other."""

    def now(self) -> datetime:
        return datetime.now(tz=UTC)  # noqa: TID251  (this is a Clock)

    def steady(self) -> float:
        return monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class ApiServer:
    """One API server, reached as a cluster admin."""

    http: httpx.Client
    kubeconfig: Path
    anonymous: httpx.Client
    authority: Authority | None = None
    """Signs what the server trusts; None where the server is not ours."""

    def get(self, path: str, *, accept: str = "application/json", **query: Any) -> httpx.Response:
        return self.http.get(path, params=query, headers={"Accept": accept})

    def post(self, path: str, body: Any, **query: Any) -> httpx.Response:
        return self.http.post(path, json=body, params=query)

    def put(self, path: str, body: Any, **query: Any) -> httpx.Response:
        return self.http.put(path, json=body, params=query)

    def patch(self, path: str, body: Any, kind: str = MERGE, **query: Any) -> httpx.Response:
        content = json.dumps(body)
        return self.http.patch(path, content=content, params=query, headers={"Content-Type": kind})

    def apply(self, path: str, body: Json, manager: str, *, force: bool = False) -> httpx.Response:
        return self.patch(path, body, APPLY, fieldManager=manager, force=str(force).lower())

    def delete(self, path: str, body: Json | None = None, **query: Any) -> httpx.Response:
        return self.http.request("DELETE", path, json=body or {}, params=query)

    def version(self, path: str) -> str:
        """The resourceVersion of a list now."""
        return str(self.get(path).json()["metadata"]["resourceVersion"])

    def watch(self, path: str, *, accept: str = "application/json", **query: Any) -> list[Json]:
        """Every event of a watch that lasts one second."""
        params = {"watch": "1", "timeoutSeconds": "1", **query}
        with self.http.stream("GET", path, params=params, headers={"Accept": accept}) as response:
            return [json.loads(line) for line in response.iter_lines() if line]

    def until(self, path: str, *, status: int = 200, seconds: float = 60.0) -> httpx.Response:
        """The first answer with this status."""
        ends = monotonic() + seconds
        answer = self.get(path)
        while answer.status_code != status and monotonic() < ends:
            sleep(0.05)
            answer = self.get(path)
        assert answer.status_code == status, answer.text
        return answer


@dataclass(frozen=True, slots=True)
class Space:
    """A namespace of a test's own, on one server."""

    api: ApiServer
    name: str

    def path(self, plural: str, *more: str, group: str = "") -> str:
        prefix = f"/apis/{group}/v1" if group else "/api/v1"
        return "/".join([f"{prefix}/namespaces/{self.name}/{plural}", *more])

    @property
    def pods(self) -> str:
        return self.path("pods")

    @property
    def config_maps(self) -> str:
        return self.path("configmaps")

    @property
    def deployments(self) -> str:
        return self.path("deployments", group="apps")

    @property
    def leases(self) -> str:
        return self.path("leases", group="coordination.k8s.io")

    def pod(self, name: str = "web", metadata: Json | None = None, **spec: Any) -> Json:
        """Create a pod and return it as the server answered."""
        answer = self.api.post(self.pods, a_pod(name, metadata=metadata, **spec))
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def config_map(self, name: str = "cm", **metadata: Any) -> Json:
        answer = self.api.post(self.config_maps, a_config_map(name, **metadata))
        assert answer.status_code == 201, answer.text
        return dict(answer.json())


def a_pod(name: str = "web", metadata: Json | None = None, **spec: Any) -> Json:
    """The least manifest of a pod."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, **(metadata or {})},
        "spec": {"containers": [{"name": "main", "image": "registry.example/app:1"}], **spec},
    }


def a_config_map(name: str = "cm", data: Json | None = None, **metadata: Any) -> Json:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}}
    return body if data is None else {**body, "data": data}


def a_deployment(name: str = "web", replicas: int = 0) -> Json:
    """A deployment that no controller makes pods for."""
    containers = [{"name": "main", "image": "registry.example/app:1"}]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": containers}},
        },
    }


def a_node(name: str, **more: Any) -> Json:
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, **more}


def unique(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


class Background:
    """An event loop in a thread, so that tests may speak plain blocking HTTP to a server in this process."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="api-server", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=90)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@contextmanager
def background() -> Iterator[Background]:
    loop = Background()
    try:
        yield loop
    finally:
        loop.stop()


@contextmanager
def embedded(folder: Path) -> Iterator[ApiServer]:
    clock = WallClock()
    authority = Authority.create("conformance", now=clock.now())
    with background() as loop:
        cluster = EmbeddedCluster(
            ClusterConfig(), clock=clock, ids=lambda: str(uuid.uuid4()), authority=authority
        )
        loop.run(cluster.start())
        try:
            with connected(cluster.kubeconfig(), folder, authority) as server:
                yield server
        finally:
            loop.run(cluster.stop())


@contextmanager
def real(assets: ControlPlaneAssets, folder: Path) -> Iterator[ApiServer]:
    clock = WallClock()
    authority = Authority.create("conformance", now=clock.now())
    plane = ControlPlane(assets, directory=folder / "plane", clock=clock, authority=authority)
    (folder / "plane").mkdir()
    with background() as loop:
        try:
            loop.run(plane.start())
            with connected(plane.kubeconfig(), folder, authority) as server:
                yield server
        finally:
            loop.run(plane.stop())


@contextmanager
def connected(kubeconfig: Json, folder: Path, signer: Authority | None = None) -> Iterator[ApiServer]:
    """A client for a kubeconfig with a token and the authority inside."""
    path = folder / "kubeconfig"
    path.write_text(json.dumps(kubeconfig))
    cluster = kubeconfig["clusters"][0]["cluster"]
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    trust = ssl.create_default_context(cadata=authority)
    bearer = {"Authorization": f"Bearer {kubeconfig['users'][0]['user']['token']}"}
    with ExitStack() as clients:
        http, anonymous = (
            clients.enter_context(
                httpx.Client(
                    base_url=cluster["server"], verify=trust, headers=headers, trust_env=False, timeout=30
                )
            )
            for headers in (bearer, {"Authorization": "Bearer nobody"})
        )
        yield ApiServer(http=http, kubeconfig=path, anonymous=anonymous, authority=signer)


def given_kubeconfig() -> Json | None:
    """The kubeconfig of a real API server that runs already, where one is named."""
    named = os.environ.get("SPILLWAY_CONFORMANCE_KUBECONFIG")
    return json.loads(Path(named).read_text()) if named else None
