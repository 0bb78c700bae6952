"""The embedded API server's in-process interface: what its HTTPS face and the controllers both call."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from app.local.cluster.apiserver import errors
from app.local.cluster.apiserver.deletion import DeleteOptions, Deletion, Propagation
from app.local.cluster.apiserver.errors import ApiError
from app.local.cluster.apiserver.evictions import Evictions
from app.local.cluster.apiserver.objects import Object
from app.local.cluster.apiserver.request_bodies import Options
from app.local.cluster.apiserver.resources import BY_PLURAL, Resource
from app.local.cluster.apiserver.schema import Schema
from app.local.cluster.apiserver.service_tokens import ServiceTokens
from app.local.cluster.apiserver.store import HISTORY, Store
from app.local.cluster.apiserver.webhook_admission import WebhookAdmission
from app.local.cluster.apiserver.write_path import PatchKind, Writes
from app.ports.clock import Clock

__all__ = ["Api", "ApiError", "Object", "PatchKind", "WatchEvent", "thaw"]

CONTROLLERS: Mapping[str, Any] = {
    "username": "system:kube-controller-manager",
    "groups": ["system:masters", "system:authenticated"],
}


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """ADDED, MODIFIED or DELETED; `object` is shared: read it, never change it."""

    type: str
    object: Object
    version: int


class Api:
    """Reads and writes of one cluster. Objects handed out are shared: copy (`thaw`) before changing one.

    Resources are plurals ("pods"); cluster-scoped ones have the namespace "". Errors are ApiError:
    404 NotFound, 409 AlreadyExists or Conflict, 422 Invalid, 400 BadRequest.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        ids: Callable[[], str],
        services: Mapping[str, str] | None = None,
        keep: int = HISTORY,
        root_ca: str = "",
    ) -> None:
        """An empty cluster.

        Args:
            clock: stamps creations and deletions.
            ids: a fresh uid at each call.
            services: where Services that webhooks name are reached: `namespace/name` → `host:port`.
            keep: how many changes of each resource a watch may start behind.
            root_ca: PEM that every namespace gets as kube-root-ca.crt; none where it is empty.
        """
        self._root_ca = root_ca
        self.store = Store(keep=keep)
        self.schema = Schema()
        self.deletion = Deletion(self.store, clock=clock)
        self.evictions = Evictions(self.store, deletion=self.deletion, clock=clock)
        self.tokens = ServiceTokens(self.store, clock=clock, key=ids().encode())
        self.admission = WebhookAdmission(self.store, ids=ids, services=services or {})
        self.writes = Writes(
            self.store,
            schema=self.schema,
            clock=clock,
            ids=ids,
            admission=self.admission,
            deletion=self.deletion,
        )

    async def create(
        self, resource: str, namespace: str, body: Object, *, dry_run: bool = False, manager: str = ""
    ) -> Object:
        """Create an object. Raises ApiError 409 AlreadyExists, 422, 404 (namespace)."""
        return await self.created(resource_of(resource), namespace, body, _options(manager, dry_run=dry_run))

    async def created(self, resource: Resource, namespace: str, body: Any, options: Options) -> Object:
        """As `create`; a new namespace gets what its controllers would put there."""
        made = await self.writes.create(resource, namespace, body, options)
        if resource.plural == "namespaces" and not options.dry_run:
            await self._furnish(made["metadata"]["name"])
        return made

    def get(self, resource: str, namespace: str, name: str) -> Object:
        """The object. Raises ApiError 404."""
        found = self.store.get(resource, (namespace, name))
        if found is None:
            raise errors.not_found(resource_of(resource).qualified, name)
        return found

    def list(self, resource: str, namespace: str = "") -> "list[Object]":
        """All objects, of one namespace where given, in order of namespace and name."""
        return self.store.list(resource_of(resource).plural, namespace)

    async def update(
        self, resource: str, namespace: str, name: str, body: Object, *, subresource: str = ""
    ) -> Object:
        """Replace. "status" writes status only. 409 where metadata.resourceVersion is given and old."""
        options = _options("")
        return await self.writes.update(
            resource_of(resource), (namespace, name), body, options, subresource=subresource
        )

    async def patch(  # noqa: PLR0913  (a patch request says that much)
        self,
        resource: str,
        namespace: str,
        name: str,
        patch: Any,
        *,
        kind: PatchKind,
        subresource: str = "",
        manager: str = "",
        force: bool = False,
        dry_run: bool = False,
    ) -> Object:
        """Patch or apply; "apply" creates what is not there. Raises ApiError 404, 409, 422."""
        options = _options(manager, dry_run=dry_run, force=force)
        patched, _ = await self.writes.patch(
            resource_of(resource), (namespace, name), patch, options, kind=kind, subresource=subresource
        )
        return patched

    async def delete(
        self,
        resource: str,
        namespace: str,
        name: str,
        *,
        grace_seconds: int | None = None,
        uid: str = "",
        propagation: Propagation = "",
    ) -> Object:
        """Delete, or begin to: the terminating or last object. Raises ApiError 404, 409."""
        options = DeleteOptions(grace_seconds=grace_seconds, uid=uid, propagation=propagation)
        return self.deletion.delete(resource_of(resource), (namespace, name), options)[0]

    async def bind(self, namespace: str, name: str, node: str, *, uid: str = "") -> None:
        """The pod's binding subresource. Raises ApiError 404; 409 where it is bound, gated or terminating."""
        pod = self.get("pods", namespace, name)
        why = _unbindable(pod, uid)
        if why:
            raise errors.conflict("pods/binding", name, why)
        status = pod.get("status", {})
        conditions = [each for each in status.get("conditions", ()) if each["type"] != "PodScheduled"]
        scheduled = {
            "type": "PodScheduled",
            "status": "True",
            "lastProbeTime": None,
            "lastTransitionTime": self.writes.now(),
        }
        if "generation" in pod["metadata"]:
            scheduled["observedGeneration"] = pod["metadata"]["generation"]
        bound = pod | {
            "spec": pod["spec"] | {"nodeName": node},
            "status": status | {"conditions": [*conditions, scheduled]},
        }
        self.store.put("pods", (namespace, name), bound)

    async def watch(
        self, resource: str, namespace: str = "", *, since: int | None = None
    ) -> AsyncIterator[WatchEvent]:
        """Changes after version `since`; None: first an ADDED for every current object.

        Ends when the cluster stops. Raises ApiError 410 where `since`, or this reader, is too far behind.
        """
        log = self.store.log(resource_of(resource).plural)
        position = log.end if since is None else log.position(since)
        for obj in self.list(resource, namespace) if since is None else []:
            yield WatchEvent("ADDED", obj, int(obj["metadata"]["resourceVersion"]))
        while not log.closed:
            for change in log.read(position):
                position += 1
                if not namespace or change.object["metadata"].get("namespace") == namespace:
                    yield WatchEvent(change.type, change.object, change.version)
            await log.grown(position)

    async def _furnish(self, namespace: str) -> None:
        await self.create("serviceaccounts", namespace, {"metadata": {"name": "default"}})
        if self._root_ca:
            body = {"metadata": {"name": "kube-root-ca.crt"}, "data": {"ca.crt": self._root_ca}}
            await self.create("configmaps", namespace, body)


