"""What all JSON endpoints do alike: read a body within bounds, say what is wrong as `{"error": …}`."""

from typing import ClassVar

import msgspec
from fastapi import Request, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect


class BadBody(Exception):
    """A body that is not worth an answer; the message is for the client, with this HTTP status."""

    status: ClassVar[int]


class TooLong(BadBody):
    """It is longer than the endpoint takes."""

    status = 413


class CutShort(BadBody):
    """The client hung up before its end."""

    status = 400


async def body_of(request: Request, *, most: int) -> bytes:
    """The whole body.

    Args:
        request: its headers are read; the body is not yet.
        most: bytes. Reading stops there, so that no client can fill our memory.

    Raises:
        TooLong: there is more.
        CutShort: the connection closed before its end.
    """
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > most:
                raise TooLong(f"the body is longer than {most} bytes")
            chunks.append(chunk)
    except ClientDisconnect as gone:
        raise CutShort("the connection closed before the end of the body") from gone
    return b"".join(chunks)


def json_answer(status: int, content: bytes) -> Response:
    """An answer of JSON that is already written."""
    return Response(content, status_code=status, media_type="application/json")


def error_answer(status: int, message: str) -> Response:
    """`{"error": message}`."""
    return json_answer(status, msgspec.json.encode({"error": message}))


async def http_error(_: Request, failure: Exception) -> Response:
    """The handler for `HTTPException`: unknown paths and methods get errors in the same shape."""
    if not isinstance(failure, HTTPException):
        raise failure
    answer = error_answer(failure.status_code, failure.detail)
    answer.headers.update(failure.headers or {})
    return answer
