"""Bounded HTTP: one question and its redirects, never more bytes, time or hops than allowed."""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from typing import Final

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver
from yarl import URL

from app.ports.failures import Refused, Unavailable
from app.registry.answers import Answer
from app.registry.destinations import refusal_of

ProxyFor = Callable[[str], str | None]
"""The proxy to ask a URL's server through; None for none."""

_VENDOR: Final = (aiohttp.ClientError, TimeoutError, OSError, ValueError)
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS: Final = 5
_ERROR_BYTES: Final = 16_384
_CHUNK: Final = 65_536
_AUTHORIZATION: Final = "Authorization"


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds for one request and for its connection; how many connections to one server at a time."""

    request: float = 15.0
    connect: float = 5.0
    connections: int = 8


def no_proxy(_url: str) -> str | None:
    """Every server is asked straight."""
    return None


class Transport:
    """Requests to registries and what they redirect to. Build it where an event loop runs; close it.

    Certificates are judged by the system's authorities, or those of `$SSL_CERT_FILE`, as they are now.
    Cookies, `~/.netrc` and compressed answers are not used; of proxies only `proxy_for` knows.
    """

    def __init__(
        self,
        *,
        agent: str = "spillway",
        bounds: Bounds = Bounds(),  # noqa: B008  (frozen)
        proxy_for: ProxyFor = no_proxy,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._proxy_for = proxy_for
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=ssl.create_default_context(), limit_per_host=bounds.connections, resolver=resolver
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=bounds.request, sock_connect=bounds.connect),
            headers={"User-Agent": agent, "Accept-Encoding": "identity"},
            auto_decompress=False,
        )

    async def ask(
        self,
        method: str,
        url: URL,
        *,
        base: URL,
        headers: Mapping[str, str],
        most: int,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        """The last answer of a chain of redirects; the Authorization stays with the server it was meant for.

        Args:
            method: GET, HEAD, or POST for a form (whose redirects are answers, not followed).
            url: what to ask first.
            base: the registry's; says where it may send us.
            headers: to send.
            most: bytes of a 200's body.
            form: the fields of a POST.

        Raises:
            Refused: the answer is too large, or leads to where a registry has no business.
            Unavailable: no answer in time.
        """
        first = url
        for _ in range(_MOST_REDIRECTS + 1):
            reason = refusal_of(url, base=base)
            if reason:
                raise Refused(f"the registry {base.authority} leads to {url.host or 'nowhere'}: {reason}")
            sent = headers if url.origin() == first.origin() else _without_authorization(headers)
            answer = await self._once(method, url, sent, form, most)
            if answer.status not in _REDIRECTS or not answer.location or form is not None:
                return answer
            url = _joined(url, answer.location)
        raise Refused(f"the registry {base.authority} redirects more than {_MOST_REDIRECTS} times")

    async def close(self) -> None:
        """Close every connection; whoever waits gets Unavailable."""
        await self._session.close()
        # TLS transports of aiohttp go away in the next turn of the loop.
        await asyncio.sleep(0)

    async def _once(
        self, method: str, url: URL, headers: Mapping[str, str], form: Mapping[str, str] | None, most: int
    ) -> Answer:
        try:
            async with self._session.request(
                method,
                url,
                headers=headers,
                data=form,
                allow_redirects=False,
                proxy=self._proxy_for(str(url.origin())),
            ) as response:
                is_good = response.status == 200  # noqa: PLR2004  (the only one with content)
                body = await _read(response, most if is_good else _ERROR_BYTES, whole=is_good)
                return _answer(response, body)
        except _VENDOR as error:
            raise Unavailable(f"no answer from {url.host} ({_plain(error)})") from error
        except RuntimeError as error:
            if self._session.closed:
                raise Unavailable(f"{url.host} is not asked any more, the program is stopping") from error
            raise


def _without_authorization(headers: Mapping[str, str]) -> Mapping[str, str]:
    return {name: value for name, value in headers.items() if name != _AUTHORIZATION}


def _joined(url: URL, location: str) -> URL:
    """The redirect's target as it is written: a signed URL does not survive another spelling."""
    try:
        return url.join(URL(location, encoded=True))
    except ValueError:
        return URL()


async def _read(response: aiohttp.ClientResponse, most: int, *, whole: bool) -> bytes:
    """The body; beyond `most` bytes it is refused where it must be whole, and cut off elsewhere."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > most:
            break
    if whole and len(body) > most:
        raise Refused(f"{response.url.host} answers with more than {most} bytes, too many for what was asked")
    return bytes(body[:most])


def _answer(response: aiohttp.ClientResponse, body: bytes) -> Answer:
    headers = response.headers
    return Answer(
        status=response.status,
        body=body,
        content_type=headers.get("Content-Type", ""),
        digest=headers.get("Docker-Content-Digest", ""),
        location=headers.get("Location", ""),
        retry_after=headers.get("Retry-After", ""),
        challenges=tuple(headers.getall("WWW-Authenticate", ())),
    )


def _plain(error: Exception) -> str:
    """What went wrong, without the URL: a redirect's may be signed."""
    match error:
        case aiohttp.ClientConnectorCertificateError() | ssl.SSLError():
            return f"{error}; trust its authority by SSL_CERT_FILE"
        case aiohttp.ClientConnectorError():
            return str(error)
        case TimeoutError():
            return "it took too long"
        case _:
            return type(error).__name__
