"""One read-only look at a cluster, for people: whole listings, Leases, and Events about one object.

What an account may not read, or a cluster has not, is told apart from nothing: whoever asks shows the mend.
"""

from collections.abc import Callable

from app.kube import paths
from app.kube.answers import decoded
from app.kube.listing import complete, whole
from app.kube.transport import Query, Transport
from app.kube.watch_events import W
from app.model.event import Event
from app.model.lease import LeaseObject
from app.model.namespace import Namespace
from app.model.node import Node
from app.model.node_claim import NodeClaim
from app.model.objects import ConfigMap
from app.model.pod import Pod
from app.ports.failures import NotFound, Refused


class Inspection:
    """Reads once. Everything raises `app.ports.failures` but what is said to be optional."""

    def __init__(self, connection: Transport) -> None:
        self._connection = connection
        self.unread: list[str] = []

    async def nodes(self) -> tuple[Node, ...]:
        """All nodes."""
        return await self._all(paths.NODES, Node)

    async def pods(self, keep: Callable[[Pod], Pod] = whole) -> tuple[Pod, ...]:
        """All pods, each reduced as it is read."""
        return (await complete(self._connection, paths.PODS, query={}, kind=Pod, keep=keep)).values

    async def pod(self, namespace: str, name: str) -> Pod:
        """One pod. Raises NotFound."""
        path = paths.pod(namespace, name)
        return decoded(await self._connection.request("GET", path), Pod, asked=f"GET {path}")

    async def pods_of(self, namespace: str) -> tuple[Pod, ...]:
        """All pods of a namespace."""
        return await self._all(paths.pods(namespace), Pod)

    async def namespaces(self) -> tuple[Namespace, ...]:
        """All namespaces."""
        return await self._all(paths.NAMESPACES, Namespace)

    async def node_claims(self) -> tuple[NodeClaim, ...]:
        """Karpenter's NodeClaims; none where there is no Karpenter, or we may not look."""
        return await self._optional(paths.NODE_CLAIMS, NodeClaim, mend="nodes on their way are not seen")

    async def autoscaler_status(self) -> tuple[ConfigMap, ...]:
        """The ConfigMap of cluster-autoscaler, if there is one that we may read."""
        return await self._optional(
            paths.config_maps("kube-system"),
            ConfigMap,
            query={"fieldSelector": "metadata.name=cluster-autoscaler-status"},
            mend="growing node groups are not seen",
        )

    async def events(self, namespace: str, uid: str) -> tuple[Event, ...]:
        """Events about the object with this uid; none where we may not look."""
        found = await self._optional(
            paths.events(namespace),
            Event,
            query={"fieldSelector": f"involvedObject.uid={uid}"},
            mend="what our programs said of it is not shown",
        )
        return tuple(each for each in found if each.involved_object.uid == uid)

    async def lease(self, namespace: str, name: str) -> LeaseObject | None:
        """A Lease; None where there is none.

        Raises Refused where we may not look: whether anybody leads must not be guessed.
        """
        path = paths.lease(namespace, name)
        try:
            return decoded(await self._connection.request("GET", path), LeaseObject, asked=f"GET {path}")
        except NotFound:
            return None

    async def _all(self, path: str, kind: type[W], query: Query | None = None) -> tuple[W, ...]:
        return (await complete(self._connection, path, query=query or {}, kind=kind)).values

    async def _optional(
        self, path: str, kind: type[W], *, query: Query | None = None, mend: str
    ) -> tuple[W, ...]:
        try:
            return await self._all(path, kind, query)
        except NotFound:
            return ()
        except Refused as error:
            self.unread.append(f"{error}: {mend}")
            return ()
