"""Leases that say "I am alive" (`app.ports.kubernetes.Leases`); electing a leader is `app.kube.leadership`.

https://kubernetes.io/docs/concepts/architecture/leases/
"""

from app.kube import paths
from app.kube.answers import decoded
from app.kube.lease_wire import WireLease, judged
from app.kube.transport import MERGE_PATCH, Transport
from app.model.node import Node
from app.model.times import rfc3339_micro
from app.model.wire import Json
from app.ports.clock import Clock
from app.ports.failures import Conflict, NotFound
from app.ports.kubernetes import Lease

_SECONDS = 5.0
"""A heartbeat that takes longer is late anyway; the next one follows."""


class Leases:
    """Reads any Lease; renews those that have one writer, as kubelet does."""

    def __init__(self, connection: Transport, *, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    async def read(self, namespace: str, name: str) -> Lease:
        """A consistent read. Raises NotFound."""
        path = paths.lease(namespace, name)
        data = await self._connection.request("GET", path)
        return judged(decoded(data, WireLease, asked=f"GET {path}"))

    async def renew(
        self, namespace: str, name: str, *, holder: str, seconds: int, owner: Node | None = None
    ) -> None:
        """Create or renew in one request, mostly.

        `owner` becomes the ownerReference, so that the Lease goes when its node goes; a node that was made
        anew gets its new uid.
        """
        metadata: dict[str, Json] = {"name": name}
        if owner is not None:
            metadata["ownerReferences"] = [_reference(owner)]
        body: dict[str, Json] = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": metadata,
            "spec": {
                "holderIdentity": holder,
                "leaseDurationSeconds": seconds,
                "renewTime": rfc3339_micro(self._clock.now()),
            },
        }
        try:
            await self._patch(namespace, name, body)
        except NotFound:
            await self._create(namespace, name, body)

    async def _create(self, namespace: str, name: str, body: Json) -> None:
        try:
            await self._connection.request("POST", paths.leases(namespace), body=body, timeout=_SECONDS)
        except Conflict:  # created since we looked: by our own request whose answer was lost
            await self._patch(namespace, name, body)

    async def _patch(self, namespace: str, name: str, body: Json) -> None:
        path = paths.lease(namespace, name)
        await self._connection.request("PATCH", path, body=body, content_type=MERGE_PATCH, timeout=_SECONDS)


def _reference(node: Node) -> dict[str, str]:
    return {"apiVersion": "v1", "kind": "Node", "name": node.name, "uid": node.metadata.uid}
