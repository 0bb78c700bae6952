"""Nodes (`app.ports.kubernetes.Nodes`), written by forced server-side apply.

Two managers share a virtual node and own disjoint fields of it. Their applies are forced, because the node
controller writes conditions too, and an unforced apply would answer 409 from then on.

https://kubernetes.io/docs/reference/using-api/server-side-apply/
"""

from collections.abc import Mapping

from app.kube import paths
from app.kube.answers import decoded
from app.kube.transport import APPLY_PATCH, Transport
from app.model.node import Node
from app.model.wire import Json


class Nodes:
    """Manifests are JSON in Kubernetes' own names; apiVersion and kind are added."""

    def __init__(self, connection: Transport) -> None:
        self._connection = connection

    async def get(self, name: str) -> Node:
        """A consistent read. Raises NotFound."""
        path = paths.node(name)
        return decoded(await self._connection.request("GET", path), Node, asked=f"GET {path}")

    async def create(self, manifest: Mapping[str, Json]) -> Node:
        """Create, status included. Raises Conflict where the name is taken."""
        data = await self._connection.request("POST", paths.NODES, body=_whole(manifest))
        return decoded(data, Node, asked=f"POST {paths.NODES}")

    async def apply(self, manifest: Mapping[str, Json], *, manager: str) -> Node:
        """Forced server-side apply of metadata and spec.

        It creates a node that is not there, unless the manifest has a uid: then Conflict.
        """
        return await self._apply(paths.node(manifest["metadata"]["name"]), manifest, manager=manager)

    async def apply_status(self, manifest: Mapping[str, Json], *, manager: str) -> Node:
        """Forced server-side apply to the status subresource; annotations ride along. Raises NotFound."""
        path = f"{paths.node(manifest['metadata']['name'])}/status"
        return await self._apply(path, manifest, manager=manager)

    async def _apply(self, path: str, manifest: Mapping[str, Json], *, manager: str) -> Node:
        data = await self._connection.request(
            "PATCH",
            path,
            query={"fieldManager": manager, "force": True},
            body=_whole(manifest),
            content_type=APPLY_PATCH,
        )
        return decoded(data, Node, asked=f"PATCH {path}")


def _whole(manifest: Mapping[str, Json]) -> dict[str, Json]:
    return {"apiVersion": "v1", "kind": "Node", **manifest}
