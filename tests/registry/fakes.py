"""A container registry on loopback: manifests, blobs, tokens, and whatever goes wrong with them."""

import asyncio
import base64
import hashlib
import json
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from app.model.image import RegistryLogin
from app.registry import manifests

OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
PASSWORD = "hush-hush"
SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Asked(NamedTuple):
    """One request as it came over the wire; `sent` has the query's or the form's fields."""

    method: str
    host: str
    path: str
    authorization: str
    sent: dict[str, str]


class FakeRegistry:
    """Serves what was pushed. `asked` holds the requests; `faults` answers to give once instead, by path."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.faults: dict[str, deque[web.StreamResponse]] = {}
        self.auth = ""
        self.challenge = ""
        self.users: dict[str, str] = {}
        self.identity_tokens: set[str] = set()
        self.public = True
        self.token_field = "token"
        self.blob_host = ""
        self.gate = asyncio.Event()
        self.gate.set()
        self.port = 0
        self._manifests: dict[tuple[str, str], tuple[bytes, str]] = {}
        self._blobs: dict[str, bytes] = {}

    @property
    def host(self) -> str:
        """`HOST:PORT`, for images' names."""
        return f"127.0.0.1:{self.port}"

    def image(self, name: str) -> str:
        """The name of an image that is kept here."""
        return f"{self.host}/{name}"

    def fault(self, path: str, *answers: web.StreamResponse) -> None:
        """Give these answers, one each, to the next requests of the path."""
        self.faults.setdefault(path, deque()).extend(answers)

    def paths(self, method: str = "GET") -> list[str]:
        """The paths that were asked for, tokens left out."""
        return [each.path for each in self.asked if each.method == method and each.path != "/token"]

    def push(self, name: str, *, content: Mapping[str, Any] | bytes | None = None, **fields: Any) -> str:
        """Push an image under `REPOSITORY:TAG`; its digest. `fields` are the manifest's."""
        body = (
            content if isinstance(content, bytes) else json.dumps(a_config() if content is None else content)
        )
        config = self.push_blob(body if isinstance(body, bytes) else body.encode())
        document = {"schemaVersion": 2, "mediaType": manifests.OCI_MANIFEST, "config": config, "layers": []}
        return self.push_manifest(name, {**document, **fields})

    def push_index(self, name: str, *entries: Mapping[str, Any], **fields: Any) -> str:
        """Push an index; its digest."""
        document = {"schemaVersion": 2, "mediaType": manifests.OCI_INDEX, "manifests": list(entries)}
        return self.push_manifest(name, {**document, **fields})

    def push_manifest(self, name: str, document: Mapping[str, Any], *, content_type: str = "") -> str:
        """Push any manifest, under its tag and its digest."""
        repository, _, tag = name.partition(":")
        body = json.dumps(document).encode()
        digest = sha256(body)
        for pointer in (tag, digest):
            self._manifests[repository, pointer] = (body, content_type or document.get("mediaType", ""))
        return digest

    def push_blob(self, body: bytes, *, media_type: str = OCI_CONFIG) -> dict[str, Any]:
        """Push a blob; its descriptor."""
        digest = sha256(body)
        self._blobs[digest] = body
        return {"mediaType": media_type, "digest": digest, "size": len(body)}

    def corrupt(self, body: bytes) -> None:
        """Serve this in place of every blob."""
        self._blobs = dict.fromkeys(self._blobs, body)

    def remove(self, name: str) -> None:
        """Take a tag away."""
        repository, _, tag = name.partition(":")
        del self._manifests[repository, tag]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        form = dict(await request.post()) if request.method == "POST" else dict(request.query)
        sent = {key: str(value) for key, value in form.items()}
        authorization = request.headers.get("Authorization", "")
        self.asked.append(Asked(request.method, request.host, request.path, authorization, sent))
        await self.gate.wait()
        if self.faults.get(request.path):
            return self.faults[request.path].popleft()
        if request.path == "/token":
            return self._token(request, sent)
        return self._let_in(request) or self._content(request)

    def _token(self, request: web.Request, sent: Mapping[str, str]) -> web.Response:
        authorization = request.headers.get("Authorization", "")
        known = self._knows(authorization) or sent.get("refresh_token") in self.identity_tokens
        if not known and (authorization or request.method == "POST" or not self.public):
            return an_error(401, "incorrect username or password")
        return web.json_response({self.token_field: "pull-token"})

    def _let_in(self, request: web.Request) -> web.Response | None:
        authorization = request.headers.get("Authorization", "")
        is_in = authorization == "Bearer pull-token" if self.auth == "bearer" else self._knows(authorization)
        if not self.auth or is_in or request.path.startswith("/storage/"):
            return None
        realm = f'Bearer realm="{request.scheme}://{request.host}/token",service="fake registry"'
        challenge = self.challenge or (realm if self.auth == "bearer" else 'Basic realm="fake"')
        return an_error(401, "authentication required", {"WWW-Authenticate": challenge})

    def _knows(self, authorization: str) -> bool:
        pairs = (f"{user}:{password}".encode() for user, password in self.users.items())
        return authorization in {f"Basic {base64.b64encode(pair).decode()}" for pair in pairs}

    def _content(self, request: web.Request) -> web.Response:
        path = request.path
        if "/blobs/" in path and self.blob_host:
            signed = f"{self.blob_host}/storage/{path.rpartition('/')[2]}?signature=a%2Fb%7Ec%3D"
            return web.Response(status=307, headers={"Location": signed})
        if "/blobs/" in path or path.startswith("/storage/"):
            body = self._blobs.get(path.rpartition("/")[2])
            return an_error(404, "blob unknown") if body is None else web.Response(body=body)
        repository, _, pointer = path.removeprefix("/v2/").partition("/manifests/")
        body, kind = self._manifests.get((repository, pointer), (None, ""))
        if body is None:
            return an_error(404, "manifest unknown")
        headers = {"Docker-Content-Digest": sha256(body), "Content-Type": kind or "application/json"}
        return web.Response(body=body, headers=headers)


