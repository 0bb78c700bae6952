"""What comes in and goes out by HTTP, as values."""

from collections.abc import AsyncGenerator, Awaitable, Callable

import msgspec


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request; `target` is undecoded, `client` the common name in the client's certificate, if any."""

    method: str
    target: str
    client: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A short answer in plain text."""

    status: int
    text: str
    headers: tuple[tuple[str, str], ...] = ()


class StreamedAnswer(msgspec.Struct, frozen=True):
    """Status 200 and a body of which nobody knows yet how long it gets; every piece is flushed."""

    body: AsyncGenerator[bytes, None]


Handler = Callable[[Request], Awaitable[Answer | StreamedAnswer]]
"""Answers a request. Cancelled when the client goes away."""
