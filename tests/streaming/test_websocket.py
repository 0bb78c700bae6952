import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from app.streaming.websocket import Piece, Side, WebSocketError, WebSocketSession, accept, offered
from tests.streaming.spdy.bytes import in_pieces

HEADERS = (
    ("host", "node"),
    ("connection", "Upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("sec-websocket-version", "13"),
    ("sec-websocket-protocol", "v5.channel.k8s.io, v4.channel.k8s.io"),
    ("sec-websocket-extensions", "permessage-deflate"),
)


def without(name: str) -> tuple[tuple[str, str], ...]:
    return tuple((key, value) for key, value in HEADERS if key != name)


def a_client() -> ClientProtocol:
    """The library's own, which can do what our side never does."""
    return ClientProtocol(parse_uri("ws://node/"), state=OPEN)


def sent(client: ClientProtocol) -> bytes:
    return b"".join(client.data_to_send())


def test_the_offered_protocols_are_read_from_any_number_of_headers() -> None:
    assert offered((*HEADERS, ("sec-websocket-protocol", "other"))) == (
        "v5.channel.k8s.io",
        "v4.channel.k8s.io",
        "other",
    )
    assert offered(without("sec-websocket-protocol")) == ()


def test_a_request_is_accepted_with_the_chosen_protocol_and_without_extensions() -> None:
    handshake = accept("GET", "/exec", HEADERS, subprotocol="v4.channel.k8s.io")
    headers = {name.lower(): value for name, value in handshake.headers}
    assert handshake.status == 101
    assert headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert headers["sec-websocket-protocol"] == "v4.channel.k8s.io"
    assert headers["upgrade"] == "websocket"
    assert "sec-websocket-extensions" not in headers


def test_a_protocol_of_kubernetes_that_is_no_token_is_accepted() -> None:
    name = "SPDY/3.1+portforward.k8s.io"
    offers = (*without("sec-websocket-protocol"), ("sec-websocket-protocol", name))
    handshake = accept("GET", "/portForward", offers, subprotocol=name)
    assert ("Sec-WebSocket-Protocol", name) in handshake.headers


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        pytest.param("POST", HEADERS, 405, id="POST"),
        pytest.param("GET", without("sec-websocket-key"), 400, id="no key"),
        pytest.param("GET", without("sec-websocket-version"), 400, id="no version"),
        pytest.param("GET", without("connection"), 426, id="no upgrade"),
    ],
)
def test_what_is_no_request_for_a_websocket_is_declined(
    method: str, headers: tuple[tuple[str, str], ...], status: int
) -> None:
    handshake = accept(method, "/exec", headers, subprotocol="v4.channel.k8s.io")
    assert (handshake.status, handshake.headers) == (status, ())
    assert "WebSocket" in handshake.text


@given(messages=st.lists(st.binary(max_size=300), max_size=4), data=st.data())
def test_messages_arrive_however_they_are_cut(messages: list[bytes], data: st.DataObject) -> None:
    client, server = WebSocketSession(Side.CLIENT), WebSocketSession(Side.SERVER)
    for message in messages:
        client.send(message)
    pieces = [piece for part in in_pieces(client.data_to_send(), data) for piece in server.receive(part)]
    assert pieces == [Piece(data=message, first=True) for message in messages]


def test_the_frames_of_one_message_are_passed_on_one_by_one() -> None:
    client, server = a_client(), WebSocketSession(Side.SERVER)
    client.send_binary(b"\0one", fin=False)
    client.send_continuation(b"two", fin=True)
    client.send_text(b"\0three")
    assert server.receive(sent(client)) == [
        Piece(data=b"\0one", first=True),
        Piece(data=b"two", first=False),
        Piece(data=b"\0three", first=True),
    ]


def test_a_ping_is_answered() -> None:
    client, server = a_client(), WebSocketSession(Side.SERVER)
    client.send_ping(b"there?")
    assert server.receive(sent(client)) == []
    assert server.data_to_send() == b"\x8a\x06there?"


def test_a_close_is_answered_and_then_nothing_is_sent() -> None:
    client, server = a_client(), WebSocketSession(Side.SERVER)
    client.send_close(1000)
    server.receive(sent(client))
    assert server.closed
    assert server.data_to_send() == b"\x88\x02\x03\xe8"
    server.send(b"late")
    server.ping()
    server.close()
    assert server.data_to_send() == b""


def test_our_close_waits_for_the_peers() -> None:
    client, server = WebSocketSession(Side.CLIENT), WebSocketSession(Side.SERVER)
    server.close()
    client.receive(server.data_to_send())
    assert client.closed
    assert not server.closed
    server.receive(client.data_to_send())
    assert server.closed


def test_a_frame_of_megabytes_comes_in_pieces_of_one_message() -> None:
    client, server = a_client(), WebSocketSession(Side.SERVER)
    sent_bytes = bytes(range(256)) * 16_384
    client.send_binary(sent_bytes)
    pieces = server.receive(sent(client))
    assert b"".join(piece.data for piece in pieces) == sent_bytes
    assert [piece.first for piece in pieces] == [True] + [False] * (len(pieces) - 1)
    assert max(len(piece.data) for piece in pieces) <= 65_536


@given(noise=st.binary(min_size=2, max_size=200), side=st.sampled_from(Side))
def test_noise_raises_nothing_but_the_protocols_error(noise: bytes, side: Side) -> None:
    session = WebSocketSession(side)
    try:
        pieces = session.receive(noise)
    except WebSocketError:
        pieces = []
    assert len(pieces) <= len(noise)


def test_a_client_that_masks_nothing_is_refused() -> None:
    with pytest.raises(WebSocketError, match="mask"):
        WebSocketSession(Side.SERVER).receive(b"\x82\x01x")
