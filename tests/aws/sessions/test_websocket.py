"""Over a real WebSocket on loopback."""

from collections.abc import AsyncIterator

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve

from app.aws.sessions.websocket import LostError, dial
from app.ports.failures import Unavailable


async def _echo(connection: ServerConnection) -> None:
    async for message in connection:
        if message == "go":
            await connection.close()
        else:
            await connection.send(message)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serve(_echo, "127.0.0.1", 0) as serving:
        yield serving


def url_of(server: Server) -> str:
    host, port = next(iter(server.sockets)).getsockname()
    return f"ws://{host}:{port}/data-channel/1?role=publish_subscribe"


async def test_messages_go_both_ways_as_they_are(server: Server) -> None:
    socket = await dial(url_of(server))
    await socket.send("text")
    await socket.send(b"\0bytes")
    assert (await socket.receive(), await socket.receive()) == ("text", b"\0bytes")
    await socket.close()


async def test_a_ping_is_answered(server: Server) -> None:
    socket = await dial(url_of(server))
    await socket.ping()
    await socket.close()


async def test_the_end_of_the_connection_is_told_as_a_loss(server: Server) -> None:
    socket = await dial(url_of(server))
    await socket.send("go")
    with pytest.raises(LostError):
        await socket.receive()
    with pytest.raises(LostError):
        await socket.send(b"late")
    with pytest.raises(LostError):
        await socket.ping()
    await socket.close()


async def test_nobody_there_is_unavailable(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    url = url_of(server)
    server.close()
    await server.wait_closed()
    with pytest.raises(Unavailable, match="does not answer"):
        await dial(url)


async def test_a_proxy_is_not_asked_for_this_machine(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://192.0.2.1:3128")
    monkeypatch.setenv("https_proxy", "http://192.0.2.1:3128")
    socket = await dial(url_of(server))
    await socket.close()


async def test_a_stream_in_the_clear_elsewhere_is_not_opened() -> None:
    with pytest.raises(Unavailable, match="is not encrypted"):
        await dial("ws://ssmmessages.example/1")
