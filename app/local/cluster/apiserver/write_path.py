"""Creating and changing objects: decode, default, admit, validate, store, in the real API server's order."""

from collections.abc import Callable
from typing import Any, Final, Literal

import jsonpatch

from app.local.cluster.apiserver import (
    defaulting,
    errors,
    request_bodies,
    signing_requests,
    update_rules,
    validation,
)
from app.local.cluster.apiserver.built_in_admission import add_tolerations
from app.local.cluster.apiserver.creation import Creation, pod_status
from app.local.cluster.apiserver.deletion import Deletion
from app.local.cluster.apiserver.merge_patches import Strategic, merge
from app.local.cluster.apiserver.objects import Object
from app.local.cluster.apiserver.request_bodies import Options
from app.local.cluster.apiserver.resources import Resource
from app.local.cluster.apiserver.schema import Schema
from app.local.cluster.apiserver.server_side_apply import Applier, Manager
from app.local.cluster.apiserver.store import Key, Store
from app.local.cluster.apiserver.webhook_admission import PendingWrite, WebhookAdmission
from app.model.times import rfc3339
from app.ports.clock import Clock

PatchKind = Literal["json", "merge", "strategic", "apply"]
_ATTEMPTS: Final = 5


_UNMANAGED: Final = frozenset({"leases", "events"})
"""Written often and never applied: who manages their fields is not recorded before somebody applies them."""


