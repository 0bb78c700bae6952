"""The verbs of the API server over HTTP: each request becomes one call of the store's read or write path."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app.local.cluster.apiserver import errors, event_groups, log_proxy, subresources
from app.local.cluster.apiserver.access import Access
from app.local.cluster.apiserver.api import Api
from app.local.cluster.apiserver.http_requests import (
    Target,
    body_of,
    delete_options,
    integer,
    is_true,
    patch_kind,
    version_of,
    write_options,
)
from app.local.cluster.apiserver.http_responses import View, form_of, json_response, outward, success
from app.local.cluster.apiserver.log_proxy import KubeletTls
from app.local.cluster.apiserver.objects import Object
from app.local.cluster.apiserver.paging import page_of
from app.local.cluster.apiserver.request_bodies import Options
from app.local.cluster.apiserver.resources import BY_PLURAL
from app.local.cluster.apiserver.selectors import matcher
from app.local.cluster.apiserver.watches import Selection, Watch
from app.ports.clock import Clock

_DEFAULT_WATCH_SECONDS: Final = 3600.0
Handler = Callable[[Request, Target, Object], Awaitable[Response]]


class Rest:
    """Requests for resources. Every method raises ApiError."""

    def __init__(self, api: Api, *, clock: Clock, access: Access, kubelets: KubeletTls) -> None:
        """Bind the verbs to one API.

        Args:
            api: the cluster.
            clock: dates the ages in tables.
            access: whose tokens are good, and what is denied.
            kubelets: how nodes' kubelet APIs are spoken to.
        """
        self._api = api
        self._clock = clock
        self._access = access
        self._kubelets = kubelets
        self._verbs: dict[tuple[str, bool], Handler] = {
            ("GET", True): self._get,
            ("GET", False): self._get_many,
            ("POST", False): self._create,
            ("PUT", True): self._change,
            ("PATCH", True): self._change,
            ("DELETE", True): self._delete,
            ("DELETE", False): self._delete_all,
        }
        self._subresources: dict[tuple[str, str], Handler] = {
            ("status", "GET"): self._status,
            ("status", "PUT"): self._change,
            ("status", "PATCH"): self._change,
            ("approval", "GET"): self._status,
            ("approval", "PUT"): self._change,
            ("approval", "PATCH"): self._change,
            ("scale", "GET"): self._get_scale,
            ("scale", "PUT"): self._scale,
            ("scale", "PATCH"): self._scale,
            ("log", "GET"): self._log,
            ("binding", "POST"): self._bind,
            ("eviction", "POST"): self._evict,
            ("token", "POST"): self._issue,
            ("finalize", "PUT"): self._finalize,
        }

    async def answer(self, request: Request, target: Target, user: Object) -> Response:
        """Carry out one request."""
        if target.subresource:
            handler = self._subresources.get((target.subresource, request.method))
        elif target.resource.review:
            handler = self._review if request.method == "POST" and not target.name else None
        else:
            handler = self._verbs.get((request.method, bool(target.name)))
        if handler is None:
            raise not_allowed()
        return await handler(request, target, user)

    def _find(self, target: Target) -> Object:
        found = self._api.store.get(target.resource.storage, (target.namespace, target.name))
        if found is None:
            raise errors.not_found(target.resource.qualified, target.name)
        return found

    def _view(self, request: Request, target: Target) -> View:
        form = form_of(request.headers.get("accept", ""))
        include = request.query_params.get("includeObject", "Metadata")
        return View(target, form, now=self._clock.now(), include=include)

    def _selection(self, request: Request, target: Target) -> Selection:
        query = request.query_params
        fields = query.get("fieldSelector", "")
        if target.name:
            fields = f"metadata.name={target.name}"
        selected = matcher(target.resource.plural, labels=query.get("labelSelector", ""), fields=fields)
        return Selection(plural=target.resource.plural, namespace=target.namespace, selected=selected)

    async def _get(self, request: Request, target: Target, user: Object) -> Response:
        if is_true(request, "watch"):
            return await self._get_many(request, target, user)
        return json_response(self._view(request, target).one(self._find(target)))

    async def _get_many(self, request: Request, target: Target, _user: Object) -> Response:
        return self._watch(request, target) if is_true(request, "watch") else self._list(request, target)

    def _list(self, request: Request, target: Target) -> Response:
        query = request.query_params
        selection = self._selection(request, target)
        current = self._api.store.version
        asked = version_of(request)
        if asked is not None and asked > current:
            raise too_new(asked, current)
        objects = self._api.store.list(selection.plural, selection.namespace)
        if selection.selected is not None:
            objects = [obj for obj in objects if selection.selected(obj)]
        page, metadata = page_of(
            objects,
            limit=integer(query.get("limit") or "0"),
            token=query.get("continue", ""),
            version=current,
        )
        return json_response(self._view(request, target).many(page, metadata))

    def _watch(self, request: Request, target: Target) -> Response:
        if is_true(request, "sendInitialEvents"):
            cause = errors.forbidden(
                "sendInitialEvents",
                "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled",
            )
            raise errors.invalid("ListOptions.meta.k8s.io", "", [cause])
        query = request.query_params
        seconds = float(integer(query.get("timeoutSeconds", "0"))) or _DEFAULT_WATCH_SECONDS
        watch = Watch(
            self._api.store,
            self._selection(request, target),
            clock=self._clock,
            view=self._view(request, target),
            seconds=seconds,
            bookmarks=is_true(request, "allowWatchBookmarks"),
        )
        return StreamingResponse(watch.lines(version_of(request)), media_type="application/json")

    async def _create(self, request: Request, target: Target, user: Object) -> Response:
        options = write_options(request, user=user)
        body = await self._body(request, target)
        made = await self._api.created(target.resource, target.namespace, body, options)
        return self._written(request, target, made, options, status=201)

    async def _change(self, request: Request, target: Target, user: Object) -> Response:
        kind = patch_kind(request) if request.method == "PATCH" else None
        options = write_options(request, user=user, applies=kind == "apply")
        body = await self._body(request, target)
        key = (target.namespace, target.name)
        if kind is None:
            changed = await self._api.writes.update(
                target.resource, key, body, options, subresource=target.subresource
            )
            return self._written(request, target, changed, options)
        changed, created = await self._api.writes.patch(
            target.resource, key, body, options, kind=kind, subresource=target.subresource
        )
        return self._written(request, target, changed, options, status=201 if created else 200)

    async def _delete(self, request: Request, target: Target, _user: Object) -> Response:
        options = delete_options(request, await body_of(request, target.resource))
        obj, gone = self._api.deletion.delete(target.resource, (target.namespace, target.name), options)
        if gone and target.resource.plural != "pods":
            return json_response(success(target.resource, obj))
        return json_response(outward(target.resource, obj))

    async def _delete_all(self, request: Request, target: Target, _user: Object) -> Response:
        options = delete_options(request, await body_of(request, target.resource))
        selection = self._selection(request, target)
        found = [
            obj for obj in self._api.store.list(selection.plural, selection.namespace) if selection.has(obj)
        ]
        for obj in found:
            key = (obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
            self._api.deletion.delete(target.resource, key, options)
        metadata = {"resourceVersion": str(self._api.store.version)}
        return json_response(self._view(request, target).many(found, metadata))

    async def _status(self, _request: Request, target: Target, _user: Object) -> Response:
        return json_response(outward(target.resource, self._find(target)))

    async def _finalize(self, request: Request, target: Target, user: Object) -> Response:
        return await self._change(request, msgspec.structs.replace(target, subresource=""), user)

    async def _get_scale(self, _request: Request, target: Target, _user: Object) -> Response:
        return json_response(subresources.scale_of(self._find(target)))

    async def _scale(self, request: Request, target: Target, user: Object) -> Response:
        options = write_options(request, user=user)
        body = await body_of(request, target.resource)
        workload = self._find(target)
        if request.method == "PATCH":
            body = self._api.writes.patched(
                BY_PLURAL["deployments"], subresources.scale_of(workload), body, patch_kind(request)
            )
        wanted = subresources.rescaled(workload, body)
        key = (target.namespace, target.name)
        changed = await self._api.writes.update(target.resource, key, wanted, options)
        return json_response(subresources.scale_of(changed), warnings=options.warnings)

    async def _bind(self, request: Request, target: Target, _user: Object) -> Response:
        body = await body_of(request, target.resource)
        wanted = body.get("target") or {} if isinstance(body, dict) else {}
        if not wanted.get("name"):
            cause = errors.required("target.name")
            raise errors.invalid("Binding", target.name, [cause])
        uid = (body.get("metadata") or {}).get("uid") or ""
        if not request.query_params.get("dryRun"):
            await self._api.bind(target.namespace, target.name, wanted["name"], uid=uid)
        return json_response(_done(), status=201)

    async def _evict(self, request: Request, target: Target, _user: Object) -> Response:
        body = await body_of(request, target.resource)
        given = body.get("deleteOptions") if isinstance(body, dict) else None
        options = delete_options(request, given)
        self._api.evictions.evict((target.namespace, target.name), body, options)
        return json_response(_done(), status=201)

    async def _issue(self, request: Request, target: Target, _user: Object) -> Response:
        body = await body_of(request, target.resource)
        return json_response(self._api.tokens.issue(target.namespace, target.name, body), status=201)

    async def _log(self, request: Request, target: Target, _user: Object) -> Response:
        query = log_proxy.query_of(target.name, dict(request.query_params))
        pod = self._find(target)
        container = log_proxy.container_of(pod, request.query_params.get("container", ""))
        name = pod["spec"].get("nodeName", "")
        if not name:
            return Response(status_code=204)
        node = log_proxy.node_of(self._api, name)
        source = log_proxy.source_of(pod, node, container, query)
        insecure = is_true(request, "insecureSkipTLSVerifyBackend")
        tls = self._kubelets.unverified if insecure else self._kubelets.verified
        opening = log_proxy.opened(source, tls)
        chunks = await opening.__aenter__()

        async def body() -> AsyncIterator[bytes]:
            try:
                async for chunk in chunks:
                    yield chunk
            finally:
                await opening.__aexit__(None, None, None)

        return StreamingResponse(body(), media_type="text/plain")

    async def _review(self, request: Request, target: Target, user: Object) -> Response:
        body = await body_of(request, target.resource)
        if target.resource.plural == "tokenreviews":
            return json_response(subresources.token_review(body, users=self._access.users), status=201)
        asking = user if target.resource.plural == "selfsubjectaccessreviews" else None
        return json_response(self._access.review(body, asking=asking), status=201)

    async def _body(self, request: Request, target: Target) -> Any:
        body = await body_of(request, target.resource)
        if target.resource.group == "events.k8s.io":
            body = event_groups.to_stored(body)
        return body

    def _written(
        self, request: Request, target: Target, obj: Object, options: Options, *, status: int = 200
    ) -> Response:
        view = self._view(request, target)
        return json_response(view.one(obj), status=status, warnings=options.warnings)


def not_allowed() -> errors.ApiError:
    """405."""
    what = "the server does not allow this method on the requested resource"
    return errors.ApiError(405, "MethodNotAllowed", what, details={})


def too_new(asked: int, current: int) -> errors.ApiError:
    """504 for a version that does not exist yet."""
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    what = f"Timeout: Too large resource version: {asked}, current: {current}"
    return errors.ApiError(504, "Timeout", what, details={"causes": [cause], "retryAfterSeconds": 1})


def _done() -> Object:
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
