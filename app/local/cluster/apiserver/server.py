"""The API server's HTTP face: who is asking, discovery, health, and everything else to `Rest`."""

from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.local.cluster.apiserver import discovery, errors
from app.local.cluster.apiserver.http_requests import target_of
from app.local.cluster.apiserver.http_responses import error_response, json_response
from app.local.cluster.apiserver.objects import Object
from app.local.cluster.apiserver.resources import GROUPS
from app.local.cluster.apiserver.rest import Rest
from app.local.cluster.apiserver.service_tokens import Users

_METHODS: Final = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_OPENAPI_V2: Final = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
"""An empty document: kubectl asks for one before it looks into a List, and then leaves validation to us."""
_HEALTH: Final = ("/healthz", "/livez", "/readyz")


class Face:
    """Requests, authenticated and routed."""

    def __init__(self, rest: Rest, *, users: Users) -> None:
        self._rest = rest
        self._users = users
        self._documents = _documents()
        self._aggregated = {"/api": discovery.aggregated(("",)), "/apis": discovery.aggregated(GROUPS)}

    def app(self) -> Starlette:
        """The ASGI application."""
        return Starlette(routes=[Route("/{path:path}", self._answer, methods=_METHODS)])

    async def _answer(self, request: Request) -> Response:
        try:
            if request.url.path in _HEALTH:
                return PlainTextResponse("ok")
            user = self._user(request)
            if request.url.path == "/openapi/v2":
                return Response(media_type=_OPENAPI_V2)
            discovered = self._discovered(request)
            if discovered is not None:
                return discovered
            return await self._rest.answer(request, target_of(request.url.path), user)
        except errors.ApiError as error:
            return error_response(error)

    def _user(self, request: Request) -> Object:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        user = self._users.get(token.strip()) if scheme.lower() == "bearer" else None
        if user is None:
            raise errors.unauthorized()
        return dict(user)

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
    for name in GROUPS:
        documents[f"/apis/{name}"] = discovery.group(name)
        documents[f"/apis/{name}/v1"] = discovery.resource_list(name)
        documents[f"/openapi/v3/apis/{name}/v1"] = discovery.openapi(name)
    return documents
