"""An HTTP probe, as kubelet's: any status from 200 to 399 is well, redirects are followed on the same host.

https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#http-probes
"""

import ssl
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import urljoin, urlsplit

import aiohttp

from app.ports.probes import Answer
from app.probing import tcp

MOST_REDIRECTS: Final = 10
MOST_BODY: Final = 10 * 1024
_REDIRECTS: Final = frozenset(
    {
        HTTPStatus.MOVED_PERMANENTLY,
        HTTPStatus.FOUND,
        HTTPStatus.SEE_OTHER,
        HTTPStatus.TEMPORARY_REDIRECT,
        HTTPStatus.PERMANENT_REDIRECT,
    }
)


async def get(session: aiohttp.ClientSession, url: str, headers: Mapping[str, str]) -> Answer:
    """One probe; the caller bounds its time.

    A redirect to another host is a success, as for a kubelet: the server is alive, and says so.
    """
    host = urlsplit(url).hostname
    for _ in range(MOST_REDIRECTS):
        try:
            async with session.get(url, headers=headers, allow_redirects=False, ssl=False) as answer:
                await answer.content.read(MOST_BODY)
                following = answer.headers.get("Location", "")
                if answer.status in _REDIRECTS and following:
                    url = urljoin(url, following)
                    if urlsplit(url).hostname != host:
                        return Answer(ok=True)
                    continue
                return _judged(answer.status)
        except (aiohttp.ClientError, OSError, ssl.SSLError, ValueError) as error:
            return Answer(ok=False, output=f'Get "{url}": {_said(error)}')
    return Answer(ok=False, output=f'Get "{url}": stopped after {MOST_REDIRECTS} redirects')


def late(url: str) -> Answer:
    """The probe took too long."""
    return Answer(
        ok=False,
        output=f'Get "{url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
    )


def _judged(status: int) -> Answer:
    if HTTPStatus.OK <= status < HTTPStatus.BAD_REQUEST:
        return Answer(ok=True)
    return Answer(ok=False, output=f"HTTP probe failed with statuscode: {status}")


def _said(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"dial tcp {tcp.address(error.host, error.port or 0)}: connect: {tcp.said(error.os_error)}"
    return str(error) or type(error).__name__
