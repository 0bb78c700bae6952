"""One connection whose client asked to upgrade it: who asks, for which pod, and which way it goes.

Which protocol reaches the kubelet: pkg/registry/core/pod/rest/subresources.go
"""

import asyncio
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl

from app.local.cluster.apiserver.access import Access, Attributes
from app.local.cluster.apiserver.api import Api
from app.local.cluster.apiserver.errors import ApiError
from app.local.cluster.apiserver.http_requests import Target, target_of
from app.local.cluster.apiserver.http_responses import error_response
from app.local.cluster.apiserver.log_proxy import KubeletTls, node_of
from app.local.cluster.apiserver.objects import Object
from app.local.cluster.apiserver.resources import STREAMED
from app.local.cluster.apiserver.rest import not_allowed
from app.local.cluster.streams.kubelets import Reply
from app.local.cluster.streams.locations import Location, location_of, path_of
from app.local.cluster.streams.passing import pass_on
from app.local.cluster.streams.pipes import Pipe
from app.local.cluster.streams.translating import V5, translate
from app.local.cluster.streams.tunnelling import TUNNEL, tunnel
from app.local.cluster.streams.upgrading import UpgradeRequest
from app.ports.clock import Clock
from app.telemetry import logs

_PROTOCOLS: Final = "sec-websocket-protocol"

log = logs.get(__name__)


class Upgrades:
    """Takes connections over, one task each, until `close`."""

    def __init__(self, api: Api, *, access: Access, kubelets: KubeletTls, clock: Clock) -> None:
        self._api = api
        self._access = access
        self._kubelets = kubelets
        self._clock = clock
        self._running: set[asyncio.Task[None]] = set()

    def wants(self, path: str) -> bool:
        """Whether upgrades are for this path; elsewhere they are ignored, as HTTP allows."""
        try:
            return target_of(path).subresource in STREAMED
        except ApiError:
            return False

    def take(self, request: UpgradeRequest, client: Pipe) -> None:
        """Serve the connection in a task of its own."""
        task = asyncio.create_task(self._serve(request, client), name=f"stream {request.path}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def close(self) -> None:
        """End every stream."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def locate(self, target: Target, user: Object, query: str) -> Location:
        """Where the stream is served. Raises ApiError 400, 403, 404, 500."""
        resource = f"{target.resource.plural}/{target.subresource}"
        self._access.require(
            user,
            Attributes(verb="create", resource=resource, namespace=target.namespace, name=target.name),
        )
        pod = self._api.get("pods", target.namespace, target.name)
        pairs = parse_qsl(query, keep_blank_values=True)
        path, wanted = path_of(pod, target.subresource, pairs)
        return location_of(node_of(self._api, pod["spec"]["nodeName"]), path, wanted)

    async def _serve(self, request: UpgradeRequest, client: Pipe) -> None:
        try:
            await self._carry_out(request, client)
        except ApiError as error:
            await client.write(_refusal(error))
        except OSError:
            log.info("a client of a stream went away", path=request.path)
        except Exception:
            # A mistake of ours in one stream is told, and must not stay in a task that nobody looks at.
            log.exception("a stream broke", path=request.path)
        finally:
            client.close()

    async def _carry_out(self, request: UpgradeRequest, client: Pipe) -> None:
        user = self._access.user(request.header("authorization"))
        target = target_of(request.path)
        if request.method not in {"GET", "POST"}:
            raise not_allowed()
        location = self.locate(target, user, request.query)
        tls = self._kubelets.verified
        protocols = request.words(_PROTOCOLS)
        is_web_socket = request.header("upgrade").lower() == "websocket"
        if is_web_socket and not location.takes_web_sockets:
            if target.subresource == "portforward" and any(TUNNEL.fullmatch(each) for each in protocols):
                return await tunnel(request, client, location, tls)
            if target.subresource != "portforward" and V5 in protocols:
                return await translate(request, client, location, tls, clock=self._clock)
        return await pass_on(request, client, location, tls)


def _refusal(error: ApiError) -> bytes:
    response = error_response(error)
    headers = (("Content-Type", "application/json"),)
    reply = Reply(
        status=error.status_code,
        reason=HTTPStatus(error.status_code).phrase,
        headers=headers,
        body=bytes(response.body),
    )
    return reply.encoded()
