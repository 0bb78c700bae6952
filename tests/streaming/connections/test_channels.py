import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from app.streaming.connections.channels import ChannelConnection, Tunnel
from app.streaming.transport import ConnectionEnded
from app.streaming.websocket import Side
from tests.fakes import settle
from tests.streaming.fakes import FakeDuplex, duplexes, everything


class Ends:
    """A server that reads channels 0 and 4, and the library's own client."""

    def __init__(self, *, half_close: bool = True) -> None:
        self.duplex, server_end = duplexes()
        self.client = ClientProtocol(parse_uri("ws://node/"), state=OPEN)
        self.server = ChannelConnection(server_end, Side.SERVER, reads=(0, 4), half_close=half_close)

    async def send(self) -> None:
        await self.duplex.write(b"".join(self.client.data_to_send()))

    async def say(self, *messages: bytes) -> None:
        for message in messages:
            self.client.send_binary(message)
        await self.send()

    async def heard(self) -> list[bytes]:
        await settle()
        self.client.receive_data(await self.duplex.read())
        return [bytes(frame.data) for frame in self.client.events_received()]  # type: ignore[union-attr]  # frames


async def for_ever() -> None:
    await asyncio.Event().wait()


async def finished(task: asyncio.Task[None]) -> None:
    async with asyncio.timeout(30):
        await task


async def test_messages_go_to_the_channel_of_their_first_byte() -> None:
    ends = Ends()
    serving = asyncio.create_task(ends.server.serve(for_ever()))
    await ends.say(b"\0one", b"\4size", b"\1unread", b"\x09unknown", b"", b"\0two")
    assert await ends.server.channel(0).read() == b"one"
    assert await ends.server.channel(0).read() == b"two"
    assert await ends.server.channel(4).read() == b"size"
    ends.duplex.close()
    await finished(serving)


async def test_a_message_in_several_frames_goes_to_one_channel() -> None:
    ends = Ends()
    serving = asyncio.create_task(ends.server.serve(for_ever()))
    ends.client.send_binary(b"", fin=False)
    ends.client.send_continuation(b"\0one", fin=False)
    ends.client.send_continuation(b"\4two", fin=True)
    await ends.send()
    assert await ends.server.channel(0).read() == b"one"
    assert await ends.server.channel(0).read() == b"\4two"
    ends.duplex.close()
    await finished(serving)


async def test_a_signal_ends_one_channel() -> None:
    ends = Ends()
    serving = asyncio.create_task(ends.server.serve(for_ever()))
    await ends.say(b"\0one", b"\xff\0", b"\4size")
    assert await everything(ends.server.channel(0)) == b"one"
    assert await ends.server.channel(4).read() == b"size"
    ends.duplex.close()
    await finished(serving)


async def test_a_signal_that_names_no_channel_ends_the_connection() -> None:
    ends = Ends()
    serving = asyncio.create_task(ends.server.serve(for_ever()))
    await ends.say(b"\xff")
    await finished(serving)


async def test_without_the_signal_its_number_is_a_channel_like_others() -> None:
    ends = Ends(half_close=False)
    serving = asyncio.create_task(ends.server.serve(for_ever()))
    await ends.say(b"\xff\0", b"\0one")
    assert await ends.server.channel(0).read() == b"one"
    ends.duplex.close()
    await finished(serving)


async def test_what_is_written_carries_its_channel_and_then_comes_the_close() -> None:
    ends = Ends()

    async def say() -> None:
        await ends.server.channel(1).write(b"")
        await ends.server.channel(2).write(b"x" * 40_000)
        await ends.server.channel(3).write(b"{}")
        await ends.server.channel(3).close()
        await ends.server.channel(3).write(b"late")

    serving = asyncio.create_task(ends.server.serve(say()))
    assert await ends.heard() == [
        b"\1",
        b"\2" + b"x" * 32_768,
        b"\2" + b"x" * 7_232,
        b"\3{}",
        b"\x03\xe8",
    ]
    await ends.send()
    await finished(serving)


async def test_a_client_tells_which_channel_it_closes() -> None:
    client_end, server_end = duplexes()
    client = ChannelConnection(client_end, Side.CLIENT, reads=(1,), half_close=True)
    server = ChannelConnection(server_end, Side.SERVER, reads=(0,), half_close=True)

    async def ask() -> None:
        await client.channel(0).write(b"in")
        await client.channel(0).close()
        await client.channel(0).close()
        assert await client.channel(1).read() == b"in"

    async def repeat() -> None:
        await server.channel(1).write(await everything(server.channel(0)))

    asking = asyncio.create_task(client.serve(ask()))
    await finished(asyncio.create_task(server.serve(repeat())))
    await finished(asking)


async def test_the_work_is_cancelled_when_the_client_closes() -> None:
    ends = Ends()
    serving = asyncio.create_task(ends.server.serve(for_ever()))
    ends.client.send_close(1000)
    await ends.send()
    await finished(serving)
    assert await ends.heard() == [b"\x03\xe8"]


@settings(max_examples=50)
@given(noise=st.binary(max_size=100))
async def test_noise_ends_the_connection_or_is_borne_and_leaves_no_task(noise: bytes) -> None:
    before = asyncio.all_tasks()
    ends = Ends()
    serving = asyncio.create_task(ends.server.serve(for_ever()))
    await ends.say(b"\0one")
    await ends.duplex.write(noise)
    await settle()
    ends.duplex.close()
    await finished(serving)
    assert asyncio.all_tasks() == before


def tunnels() -> tuple[Tunnel, FakeDuplex, Tunnel, FakeDuplex]:
    client_end, server_end = duplexes()
    return Tunnel(client_end, Side.CLIENT), client_end, Tunnel(server_end, Side.SERVER), server_end


async def test_a_tunnel_carries_raw_bytes_both_ways() -> None:
    client, client_end, server, _ = tunnels()

    async def echo() -> None:
        while data := await server.read():
            await server.write(data)

    serving = asyncio.create_task(server.serve(echo()))
    running = asyncio.create_task(client.run())
    writing = asyncio.create_task(client.write(b"ab" * 200_000))
    got = b""
    while len(got) < 400_000:
        got += await client.read()
    assert got == b"ab" * 200_000
    await writing
    client_end.close()
    await finished(serving)
    await finished(running)


async def test_a_tunnels_end_is_an_end_of_its_bytes() -> None:
    client, client_end, server, _ = tunnels()
    running = asyncio.create_task(server.run())
    client_end.close()
    assert await server.read() == b""
    with pytest.raises(ConnectionEnded):
        await server.write(b"x")
    await finished(running)
    assert client is not server
