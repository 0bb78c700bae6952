"""The ports of Kubernetes over the embedded API, in this process: enough for fake kubelets."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from app.local.cluster.apiserver.api import Api, ApiError
from app.model.node import Node
from app.model.pod import Pod
from app.ports.failures import Conflict, NotFound, Unavailable
from app.ports.kubernetes import Lease

Object = dict[str, Any]


class ApiPorts:
    """Nodes, Pods and Leases; `outage` makes the next so many calls fail."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.outage = 0
        self.removed: list[str] = []

    def _work(self) -> None:
        if self.outage > 0:
            self.outage -= 1
            raise Unavailable("the API server does not answer")


class ApiNodes(ApiPorts):
    async def get(self, name: str) -> Node:
        self._work()
        return _node(_translated(lambda: self._api.get("nodes", "", name)))

    async def create(self, manifest: Mapping[str, Any]) -> Node:
        self._work()
        return _node(await self._api.create("nodes", "", dict(manifest)))

    async def apply(self, manifest: Mapping[str, Any], *, manager: str) -> Node:
        raise NotImplementedError

    async def apply_status(self, manifest: Mapping[str, Any], *, manager: str) -> Node:
        self._work()
        name = manifest["metadata"]["name"]
        applied = await self._api.patch(
            "nodes",
            "",
            name,
            dict(manifest),
            kind="apply",
            subresource="status",
            manager=manager,
            force=True,
        )
        return _node(applied)

    async def delete(self, node: Node) -> None:
        raise NotImplementedError


class ApiPods(ApiPorts):
    async def get(self, namespace: str, name: str) -> Pod:
        raise NotImplementedError

    async def amend(
        self, pod: Pod, *, annotations: Mapping[str, str], tolerations: Sequence[Any] | None = None
    ) -> Pod:
        raise NotImplementedError

    async def set_status(self, pod: Pod, status: Mapping[str, Any]) -> Pod:
        self._work()
        _translated(lambda: self._api.get("pods", pod.metadata.namespace, pod.metadata.name))
        patch = {"metadata": {"uid": pod.uid}, "status": dict(status)}
        patched = await self._api.patch(
            "pods", pod.metadata.namespace, pod.metadata.name, patch, kind="strategic", subresource="status"
        )
        return msgspec.convert(patched, Pod)

    async def remove(self, pod: Pod) -> None:
        self._work()
        await self._api.delete(
            "pods", pod.metadata.namespace, pod.metadata.name, grace_seconds=0, uid=pod.uid
        )
        self.removed.append(pod.metadata.name)


class ApiLeases(ApiPorts):
    async def read(self, namespace: str, name: str) -> Lease:
        raise NotImplementedError

    async def renew(
        self, namespace: str, name: str, *, holder: str, seconds: int, owner: Node | None = None
    ) -> None:
        self._work()
        body = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": name},
            "spec": {"holderIdentity": holder, "leaseDurationSeconds": seconds},
        }
        await self._api.patch("leases", namespace, name, body, kind="apply", manager="test")


def _node(raw: Object) -> Node:
    return msgspec.convert(raw, Node)


def _translated(call: Callable[[], Object]) -> Object:
    try:
        return call()
    except ApiError as error:
        raise (NotFound if error.status_code == 404 else Conflict)(error.message) from error
