"""A complete listing of one kind, read in pages.

https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
"""

from typing import Final, Generic

import msgspec

from app.kube.answers import Expired, decoded
from app.kube.transport import Query, Transport
from app.kube.watch_events import W
from app.model.wire import Wire

PAGE: Final = 500


class Listing(msgspec.Struct, Generic[W], frozen=True):
    """Everything at `version`; `unreadable` are the keys of objects that we cannot read."""

    values: tuple[W, ...]
    version: str
    unreadable: frozenset[str]


class _ListMeta(Wire, frozen=True):
    resource_version: str = ""
    token: str = msgspec.field(name="continue", default="")


class _Page(Wire, Generic[W], frozen=True):
    items: tuple[W, ...] | None
    metadata: _ListMeta = _ListMeta()


class _RawPage(Wire, frozen=True):
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


class PageReader(Generic[W]):
    """Reads pages of one kind. Pure; the decoders are built once."""

    def __init__(self, kind: type[W]) -> None:
        self._page = msgspec.json.Decoder(_Page[kind])  # type: ignore[valid-type]  # built at run time
        self._object = msgspec.json.Decoder(kind)

    def read(self, data: bytes, *, asked: str) -> tuple[Listing[W], str]:
        """The page, and the token of the next one ("" on the last).

        Raises:
            Unavailable: it is no list at all.
        """
        try:
            page = self._page.decode(data)
        except msgspec.MsgspecError:
            return self._read_singly(data, asked=asked)
        return Listing(page.items or (), page.metadata.resource_version, frozenset()), page.metadata.token

    def _read_singly(self, data: bytes, *, asked: str) -> tuple[Listing[W], str]:
        page = decoded(data, _RawPage, asked=asked)
        values: list[W] = []
        unreadable: set[str] = set()
        for raw in page.items or ():
            try:
                values.append(self._object.decode(raw))
            except msgspec.MsgspecError:
                unreadable.add(decoded(bytes(raw), _Head, asked=asked).key())
        return (
            Listing(tuple(values), page.metadata.resource_version, frozenset(unreadable)),
            page.metadata.token,
        )


async def complete(transport: Transport, path: str, *, query: Query, reader: PageReader[W]) -> Listing[W]:
    """Every page, or a failure: never a partial listing.

    Where the snapshot that the pages are cut from expires on the way, all is read again in one piece.

    Raises:
        PortFailure: the server did not answer with a complete list.
    """
    try:
        return await _pages(transport, path, query={**query, "limit": PAGE}, reader=reader)
    except Expired:
        return await _pages(transport, path, query=query, reader=reader)


async def _pages(transport: Transport, path: str, *, query: Query, reader: PageReader[W]) -> Listing[W]:
    values: list[W] = []
    unreadable: set[str] = set()
    token = ""
    while True:
        more = {**query, "continue": token} if token else query
        data = await transport.request("GET", path, query=more, timeout=60.0)
        page, token = reader.read(data, asked=f"GET {path}")
        values += page.values
        unreadable |= page.unreadable
        if not token:
            return Listing(tuple(values), page.version, frozenset(unreadable))


async def current_version(transport: Transport, path: str, *, query: Query) -> str:
    """The resource version of a consistent read now, at the price of one object. Raises PortFailure."""
    data = await transport.request("GET", path, query={**query, "limit": 1})
    return decoded(data, _RawPage, asked=f"GET {path}").metadata.resource_version
