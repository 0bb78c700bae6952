"""What stands of an installation, and taking it away (`app.ports.leaving`)."""

from typing import Final

import msgspec

from app.kube import paths
from app.kube.lease_wire import WireLease
from app.kube.listing import complete
from app.kube.placeholders import DESCRIPTION
from app.kube.transport import MERGE_PATCH, Query, Transport
from app.model.meta import ObjectMeta
from app.model.names import GATE, PLACEHOLDER_FOR
from app.model.node import Node, is_virtual
from app.model.pod import Pod
from app.model.times import rfc3339_micro
from app.model.wire import Json, Wire
from app.ports.clock import Clock
from app.ports.failures import Conflict, NotFound
from app.ports.leaving import Claimed

_LEASES: Final = "coordination.k8s.io/v1"
NODE_LEASES: Final = "kube-node-lease"
"""Namespace of the nodes' Leases."""


class _Described(Wire, frozen=True):
    description: str = ""


class _Entry(Wire, frozen=True):
    manager: str = ""
    fields_v1: dict[str, Json] = msgspec.field(default_factory=dict, name="fieldsV1")


class _Managed(ObjectMeta, frozen=True):
    managed_fields: tuple[_Entry, ...] = ()


class _Written(Wire, frozen=True):
    metadata: _Managed = _Managed()


class Standing:
    """Whole listings, each a consistent read; `namespace` is Spillway's own."""

    def __init__(self, connection: Transport, *, namespace: str) -> None:
        self._connection = connection
        self._namespace = namespace

    async def nodes(self) -> tuple[Node, ...]:
        """The virtual nodes."""
        found = await complete(self._connection, paths.NODES, query={}, kind=Node)
        return tuple(node for node in found.values if is_virtual(node))

    async def gate_writer(self, node: str) -> str:
        """The manager of the annotation, https://kubernetes.io/docs/reference/using-api/server-side-apply/."""
        query = {"fieldSelector": f"metadata.name={node}"}
        found = await complete(self._connection, paths.NODES, query=query, kind=_Written)
        entries = (entry for each in found.values for entry in each.metadata.managed_fields)
        return next((entry.manager for entry in entries if _has_gate(entry.fields_v1)), "")

    async def pods(self, node: str) -> tuple[Pod, ...]:
        """The pods that are bound to a node."""
        query = {"fieldSelector": f"spec.nodeName={node}"}
        return (await complete(self._connection, paths.PODS, query=query, kind=Pod)).values

    async def placeholders(self) -> tuple[Pod, ...]:
        """The pods of our namespace with the label of a placeholder."""
        query: Query = {"labelSelector": PLACEHOLDER_FOR}
        path = paths.pods(self._namespace)
        return (await complete(self._connection, path, query=query, kind=Pod)).values

    async def claims(self) -> tuple[Claimed, ...]:
        """The Leases of all nodes."""
        path = paths.leases(NODE_LEASES)
        found = (await complete(self._connection, path, query={}, kind=WireLease)).values
        return tuple(Claimed(each.metadata.name, each.spec.holder_identity or "") for each in found)


def _has_gate(fields: dict[str, Json]) -> bool:
    annotations = (fields.get("f:metadata") or {}).get("f:annotations") or {}
    return f"f:{GATE}" in annotations


class Departures:
    """Writes; what is gone already is success, and what has another uid is not touched."""

    def __init__(self, connection: Transport, *, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    async def close(self, node: Node) -> None:
        """Annotate and cordon the node. Raises NotFound, Conflict."""
        body = {
            "metadata": {"uid": node.metadata.uid, "annotations": {GATE: "closed"}},
            "spec": {"unschedulable": True},
        }
        path = paths.node(node.name)
        await self._connection.request("PATCH", path, body=body, content_type=MERGE_PATCH)

    async def delete(self, pod: Pod, *, at_once: bool) -> None:
        """DELETE with the pod's own grace period, or with none."""
        path = paths.pod(pod.metadata.namespace, pod.metadata.name)
        await self._delete(path, uid=pod.uid, **({"gracePeriodSeconds": 0} if at_once else {}))

    async def claim(self, node: str, *, holder: str, seconds: int) -> None:
        """Write the Lease, without an owner: it must outlive its node to keep bridges from making it anew."""
        body: dict[str, Json] = {
            "apiVersion": _LEASES,
            "kind": "Lease",
            "metadata": {"name": node, "ownerReferences": None},
            "spec": {
                "holderIdentity": holder,
                "leaseDurationSeconds": seconds,
                "renewTime": rfc3339_micro(self._clock.now()),
            },
        }
        path = paths.lease(NODE_LEASES, node)
        try:
            await self._connection.request("PATCH", path, body=body, content_type=MERGE_PATCH)
        except NotFound:
            created = {**body, "metadata": {"name": node}}
            await self._connection.request("POST", paths.leases(NODE_LEASES), body=created)

    async def remove_node(self, node: Node) -> None:
        """DELETE of the node with this uid."""
        await self._delete(paths.node(node.name), uid=node.metadata.uid)

    async def remove_lease(self, namespace: str, name: str) -> None:
        """DELETE of the Lease."""
        await self._delete(paths.lease(namespace, name))

    async def remove_priority(self, name: str) -> bool:
        """DELETE of the PriorityClass, if its description is the one that `app.kube.placeholders` writes."""
        path = paths.priority_class(name)
        try:
            found = msgspec.json.decode(await self._connection.request("GET", path), type=_Described)
        except NotFound:
            return False
        if found.description == DESCRIPTION:
            await self._delete(path)
        return found.description == DESCRIPTION

    async def _delete(self, path: str, *, uid: str = "", **options: Json) -> None:
        conditions = {"preconditions": {"uid": uid}} if uid else {}
        body = {"apiVersion": "v1", "kind": "DeleteOptions", **conditions, **options}
        try:
            await self._connection.request("DELETE", path, body=body)
        except (NotFound, Conflict):
            return