class Writes:
    """The write path of one API server."""

    def __init__(
        self,
        store: Store,
        *,
        schema: Schema,
        clock: Clock,
        ids: Callable[[], str],
        admission: WebhookAdmission,
        deletion: Deletion,
    ) -> None:
        self._store = store
        self._schema = schema
        self._clock = clock
        self._creation = Creation(store, ids=ids)
        self._admission = admission
        self._deletion = deletion
        self._applier = Applier(schema)
        self._strategic = Strategic(schema)

    async def create(self, resource: Resource, namespace: str, body: Any, options: Options) -> Object:
        """Create an object; the stored one is the answer. Raises ApiError."""
        obj = request_bodies.decode(self._schema, resource, body, options)
        self._creation.place(resource, namespace, obj.setdefault("metadata", {}))
        self._creation.stamp(resource, obj, now=self.now())
        if resource.plural == signing_requests.PLURAL:
            signing_requests.sign_in(obj, options.user)
        if resource.plural not in _UNMANAGED and "managedFields" not in obj["metadata"]:
            obj = self._owned(resource, obj, options)
        self._creation.admit(resource, obj)
        write = PendingWrite(
            resource=resource, operation="CREATE", new=obj, user=options.user, dry_run=options.dry_run
        )
        patched = await self._admission.admit(write, warnings=options.warnings)
        if patched is not obj:
            obj = request_bodies.decode(self._schema, resource, patched, options)
            defaulting.fill(resource.plural, obj)
        self._require(resource, obj, validation.causes(resource, obj))
        if resource.plural == "pods":
            obj["status"] |= pod_status(obj["spec"], now=self.now())
        key = key_of(obj)
        if self._store.get(resource.storage, key) is not None:
            raise errors.already_exists(resource.qualified, key[1])
        return obj if options.dry_run else self._store.put(resource.storage, key, obj)

    async def update(
        self, resource: Resource, key: Key, body: Any, options: Options, *, subresource: str = ""
    ) -> Object:
        """Replace an object, or the part of it that the subresource holds."""

        def replaced(before: Object) -> Object:
            after = request_bodies.decode(self._schema, resource, body, options)
            request_bodies.match_preconditions(resource, before, after)
            return after

        return await self._change(resource, key, replaced, options, subresource)

    async def patch(
        self,
        resource: Resource,
        key: Key,
        body: Any,
        options: Options,
        *,
        kind: PatchKind,
        subresource: str = "",
    ) -> tuple[Object, bool]:
        """Patch an object; the second value tells whether an apply created it."""
        if kind == "apply":
            applied = request_bodies.applied(self._schema, resource, key, body, options, subresource)
            if self._store.get(resource.storage, key) is None and not subresource:
                return await self._create_applied(resource, key, applied, options), True

        def patched(before: Object) -> Object:
            if kind == "apply":
                merged = self._merge_applied(resource, before, applied, options, subresource)
            else:
                merged = self.patched(resource, before, body, kind)
            after = request_bodies.decode(self._schema, resource, merged, options)
            request_bodies.match_version(resource, before, after)
            return after

        return await self._change(
            resource, key, patched, options, subresource, applied=kind == "apply"
        ), False

    def patched(self, resource: Resource, before: Object, body: Any, kind: PatchKind) -> Any:
        """`before` after a JSON, merge or strategic patch, not yet decoded. Raises ApiError 400, 422, 500."""
        match kind:
            case "merge":
                return merge(before, body)
            case "strategic":
                return self._strategic.apply(resource.type, before, body)
            case _:
                try:
                    return jsonpatch.apply_patch(before, body)
                except (
                    jsonpatch.JsonPatchException,
                    jsonpatch.JsonPointerException,
                    TypeError,
                    KeyError,
                ) as why:
                    raise errors.rejected_patch() from why

    def now(self) -> str:
        """The time as metav1.Time writes it."""
        return rfc3339(self._clock.now())

    async def _change(
        self,
        resource: Resource,
        key: Key,
        altered: Callable[[Object], Object],
        options: Options,
        subresource: str,
        *,
        applied: bool = False,
    ) -> Object:
        """Compute the change on the current object and store it; again where another write came between."""
        for _ in range(_ATTEMPTS):
            before = self._store.get(resource.storage, key)
            if before is None:
                raise errors.not_found(resource.qualified, key[1])
            after = update_rules.confined(resource, before, altered(before), subresource)
            if resource.plural == signing_requests.PLURAL:
                after = signing_requests.confined(before, after, subresource, now=self.now())
            defaulting.fill(resource.plural, after)
            if resource.plural == "pods" and not subresource:
                add_tolerations(after["spec"])
            after = await self._admitted(resource, before, after, options, subresource)
            found = update_rules.causes(resource, before, after, subresource)
            if not subresource:
                found = validation.causes(resource, after) + found
            self._require(resource, after, found)
            after = update_rules.bumped(resource, before, _stamped(before, after))
            if not applied and (resource.plural not in _UNMANAGED or "managedFields" in before["metadata"]):
                manager = Manager(options.manager, "Update", resource.api_version, subresource)
                after = self._applier.updated(resource.type, before, after, manager=manager, now=self.now())
            if self._store.get(resource.storage, key) is before:
                return self._commit(resource, key, before, after, options)
        raise errors.modified(resource.qualified, key[1])

    def _commit(
        self, resource: Resource, key: Key, before: Object, after: Object, options: Options
    ) -> Object:
        if after == before:
            return before
        if options.dry_run:
            return after
        if self._deletion.is_due(resource, after):
            return self._deletion.finish(resource, key, after)
        return self._store.put(resource.storage, key, after)

    async def _admitted(
        self, resource: Resource, before: Object, after: Object, options: Options, subresource: str
    ) -> Object:
        write = PendingWrite(
            resource=resource,
            operation="UPDATE",
            new=after,
            old=before,
            subresource=subresource,
            user=options.user,
            dry_run=options.dry_run,
        )
        patched = await self._admission.admit(write, warnings=options.warnings)
        return after if patched is after else request_bodies.decode(self._schema, resource, patched, options)

    def _merge_applied(
        self, resource: Resource, live: Object, applied: Object, options: Options, subresource: str
    ) -> Object:
        manager = Manager(options.manager, "Apply", resource.api_version, subresource)
        return self._applier.apply(
            resource.type, live, applied, manager=manager, force=options.force, now=self.now()
        )

    def _owned(self, resource: Resource, obj: Object, options: Options) -> Object:
        manager = Manager(options.manager, "Update", resource.api_version)
        has_status = "status" in resource.subresources
        return self._applier.created(
            resource.type, obj, manager=manager, now=self.now(), has_status=has_status
        )

    async def _create_applied(
        self, resource: Resource, key: Key, applied: Object, options: Options
    ) -> Object:
        empty: Object = {"metadata": {"name": key[1]}}
        first = self._merge_applied(resource, empty, applied, options, "")
        return await self.create(resource, key[0], first, options)

    def _require(self, resource: Resource, obj: Object, causes: list[errors.Cause]) -> None:
        if causes:
            raise errors.invalid(resource.qualified_kind, obj["metadata"].get("name", ""), causes)


def key_of(obj: Object) -> Key:
    """Where an object is stored."""
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def _stamped(before: Object, after: Object) -> Object:
    """`after` under the uid and version of what it replaces; the store renews the version."""
    kept = {name: before["metadata"][name] for name in ("uid", "resourceVersion")}
    return after | {"metadata": after["metadata"] | kept}
