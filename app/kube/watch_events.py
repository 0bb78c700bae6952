"""One line of a watch: which step the cache takes for it.

https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

from http import HTTPStatus
from typing import Generic, Protocol, TypeVar

import msgspec

from app.kube.answers import Status
from app.model.meta import ObjectMeta
from app.model.wire import Wire


class Watchable(Protocol):
    """Any Kubernetes object as `app.model` has it."""

    @property
    def metadata(self) -> ObjectMeta:
        """Its name, uid and resource version."""
        ...


W = TypeVar("W", bound=Watchable)


class Put(msgspec.Struct, Generic[W], frozen=True):
    """The object is there, new or changed."""

    value: W


class Drop(Wire, frozen=True):
    """The object is gone, or left the selection. Only its metadata is read: an end must not be missed."""

    metadata: ObjectMeta


class Mark(msgspec.Struct, frozen=True):
    """Nothing changed up to this resource version."""

    version: str


class Relist(msgspec.Struct, frozen=True):
    """The server no longer has the changes since our version."""

    reason: str


class Broken(msgspec.Struct, frozen=True):
    """The server ends the watch with an error, or speaks no JSON: connect again."""

    reason: str


class Skip(msgspec.Struct, frozen=True):
    """An object that we cannot read; the watch goes on behind it, at `version` where that can be read."""

    version: str
    reason: str


class _Event(msgspec.Struct, frozen=True):
    type: str
    object: msgspec.Raw


class _Version(Wire, frozen=True):
    resource_version: str = ""


class _Bookmark(Wire, frozen=True):
    metadata: _Version = _Version()


class LineReader(Generic[W]):
    """Reads the lines of one kind's watch. Pure; the decoders are built once."""

    def __init__(self, kind: type[W]) -> None:
        self._event = msgspec.json.Decoder(_Event)
        self._object = msgspec.json.Decoder(kind)
        self._drop = msgspec.json.Decoder(Drop)
        self._bookmark = msgspec.json.Decoder(_Bookmark)
        self._status = msgspec.json.Decoder(Status)

    def step(self, line: bytes) -> Put[W] | Drop | Mark | Relist | Broken | Skip:
        """The step that the line asks for; total over all bytes."""
        try:
            event = self._event.decode(line)
        except msgspec.MsgspecError as error:
            return Broken(f"a line is not a watch event ({error})")
        try:
            return self._of(event)
        except msgspec.MsgspecError as error:
            return Skip(self._version_of(event.object), f"{event.type} event cannot be read ({error})")

    def _of(self, event: _Event) -> Put[W] | Drop | Mark | Relist | Broken | Skip:
        match event.type:
            case "ADDED" | "MODIFIED":
                return Put(self._object.decode(event.object))
            case "DELETED":
                return self._drop.decode(event.object)
            case "BOOKMARK":
                return Mark(self._bookmark.decode(event.object).metadata.resource_version)
            case "ERROR":
                return _error(self._status.decode(event.object))
            case _:
                return Skip(self._version_of(event.object), f"unknown kind of event {event.type}")

    def _version_of(self, raw: msgspec.Raw) -> str:
        try:
            return self._bookmark.decode(raw).metadata.resource_version
        except msgspec.MsgspecError:
            return ""


def _error(status: Status) -> Relist | Broken:
    # Some servers send the reason without its code.
    if status.code == HTTPStatus.GONE or status.reason in {"Expired", "Gone"}:
        return Relist(status.message)
    return Broken(f"{status.code} {status.reason}: {status.message}")
