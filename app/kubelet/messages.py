"""What comes in and goes out by HTTP, as values."""

from collections.abc import AsyncGenerator, Awaitable, Callable

import msgspec

from app.streaming.transport import Duplex

__all__ = ["Answer", "Duplex", "Handler", "Request", "StreamedAnswer", "Upgrade"]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request, without its body.

    Attributes:
        method: as sent, `GET`.
        target: undecoded.
        client: the common name in the client's certificate; empty where it showed none.
        headers: in the order they came, their names in lower case; one may come several times.
        organizations: the organizations in the client's certificate, which Kubernetes takes for groups.
    """

    method: str
    target: str
    client: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    organizations: tuple[str, ...] = ()

    def header(self, name: str) -> str:
        """The first header of that name, which is in lower case; empty where there is none."""
        return next((value for key, value in self.headers if key == name), "")


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A short answer in plain text."""

    status: int
    text: str
    headers: tuple[tuple[str, str], ...] = ()


class StreamedAnswer(msgspec.Struct, frozen=True):
    """Status 200 and a body of which nobody knows yet how long it gets; every piece is flushed."""

    body: AsyncGenerator[bytes, None]


class Upgrade(msgspec.Struct, frozen=True):
    """Status 101; then `run` owns the connection, which is closed as it returns (RFC 9110, 7.8)."""

    headers: tuple[tuple[str, str], ...]
    run: Callable[[Duplex], Awaitable[None]]


Handler = Callable[[Request], Awaitable[Answer | StreamedAnswer | Upgrade]]
"""Answers a request. Cancelled when the client goes away."""