class FakeLogins:
    """Lends one login for one host, and counts how often it was asked."""

    def __init__(self, host: str, login: RegistryLogin) -> None:
        self.host = host
        self.asked = 0
        self._login = login

    async def login(self, host: str) -> RegistryLogin | None:
        self.asked += 1
        return self._login if host == self.host else None


class EveryHost(AbstractResolver):
    """Finds every name at one port of loopback."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        found = ResolveResult(
            hostname=host, host="127.0.0.1", port=self._port, family=family or 2, proto=0, flags=0
        )
        return [found]

    async def close(self) -> None:
        await asyncio.sleep(0)


@asynccontextmanager
async def serving(
    registry: FakeRegistry, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[FakeRegistry]:
    """The registry on a free port of loopback."""
    async with serving_by(registry.handle, tls=tls) as port:
        registry.port = port
        yield registry
        registry.gate.set()


@asynccontextmanager
async def serving_by(handler: Handler, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server on a free port of loopback, which it gives; the handler answers everything."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def a_config(**run: Any) -> dict[str, Any]:
    """An image's configuration; keyword arguments are fields of its `config`."""
    return {"architecture": "amd64", "os": "linux", "config": {"Entrypoint": ["/app"], **run}}


def an_entry(digest: str, *, platform: str | None = "linux/amd64", **fields: Any) -> dict[str, Any]:
    """An entry of an index; `platform` as `OS/ARCHITECTURE[/VARIANT]`."""
    entry = {"mediaType": manifests.OCI_MANIFEST, "digest": digest, "size": 100, **fields}
    if platform is not None:
        entry["platform"] = dict(zip(("os", "architecture", "variant"), platform.split("/"), strict=False))
    return entry


def an_error(status: int, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """A registry's error."""
    body = {"errors": [{"code": "CODE", "message": message}]}
    return web.json_response(body, status=status, headers=headers)


def a_login(registry: str, username: str = "ann", password: str = PASSWORD) -> RegistryLogin:
    """A user of a registry."""
    return RegistryLogin(registry, username, password)


def sha256(body: bytes) -> str:
    """The body's digest."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"
