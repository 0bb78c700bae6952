import asyncio

import pytest

from app.local.http_client import HttpClient, HttpError
from tests.local.cluster.scheduling.stub_extender import StubExtender

QUESTION = b'{"NodeNames":["ec2-0"]}'


@pytest.fixture
async def server() -> StubExtender:
    made = StubExtender()
    await made.start()
    return made


async def test_requests_share_one_connection(server: StubExtender) -> None:
    client = HttpClient(server.url)
    answers = [await client.request("POST", "/filter", body=QUESTION) for _ in range(3)]
    await client.close()
    await server.stop()
    assert [each.status for each in answers] == [200, 200, 200]
    assert server.connections == 1


async def test_a_connection_that_was_closed_while_idle_is_replaced(server: StubExtender) -> None:
    client = HttpClient(server.url)
    await client.request("POST", "/filter", body=QUESTION)
    server.hang_up()
    answer = await client.request("POST", "/filter", body=QUESTION)
    await client.close()
    await server.stop()
    assert (answer.status, server.connections) == (200, 2)


async def test_simultaneous_requests_take_turns(server: StubExtender) -> None:
    client = HttpClient(server.url)
    answers = await asyncio.gather(*(client.request("POST", "/filter", body=QUESTION) for _ in range(5)))
    await client.close()
    await server.stop()
    assert [each.status for each in answers] == [200] * 5
    assert server.connections == 1


async def test_nobody_listening_is_one_failure() -> None:
    client = HttpClient("http://127.0.0.1:1")
    with pytest.raises(HttpError, match=r"127\.0\.0\.1:1"):
        await client.request("GET", "/")


async def test_a_silent_server_is_given_up(unused_tcp_port: int) -> None:
    left = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        left.set()

    silent = await asyncio.start_server(listen, "127.0.0.1", unused_tcp_port)
    client = HttpClient(f"http://127.0.0.1:{unused_tcp_port}", timeout=0.1)
    with pytest.raises(HttpError, match=r"gave no answer in 0\.1 s"):
        await client.request("GET", "/")
    await left.wait()
    silent.close()
    await asyncio.sleep(0)


async def test_an_answer_that_is_not_http_is_a_failure(unused_tcp_port: int) -> None:
    async def babble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello, this is no HTTP\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", unused_tcp_port)
    client = HttpClient(f"http://127.0.0.1:{unused_tcp_port}")
    with pytest.raises(HttpError):
        await client.request("GET", "/")
    server.close()


async def test_cancelling_a_request_does_not_spoil_the_next(server: StubExtender) -> None:
    client = HttpClient(server.url)
    await client.request("POST", "/filter", body=QUESTION)
    cut = asyncio.create_task(client.request("POST", "/filter", body=QUESTION))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    cut.cancel()
    await asyncio.wait((cut,))
    answer = await client.request("POST", "/filter", body=b'{"NodeNames":["other"]}')
    await client.close()
    await server.stop()
    assert answer.body == b'{"NodeNames":["other"]}'
