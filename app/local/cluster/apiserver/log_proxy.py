"""The pods' log subresource: passed on to the node's kubelet API over HTTPS, streaming.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#get-read-log-of-the-specified-pod
Answers of the kubelet become Statuses as pkg/registry/generic/rest/response_checker.go makes them.
"""

import asyncio
import contextlib
import os
import ssl
from collections.abc import AsyncIterator
from typing import Any, Final
from urllib.parse import urlencode

import h11
import msgspec

from app.local.cluster.apiserver import errors
from app.local.cluster.apiserver.api import Api
from app.local.cluster.apiserver.errors import ApiError
from app.local.cluster.apiserver.http_requests import integer
from app.local.cluster.apiserver.objects import Object

_CHUNK: Final = 65_536
_CONNECT_SECONDS: Final = 10.0
_FLAGS: Final = ("follow", "previous", "timestamps")
_LEAST: Final = {
    "tailLines": (0, "greater than or equal to 0"),
    "sinceSeconds": (1, "greater than 0"),
    "limitBytes": (1, "greater than 0"),
}


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where a container's log is: the kubelet's address, and the path with its query."""

    host: str
    port: int
    path: str


class KubeletTls(msgspec.Struct, frozen=True, kw_only=True):
    """How kubelets are spoken to; `unverified` is for `kubectl logs --insecure-skip-tls-verify-backend`."""

    verified: ssl.SSLContext
    unverified: ssl.SSLContext


def query_of(name: str, given: dict[str, str]) -> dict[str, str]:
    """The parameters that are passed on, checked. Raises ApiError 400, 422."""
    query = {flag: "true" for flag in _FLAGS if given.get(flag, "").lower() in {"true", "1"}}
    causes = []
    for parameter, (least, rule) in _LEAST.items():
        if parameter in given:
            value = integer(given[parameter])
            query[parameter] = str(value)
            if value < least:
                causes.append(errors.invalid_value(parameter, str(value), f"must be {rule}"))
    if "sinceTime" in given:
        query["sinceTime"] = given["sinceTime"]
    if "sinceTime" in given and "sinceSeconds" in given:
        causes.append(errors.forbidden("", "at most one of `sinceTime` or `sinceSeconds` may be specified"))
    if causes:
        raise errors.invalid("PodLogOptions", name, causes)
    return query


def container_of(pod: Object, asked: str) -> str:
    """The container whose log is wanted. Raises ApiError 400 where that is not clear."""
    name, spec = pod["metadata"]["name"], pod["spec"]
    names = [
        str(each["name"])
        for group in ("initContainers", "containers", "ephemeralContainers")
        for each in spec.get(group, ())
    ]
    if not asked and len(spec.get("containers", ())) == 1:
        return str(spec["containers"][0]["name"])
    if not asked:
        choices = f"choose one of: [{' '.join(names)}]"
        raise errors.bad_request(f"a container name must be specified for pod {name}, {choices}")
    if asked not in names:
        raise errors.bad_request(f"container {asked} is not valid for pod {name}")
    return asked


def node_of(api: Api, name: str) -> Object:
    """The node of a pod. Raises ApiError 404, which calls it a pod, as the real server does by mistake."""
    found = api.store.get("nodes", ("", name))
    if found is None:
        raise errors.not_found("pods", name)
    return found


def kubelet_address(node: Object) -> tuple[str, int]:
    """Where the node's kubelet listens: host and port. Raises ApiError 500 for a node without an address."""
    status = node.get("status", {})
    found = [each["address"] for each in status.get("addresses", ()) if each["type"] == "InternalIP"]
    if not found:
        raise ApiError(
            500, "", f"no preferred addresses found; known addresses: {status.get('addresses', [])}"
        )
    port = status.get("daemonEndpoints", {}).get("kubeletEndpoint", {}).get("Port", 0)
    return found[0], port or 10250


def source_of(pod: Object, node: Object, container: str, query: dict[str, str]) -> Source:
    """Where the node serves the log. Raises ApiError 500 for a node without an address."""
    host, port = kubelet_address(node)
    path = f"/containerLogs/{pod['metadata']['namespace']}/{pod['metadata']['name']}/{container}"
    return Source(host=host, port=port, path=f"{path}?{urlencode(sorted(query.items()))}" if query else path)


@contextlib.asynccontextmanager
async def opened(source: Source, tls: ssl.SSLContext) -> AsyncIterator[AsyncIterator[bytes]]:
    """The log as it comes, over a connection of its own.

    Raises:
        ApiError: 500 where the kubelet cannot be reached; its own refusal else.
    """
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            reader, writer = await asyncio.open_connection(source.host, source.port, ssl=tls)
    except TimeoutError as why:
        raise _unreachable(source, "timeout") from why
    except OSError as why:
        raise _unreachable(source, os.strerror(why.errno).lower() if why.errno else str(why)) from why
    try:
        yield await _answer(source, reader, writer)
    finally:
        writer.close()


def _unreachable(source: Source, why: str) -> ApiError:
    address = f"{source.host}:{source.port}"
    return ApiError(500, "", f'Get "https://{address}{source.path}": dial tcp {address}: connect: {why}')


async def _answer(
    source: Source, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> AsyncIterator[bytes]:
    connection = h11.Connection(h11.CLIENT)
    headers = [("Host", f"{source.host}:{source.port}"), ("Connection", "close")]
    request = connection.send(h11.Request(method="GET", target=source.path, headers=headers))
    writer.write((request or b"") + (connection.send(h11.EndOfMessage()) or b""))
    await writer.drain()
    events = _events(connection, reader)
    head = await anext(events, None)
    if not isinstance(head, h11.Response):
        raise ApiError(500, "", f'Get "https://{source.host}:{source.port}{source.path}": EOF')
    if not 200 <= head.status_code <= 206:  # noqa: PLR2004  (what Kubernetes takes for a log)
        text = b"".join([bytes(event.data) async for event in events if isinstance(event, h11.Data)])
        raise _refusal(head.status_code, text[:50_000].decode(errors="replace"), source)
    return _data(events)


async def _data(events: AsyncIterator[Any]) -> AsyncIterator[bytes]:
    async for event in events:
        if isinstance(event, h11.Data):
            yield bytes(event.data)


async def _events(connection: h11.Connection, reader: asyncio.StreamReader) -> AsyncIterator[Any]:
    """h11's events until the message ends; a connection that breaks in the middle ends it too."""
    while True:
        try:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(await reader.read(_CHUNK))
                continue
        except (OSError, h11.RemoteProtocolError):
            return
        yield event
        if isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
            return


def _refusal(status: int, text: str, source: Source) -> ApiError:
    name = source.path.split("/")[3]
    details = {"name": name, "kind": "pods/log"}
    match status:
        case 400:
            return errors.bad_request(text)
        case 404:
            what = f"the server could not find the requested resource ( pods/log {name})"
            return ApiError(404, "NotFound", what, details=details)
        case 401:
            what = f"the server has asked for the client to provide credentials ( pods/log {name})"
            return ApiError(401, "Unauthorized", what, details=details)
        case 403:
            return ApiError(403, "Forbidden", f"{text} ( pods/log {name})", details=details)
        case 500:
            return errors.internal(text)
        case _:
            said = f'an error on the server ("{text}") has prevented the request from succeeding'
            what = f"{said} ( pods/log {name})"
            return ApiError(status, "InternalError", what, details=details)