def resource_of(plural: str) -> Resource:
    """The resource of a plural. Raises ApiError 404."""
    found = BY_PLURAL.get(plural)
    if found is None:
        raise errors.no_such_resource()
    return found


def thaw(obj: Object) -> Object:
    """A deep copy that may be changed."""
    copy: Object = msgspec.json.decode(msgspec.json.encode(obj))
    return copy


def _options(manager: str, *, dry_run: bool = False, force: bool = False) -> Options:
    return Options(
        dry_run=dry_run,
        force=force,
        manager=manager or "kube-controller-manager",
        field_validation="Strict",
        user=CONTROLLERS,
    )


def _unbindable(pod: Object, uid: str) -> str:
    metadata, spec = pod["metadata"], pod["spec"]
    if uid not in {"", metadata["uid"]}:
        return f"Precondition failed: UID in precondition: {uid}, UID in object meta: {metadata['uid']}"
    if "deletionTimestamp" in metadata:
        return f"pod {metadata['name']} is being deleted, cannot be assigned to a host"
    if spec.get("nodeName"):
        return f'pod {metadata["name"]} is already assigned to node "{spec["nodeName"]}"'
    if spec.get("schedulingGates"):
        return f"pod {metadata['name']} has non-empty .spec.schedulingGates"
    return ""
