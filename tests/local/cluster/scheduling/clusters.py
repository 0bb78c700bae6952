"""Two clusters behind one face: the embedded one, and a real control plane with its own scheduler."""

import asyncio
import tempfile
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import msgspec

from app.local.cluster.apiserver.api import Api, ApiError, Object
from app.local.cluster.scheduling.config import ExtenderConfig, SchedulerConfig
from app.local.cluster.scheduling.scheduler import Scheduler
from app.local.controlplane import ControlPlane, ControlPlaneAssets
from app.local.http_client import HttpClient, loopback_tls
from app.local.scheduler_configuration import scheduler_configuration
from app.model.names import MARKER
from app.tls.authority import Authority
from app.wiring.clock import SystemClock
from tests.local.cluster.scheduling.stub_extender import StubExtender

MERGE = "application/merge-patch+json"


class Cluster(Protocol):
    """What the tests do to a cluster."""

    async def create(self, resource: str, namespace: str, body: Object) -> Object: ...

    async def get(self, resource: str, namespace: str, name: str) -> Object | None: ...

    async def list(self, resource: str) -> list[Object]: ...

    async def patch(
        self, resource: str, namespace: str, name: str, patch: Object, *, status: bool = False
    ) -> Object: ...

    async def delete(self, resource: str, namespace: str, name: str) -> None: ...


class EmbeddedScheduling:
    """The embedded API and the embedded scheduler."""

    def __init__(self, extender: StubExtender, *, marked_only: bool = False) -> None:
        self._api = Api(clock=SystemClock(), ids=lambda: str(uuid.uuid4()))
        managed = frozenset({MARKER} if marked_only else ())
        asked = ExtenderConfig(
            url_prefix=extender.url,
            prioritize_verb="prioritize" if marked_only else "",
            managed_resources=managed,
        )
        config = SchedulerConfig(extender=asked)
        self._scheduler = Scheduler(self._api, config=config, clock=SystemClock())
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._api.create("namespaces", "", {"metadata": {"name": "default"}})
        self._task = asyncio.create_task(self._scheduler.run())

    async def stop(self) -> None:
        assert self._task is not None
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def create(self, resource: str, namespace: str, body: Object) -> Object:
        return await self._api.create(resource, namespace, body)

    async def get(self, resource: str, namespace: str, name: str) -> Object | None:
        try:
            return self._api.get(resource, namespace, name)
        except ApiError:
            return None

    async def list(self, resource: str) -> list[Object]:
        return self._api.list(resource)

    async def patch(
        self, resource: str, namespace: str, name: str, patch: Object, *, status: bool = False
    ) -> Object:
        part = "status" if status else ""
        return await self._api.patch(resource, namespace, name, patch, kind="merge", subresource=part)

    async def delete(self, resource: str, namespace: str, name: str) -> None:
        await self._api.delete(resource, namespace, name, grace_seconds=0)


class RealScheduling:
    """A real control plane whose kube-scheduler asks the extender."""

    def __init__(
        self, assets: ControlPlaneAssets, extender: StubExtender, *, marked_only: bool = False
    ) -> None:
        clock = SystemClock()
        self._folder = tempfile.TemporaryDirectory(prefix="spillway-test-")
        self._authority = Authority.create("spillway-test", now=clock.now())
        self._extender = extender
        self._marked_only = marked_only
        self._plane = ControlPlane(
            assets, directory=Path(self._folder.name), clock=clock, authority=self._authority
        )
        self._client: HttpClient | None = None

    async def start(self) -> None:
        await self._plane.start()
        config = scheduler_configuration(
            kubeconfig_path=str(self._plane.kubeconfig_path),
            extender_url=self._extender.url,
            prioritize=self._marked_only,
            marked_only=self._marked_only,
        )
        await self._plane.start_scheduler(config)
        token = self._plane.kubeconfig()["users"][0]["user"]["token"]
        self._client = HttpClient(
            self._plane.url, tls=loopback_tls(self._authority.cert_pem), token=token, timeout=20
        )

    async def stop(self) -> None:
        if self._client is not None:
            await self._client.close()
        await self._plane.stop()
        self._folder.cleanup()

    async def create(self, resource: str, namespace: str, body: Object) -> Object:
        made = await self._ask("POST", _path(resource, namespace), body)
        assert made is not None
        return made

    async def get(self, resource: str, namespace: str, name: str) -> Object | None:
        return await self._ask("GET", f"{_path(resource, namespace)}/{name}")

    async def list(self, resource: str) -> list[Object]:
        found = await self._ask("GET", _path(resource, ""))
        assert found is not None
        return list(found["items"])

    async def patch(
        self, resource: str, namespace: str, name: str, patch: Object, *, status: bool = False
    ) -> Object:
        path = f"{_path(resource, namespace)}/{name}{'/status' if status else ''}"
        patched = await self._ask("PATCH", path, patch, content=MERGE)
        assert patched is not None
        return patched

    async def delete(self, resource: str, namespace: str, name: str) -> None:
        await self._ask("DELETE", f"{_path(resource, namespace)}/{name}", {"gracePeriodSeconds": 0})

    async def _ask(
        self, method: str, path: str, body: Object | None = None, *, content: str = "application/json"
    ) -> Object | None:
        assert self._client is not None
        text = msgspec.json.encode(body) if body is not None else b""
        answer = await self._client.request(method, path, body=text, content_type=content)
        if answer.status == 404:
            return None
        assert answer.status < 300, answer.body
        decoded: Object = msgspec.json.decode(answer.body)
        return decoded


def _path(resource: str, namespace: str) -> str:
    root = {"priorityclasses": "/apis/scheduling.k8s.io/v1"}.get(resource, "/api/v1")
    return f"{root}/namespaces/{namespace}/{resource}" if namespace else f"{root}/{resource}"


async def eventually(holds: Callable[[], Awaitable[Any]], *, within: float = 60.0) -> Any:
    """The first true answer; the last one where none comes in time."""
    clock = SystemClock()
    deadline = clock.steady() + within
    answer = await holds()
    while not answer and clock.steady() < deadline:
        await clock.sleep(0.05)
        answer = await holds()
    return answer
