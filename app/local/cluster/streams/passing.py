"""Streams that the kubelet itself understands: its answer and everything after it are relayed as they are."""

import ssl
from typing import Final

from app.local.cluster.apiserver.errors import ApiError
from app.local.cluster.streams.kubelets import SWITCHING, DialError, Headers, Reply, asked
from app.local.cluster.streams.locations import Location
from app.local.cluster.streams.pipes import Pipe, relay
from app.local.cluster.streams.upgrading import UpgradeRequest

_REFUSED: Final = 400


async def pass_on(request: UpgradeRequest, client: Pipe, location: Location, tls: ssl.SSLContext) -> None:
    """Ask the kubelet as the client asked, and relay what follows until one of them ends.

    Raises:
        ApiError: 500 where the kubelet cannot be reached, or answers with neither an upgrade nor an error.
    """
    reply, kubelet = await upgraded(location, tls, method=request.method, headers=forwarded(request))
    try:
        await client.write(reply.encoded())
        if reply.status == SWITCHING:
            await relay(client, kubelet)
    finally:
        kubelet.close()


async def upgraded(
    location: Location, tls: ssl.SSLContext, *, method: str, headers: Headers
) -> tuple[Reply, Pipe]:
    """The kubelet's answer, which is an upgrade or an error, and the connection, the caller's to close.

    Raises:
        ApiError: 500 where it cannot be reached, or answers something else.
    """
    try:
        reply, kubelet = await asked(location, tls, method=method, headers=headers)
    except DialError as why:
        raise ApiError(500, "", f"error dialing backend: {why}") from why
    if reply.status != SWITCHING and reply.status < _REFUSED:
        kubelet.close()
        raise ApiError(500, "", f"invalid upgrade response: status code {reply.status}")
    return reply, kubelet


def forwarded(request: UpgradeRequest) -> list[tuple[str, str]]:
    """The client's headers as the kubelet gets them: without who it is to us, and with where it came from."""
    kept = [pair for pair in request.headers if pair[0] not in {"authorization", "x-forwarded-for"}]
    way = [value for name, value in request.headers if name == "x-forwarded-for"]
    return [*kept, ("x-forwarded-for", ", ".join([*way, request.client]))]
