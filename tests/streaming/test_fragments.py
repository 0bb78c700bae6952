"""What the library reads is what was sent, however long its frames are."""

from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from app.streaming.fragments import Fragments
from tests.streaming.spdy.bytes import in_pieces

LONG = bytes(range(256)) * 4


def a_client() -> ClientProtocol:
    return ClientProtocol(parse_uri("ws://node/"), state=OPEN)


def sent(client: ClientProtocol) -> bytes:
    return b"".join(client.data_to_send())


def received(data: bytes, *, piece: int = 16) -> list[Frame]:
    """What the library reads out of it, which takes no frame that is longer than a piece."""
    server = ServerProtocol(state=OPEN, max_size=(None, 125))
    server.receive_data(Fragments(piece=piece).feed(data))
    assert server.parser_exc is None
    return [event for event in server.events_received() if isinstance(event, Frame)]


def test_a_short_frame_passes_as_it_is() -> None:
    client = a_client()
    client.send_binary(b"short")
    data = sent(client)
    assert Fragments().feed(data) == data


def test_an_empty_frame_passes_at_once() -> None:
    client = a_client()
    client.send_binary(b"")
    data = sent(client)
    assert Fragments().feed(data) == data


def test_a_long_frame_is_cut_into_a_message_of_the_same_bytes() -> None:
    client = a_client()
    client.send_binary(LONG)
    frames = received(sent(client))
    assert b"".join(bytes(frame.data) for frame in frames) == LONG
    assert {len(frame.data) for frame in frames} == {16}
    assert [frame.opcode for frame in frames] == [Opcode.BINARY] + [Opcode.CONT] * 63
    assert [frame.fin for frame in frames] == [False] * 63 + [True]


def test_messages_of_several_frames_stay_one() -> None:
    client = a_client()
    client.send_binary(LONG, fin=False)
    client.send_ping(b"between")
    client.send_continuation(LONG, fin=True)
    frames = received(sent(client))
    assert [frame.opcode for frame in frames].count(Opcode.BINARY) == 1
    assert b"".join(bytes(frame.data) for frame in frames if frame.opcode is not Opcode.PING) == LONG * 2
    assert [frame.fin for frame in frames].count(True) == 2


@given(sizes=st.lists(st.integers(0, 70_000), max_size=4), data=st.data())
def test_however_it_arrives_it_is_the_same(sizes: list[int], data: st.DataObject) -> None:
    client = a_client()
    for size in sizes:
        client.send_binary(LONG[:1] * size)
    fragments = Fragments(piece=64)
    server = ServerProtocol(state=OPEN, max_size=(None, 125))
    for part in in_pieces(sent(client), data):
        server.receive_data(fragments.feed(part))
    frames = [event for event in server.events_received() if isinstance(event, Frame)]
    assert [frame.opcode for frame in frames].count(Opcode.BINARY) == len(sizes)
    assert sum(len(frame.data) for frame in frames) == sum(sizes)


def test_of_a_frame_that_never_ends_little_is_kept() -> None:
    head = b"\x82\xff" + (1 << 62).to_bytes(8) + bytes(4)
    fragments = Fragments()
    out = fragments.feed(head)
    for _ in range(100):
        out += fragments.feed(bytes(10_000))
    assert len(out) > 900_000
    assert len(fragments._held) <= 65_536
