"""A complete listing of one kind, read in pages.

https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
"""

import asyncio
from collections.abc import Callable
from typing import Final, Generic

import msgspec

from app.kube.answers import Expired, decoded
from app.kube.transport import Query, Transport
from app.kube.watch_events import W
from app.model.wire import Wire

PAGE: Final = 500

BREATH: Final = 50
"""After so many objects whoever else waits for the event loop has a turn: a page takes 10 ms, these 1."""


class Listing(msgspec.Struct, Generic[W], frozen=True):
    """Everything at `version`; `unreadable` are the keys of objects that we cannot read."""

    values: tuple[W, ...]
    version: str
    unreadable: frozenset[str]


class _ListMeta(Wire, frozen=True):
    resource_version: str = ""
    token: str = msgspec.field(name="continue", default="")


class _Page(Wire, frozen=True):
    """One page; its objects stay as they came, to be read one by one."""

    items: tuple[msgspec.Raw, ...] | None = None
    metadata: _ListMeta = _ListMeta()


class _Name(Wire, frozen=True):
    name: str = ""
    namespace: str = ""


class _Head(Wire, frozen=True):
    """As little as tells an unreadable object's key."""

    metadata: _Name

    def key(self) -> str:
        return f"{self.metadata.namespace}/{self.metadata.name}".removeprefix("/")


def whole(value: W) -> W:
    """Keeps all of an object."""
    return value


async def complete(
    transport: Transport, path: str, *, query: Query, kind: type[W], keep: Callable[[W], W] = whole
) -> Listing[W]:
    """Every page, or a failure: never a partial listing.

    Where the snapshot that the pages are cut from expires on the way, all is read again in one piece.

    Args:
        transport: the API server.
        path: the collection.
        query: the selection.
        kind: the type of its objects.
        keep: reduces each object as soon as it is read, so that never all are whole at a time.

    Raises:
        PortFailure: the server did not answer with a complete list.
    """
    decoder = msgspec.json.Decoder(kind)

    def read(raw: msgspec.Raw) -> W:
        return keep(decoder.decode(raw))

    try:
        return await _pages(transport, path, query={**query, "limit": PAGE}, read=read)
    except Expired:
        return await _pages(transport, path, query=query, read=read)


async def _pages(
    transport: Transport, path: str, *, query: Query, read: Callable[[msgspec.Raw], W]
) -> Listing[W]:
    values: list[W] = []
    unreadable: set[str] = set()
    asked, token = f"GET {path}", ""
    while True:
        more = {**query, "continue": token} if token else query
        page = decoded(await transport.request("GET", path, query=more, timeout=60.0), _Page, asked=asked)
        for number, raw in enumerate(page.items or (), start=1):
            try:
                values.append(read(raw))
            except msgspec.MsgspecError:
                unreadable.add(decoded(bytes(raw), _Head, asked=asked).key())
            if number % BREATH == 0:
                await asyncio.sleep(0)
        token = page.metadata.token
        if not token:
            return Listing(tuple(values), page.metadata.resource_version, frozenset(unreadable))


async def current_version(transport: Transport, path: str, *, query: Query) -> str:
    """The resource version of a consistent read now, at the price of one object. Raises PortFailure."""
    data = await transport.request("GET", path, query={**query, "limit": 1})
    return decoded(data, _Page, asked=f"GET {path}").metadata.resource_version
