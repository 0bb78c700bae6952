"""One API server over HTTP: raw requests and line streams, with the client's authentication and TLS."""

import asyncio
import os
import ssl
from collections.abc import AsyncGenerator, Callable, Mapping
from http import HTTPStatus
from typing import Final

import aiohttp
import msgspec
from kubernetes.aio.client import ApiClient, ApiException
from kubernetes.aio.config import ConfigException

from app.kube import configuration, paths
from app.kube.answers import decoded, failure
from app.kube.transport import JSON, Query
from app.model.meta import ObjectMeta
from app.model.wire import Json, Wire
from app.ports.clock import Clock
from app.ports.failures import PortFailure, Unavailable

_CONNECT_SECONDS: Final = 10.0
_VENDOR: Final = (aiohttp.ClientError, ApiException, ConfigException, TimeoutError, OSError, ValueError)
_COMPRESS_NOTHING: Final = "identity"
"""Lists are large and near: packing and unpacking them costs more than sending them."""


async def connect(
    *,
    kubeconfig: str | None,
    clock: Clock,
    agent: str = "spillway",
    environ: Mapping[str, str] = os.environ,
) -> "Connection":
    """A connection to the first that is configured.

    The order is `kubeconfig`, `$KUBECONFIG`, the pod's service account, `~/.kube/config`. Nothing is sent
    yet; `server_version` is a cheap first question.

    Args:
        kubeconfig: path of a kubeconfig; None or "" looks around.
        clock: spaces the refreshes of credentials.
        agent: the User-Agent, as `spillway/0.1.0 (bridge)`; audit logs and field managers show it.
        environ: the process's environment.

    Raises:
        ConnectionSettingsError: there is none, or it cannot be used; the message names the mend.
    """
    client = await configuration.load_client(kubeconfig=kubeconfig, environ=environ, steady=clock.steady)
    client.user_agent = agent
    return Connection(client)


class _Version(Wire, frozen=True):
    git_version: str


class _Namespace(Wire, frozen=True):
    metadata: ObjectMeta


class Connection:
    """Requests to one API server (`app.kube.transport.Transport`); close it when done.

    Bodies are values of JSON; structs and times in them are written as Kubernetes writes them.
    """

    def __init__(self, client: ApiClient) -> None:
        self._client = client
        self._closed = False
        self._heard: Callable[[str], None] = _unheard

    def tell_time(self, heard: Callable[[str], None]) -> None:
        """Call this with the Date header of each answer from now on; empty where there is none."""
        self._heard = heard

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Json = None,
        content_type: str = JSON,
        timeout: float = 30.0,  # noqa: ASYNC109  (it is aiohttp's, for the whole exchange)
    ) -> bytes:
        """One request; the body of its 2xx answer.

        Args:
            method: as `PATCH`.
            path: as `app.kube.paths` gives it.
            query: the parameters, unquoted.
            body: what to send, or None.
            content_type: the body's type; tells the kinds of PATCH apart.
            timeout: seconds for the whole exchange.

        Raises:
            NotFound: 404.
            Conflict: 409.
            Throttled: 429; API servers ask for a pause of about a second.
            Refused: any other 4xx, in the server's words.
            Expired: 410 (a kind of Unavailable).
            Unavailable: 401, 5xx, a timeout or no connection; the outcome is unknown.
        """
        asked = f"{method} {path}"
        limits = aiohttp.ClientTimeout(total=timeout, sock_connect=min(timeout, _CONNECT_SECONDS))
        headers = {"Accept": JSON, "Content-Type": content_type, "Accept-Encoding": _COMPRESS_NOTHING}
        sent = None if body is None else msgspec.to_builtins(body)
        try:
            async with await self._send(method, path, query, headers, sent, limits) as answer:
                data = await answer.read()
        except _VENDOR as error:
            raise self._unavailable(asked, error) from error
        if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
            raise failure(answer.status, data, asked=asked)
        return data

    async def stream(self, path: str, *, query: Query | None = None) -> AsyncGenerator[bytes, None]:
        """The lines of a GET without an end, each without its line end.

        A last line that was cut off is dropped. Waits for ever: the caller watches the time. Close it with
        `contextlib.aclosing`. Raises as `request`.
        """
        asked = f"GET {path}"
        limits = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS)
        headers = {"Accept": JSON, "Accept-Encoding": _COMPRESS_NOTHING}
        try:
            async with await self._send("GET", path, query, headers, None, limits) as answer:
                if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
                    raise failure(answer.status, await answer.read(), asked=asked)
                rest = b""
                async for chunk in answer.content.iter_any():
                    *lines, rest = (rest + chunk).split(b"\n")
                    for line in lines:
                        yield line
        except _VENDOR as error:
            raise self._unavailable(asked, error) from error

    async def server_version(self) -> str:
        """The API server's version, as `v1.36.2`. Raises as `request`."""
        data = await self.request("GET", "/version")
        return decoded(data, _Version, asked="GET /version").git_version

    async def cluster_uid(self) -> str:
        """The uid of the namespace kube-system: the cluster's identity. Raises as `request`."""
        path = paths.namespace("kube-system")
        return decoded(await self.request("GET", path), _Namespace, asked=f"GET {path}").metadata.uid

    async def close(self) -> None:
        """Close every connection, streams included."""
        self._closed = True
        await self._client.close()  # type: ignore[no-untyped-call]  # vendor
        # TLS transports of aiohttp go away in the next turn of the loop.
        await asyncio.sleep(0)

    async def _send(
        self,
        method: str,
        path: str,
        query: Query | None,
        headers: dict[str, str],
        body: Json,
        limits: aiohttp.ClientTimeout,
    ) -> aiohttp.ClientResponse:
        method, url, headers, body, _ = await self._client.param_serialize(
            method,
            path,
            query_params=list((query or {}).items()),
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        if self._closed:
            raise Unavailable(f"{method} {path}: the connection is closed, the program is stopping")
        sent = await self._client.rest_client.request(  # type: ignore[no-untyped-call]  # vendor
            method, url, headers=headers, body=body, _request_timeout=limits
        )
        answer: aiohttp.ClientResponse = sent.response
        self._heard(answer.headers.get("Date", ""))
        return answer

    def _unavailable(self, asked: str, error: Exception) -> PortFailure:
        host = self._client.configuration.host
        said = str(error) or type(error).__name__
        if isinstance(error, aiohttp.ClientConnectorCertificateError | ssl.SSLError):
            said += "; check certificate-authority in the kubeconfig"
        return Unavailable(f"{asked}: no answer from {host} ({said})")


def _unheard(date: str) -> None:
    """Nobody asked for the API server's time."""
