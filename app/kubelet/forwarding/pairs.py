"""The two streams of a forwarded connection find each other: one for data, one for what went wrong. Pure.

https://github.com/kubernetes/kubernetes/tree/v1.36.0/staging/src/k8s.io/cri-streaming/pkg/streaming/portforward
"""

from typing import Final, Generic, Protocol, TypeVar

import msgspec

from app.kubelet.forwarding.ports import port_of


class Labelled(Protocol):
    """A stream with the headers that it was opened with."""

    @property
    def number(self) -> int:
        """Its number in the connection."""
        ...

    def header(self, name: str) -> str:
        """The first header of that name, which is in lower case; empty where there is none."""
        ...


S = TypeVar("S", bound=Labelled)

MOST_WAITING: Final = 256
"""Pairs of one client of which one stream is missing."""


class Pair(msgspec.Struct, Generic[S], kw_only=True):
    """A forwarded connection, as far as its streams have come."""

    request: str
    port: int = 0
    data: S | None = None
    error: S | None = None


class Pairs(Generic[S]):
    """Those of which one stream is missing yet."""

    def __init__(self) -> None:
        self._waiting: dict[str, Pair[S]] = {}

    def add(self, stream: S) -> Pair[S] | None:
        """The pair that the stream belongs to, complete or not.

        None where it is no stream to forward, or where too many wait for their other stream.
        """
        kind, port = stream.header("streamtype"), port_of(stream.header("port"))
        if kind not in {"data", "error"} or port is None:
            return None
        request = _request(stream, kind)
        if len(self._waiting) >= MOST_WAITING and request not in self._waiting:
            return None
        pair = self._waiting.setdefault(request, Pair(request=request))
        if kind == "data" and pair.data is None:
            pair.data, pair.port = stream, port
        elif kind == "error" and pair.error is None:
            pair.error = stream
        else:
            return None
        if pair.data and pair.error:
            del self._waiting[request]
        return pair

    def give_up(self, pair: Pair[S]) -> None:
        """Wait for the other stream no longer."""
        if self._waiting.get(pair.request) is pair:
            del self._waiting[pair.request]


def _request(stream: Labelled, kind: str) -> str:
    # Old clients number no requests: they open a pair's streams one right behind the other.
    return stream.header("requestid") or str(stream.number - 2 * (kind == "data"))
