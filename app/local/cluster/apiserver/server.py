"""The API server's HTTP face: who is asking, discovery, health, and everything else to `Rest`."""

from typing import Final, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.local.cluster.apiserver import discovery, errors
from app.local.cluster.apiserver.access import Access, Attributes, attributes_of
from app.local.cluster.apiserver.http_requests import Target, is_true, target_of
from app.local.cluster.apiserver.http_responses import error_response, json_response
from app.local.cluster.apiserver.objects import Object
from app.local.cluster.apiserver.resources import GROUPS, STREAMED
from app.local.cluster.apiserver.rest import Rest, not_allowed

_METHODS: Final = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_OPENAPI_V2: Final = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
"""An empty document: kubectl asks for one before it looks into a List, and then leaves validation to us."""
_HEALTH: Final = ("/healthz", "/livez", "/readyz")


class Streams(Protocol):
    """What has taken the connection over where a client asked to upgrade it."""

    def locate(self, target: Target, user: Object, query: str) -> object:
        """Where the stream is served. Raises ApiError for whoever may not, and for what is not there."""
        ...


class Metrics(Protocol):
    """A group that is served beside ours, and only read."""

    def wanted(self, path: str) -> Attributes | None:
        """What a path asks for; None for a path that is not the group's. Raises ApiError 404."""
        ...

    def answer(self, wanted: Attributes, *, labels: str = "", fields: str = "") -> Object:
        """One object, or a list. Raises ApiError 400, 404."""
        ...


class Face:
    """Requests, authenticated and routed."""

    def __init__(self, rest: Rest, *, access: Access, streams: Streams, metrics: Metrics) -> None:
        self._rest = rest
        self._access = access
        self._streams = streams
        self._metrics = metrics
        self._documents = _documents()
        groups = discovery.aggregated(GROUPS)
        groups["items"].append(discovery.aggregated_metrics())
        self._aggregated = {"/api": discovery.aggregated(("",)), "/apis": groups}

    def app(self) -> Starlette:
        """The ASGI application."""
        return Starlette(routes=[Route("/{path:path}", self._answer, methods=_METHODS)])

    async def _answer(self, request: Request) -> Response:
        try:
            if request.url.path in _HEALTH:
                return PlainTextResponse("ok")
            user = self._access.user(request.headers.get("authorization", ""))
            if request.url.path == "/openapi/v2":
                return Response(media_type=_OPENAPI_V2)
            discovered = self._discovered(request)
            if discovered is not None:
                return discovered
            measured = self._measured(request, user)
            if measured is not None:
                return measured
            return await self._resource(request, target_of(request.url.path), user)
        except errors.ApiError as error:
            return error_response(error)

    async def _resource(self, request: Request, target: Target, user: Object) -> Response:
        if target.subresource in STREAMED:
            self._streams.locate(target, user, request.url.query)
            raise errors.bad_request("Upgrade request required")
        watches = is_true(request, "watch")
        self._access.require(user, attributes_of(request.method, target, watches=watches))
        return await self._rest.answer(request, target, user)

    def _measured(self, request: Request, user: Object) -> Response | None:
        """An answer of the metrics' group; None for other paths."""
        wanted = self._metrics.wanted(request.url.path)
        if wanted is None:
            return None
        if request.method != "GET":
            raise not_allowed()
        self._access.require(user, wanted)
        query = request.query_params
        labels, fields = query.get("labelSelector", ""), query.get("fieldSelector", "")
        return json_response(self._metrics.answer(wanted, labels=labels, fields=fields))

    def _discovered(self, request: Request) -> Response | None:
        """A discovery document; None for other paths. The aggregated form says so in its media type."""
        path = request.url.path.rstrip("/")
        if request.method != "GET" or path not in self._documents:
            return None
        if path in self._aggregated and "as=APIGroupDiscoveryList" in request.headers.get("accept", ""):
            response = json_response(self._aggregated[path])
            response.headers["Content-Type"] = discovery.AGGREGATED
            return response
        return json_response(self._documents[path])


def _documents() -> dict[str, Object]:
    """Discovery by path."""
    documents = {
        "/version": discovery.VERSION,
        "/api": discovery.api_versions(),
        "/apis": discovery.group_list(),
        "/api/v1": discovery.resource_list(""),
        "/openapi/v3": discovery.openapi_index(),
        "/openapi/v3/api/v1": discovery.openapi(""),
    }
    group, version = discovery.METRICS_GROUP, discovery.METRICS_VERSION
    documents[f"/apis/{group}"] = discovery.group(group)
    documents[f"/apis/{group}/{version}"] = discovery.metrics_list()
    for name in GROUPS:
        documents[f"/apis/{name}"] = discovery.group(name)
        documents[f"/apis/{name}/v1"] = discovery.resource_list(name)
        documents[f"/openapi/v3/apis/{name}/v1"] = discovery.openapi(name)
    return documents
