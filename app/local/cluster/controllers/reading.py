"""The API's objects as values: decoded once for each version."""

from typing import Generic, TypeVar

import msgspec

from app.local.cluster.apiserver.api import Api, ApiError, Object

_NOT_FOUND = 404
T = TypeVar("T")


class Decoder(Generic[T]):
    """Decodes objects of one type and remembers each object's last version.

    Level-triggered controllers list everything again and again; what did not change is not decoded again.
    """

    def __init__(self, kind: type[T]) -> None:
        self._kind = kind
        self._known: dict[str, tuple[str, T]] = {}

    def __call__(self, raw: Object) -> T:
        """The object as a value.

        Raises:
            msgspec.ValidationError: the API server let something through that the type has no room for.
        """
        metadata = raw["metadata"]
        uid, version = metadata["uid"], metadata["resourceVersion"]
        known = self._known.get(uid)
        if known is not None and known[0] == version:
            return known[1]
        value = msgspec.convert(raw, self._kind)
        self._known[uid] = (version, value)
        return value

    def forget(self, uid: str) -> None:
        """The object is gone."""
        self._known.pop(uid, None)


def found(api: Api, resource: str, namespace: str, name: str) -> Object | None:
    """The object, or None where it is not there."""
    try:
        return api.get(resource, namespace, name)
    except ApiError as error:
        if error.status_code != _NOT_FOUND:
            raise
        return None


def wire(value: msgspec.Struct) -> Object:
    """The value as JSON decodes it: lists for tuples, text for times."""
    written: Object = msgspec.json.decode(msgspec.json.encode(value))
    return written
