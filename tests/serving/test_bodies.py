"""Bodies are read within bounds, and every error has the same shape."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.types import Message

from app.serving.bodies import CutShort, TooLong, body_of, error_answer, http_error


async def echo(request: Request) -> Response:
    try:
        return Response(await body_of(request, most=10))
    except TooLong as bad:
        return error_answer(bad.status, str(bad))


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.add_api_route("/echo", echo, methods=["POST"], response_model=None)
    app.add_exception_handler(HTTPException, http_error)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bodies.test") as made:
        yield made


async def test_a_body_up_to_the_bound_is_read_whole(client: httpx.AsyncClient) -> None:
    assert (await client.post("/echo", content=b"0123456789")).content == b"0123456789"


async def test_one_byte_more_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/echo", content=b"0123456789a")
    assert (answer.status_code, answer.json()) == (413, {"error": "the body is longer than 10 bytes"})


async def test_reading_stops_at_the_bound(client: httpx.AsyncClient) -> None:
    sent = []

    async def chunks() -> AsyncIterator[bytes]:
        for number in range(1000):
            sent.append(number)
            yield b"01234"

    await client.post("/echo", content=chunks())
    assert len(sent) < 10


async def test_a_client_that_hangs_up_is_told_apart() -> None:
    sent: list[Message] = [{"type": "http.request", "body": b"{", "more_body": True}]

    async def receive() -> Message:
        return sent.pop() if sent else {"type": "http.disconnect"}

    request = Request({"type": "http", "method": "POST", "headers": []}, receive)
    with pytest.raises(CutShort, match="before the end of the body"):
        await body_of(request, most=10)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [pytest.param("GET", "/echo", 405, id="method"), pytest.param("POST", "/other", 404, id="path")],
)
async def test_unknown_paths_and_methods_get_errors_in_the_same_shape(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == status
    assert list(answer.json()) == ["error"]


async def test_a_refused_method_still_names_those_that_work(client: httpx.AsyncClient) -> None:
    assert (await client.get("/echo")).headers["allow"] == "POST"
