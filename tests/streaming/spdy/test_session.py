import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.streaming.spdy.dictionary import DICTIONARY
from app.streaming.spdy.events import Broken, Opened, PingAnswered, Received, Replied, WentAway
from app.streaming.spdy.frames import (
    ControlType,
    ResetStatus,
    SpdyError,
    SpdyLimits,
    control_frame,
    data_frame,
)
from app.streaming.spdy.session import DATA_BYTES, Role, SpdySession
from tests.streaming.spdy.bytes import KUBECTL, in_pieces


def a_pair(*, limits: SpdyLimits | None = None) -> tuple[SpdySession, SpdySession]:
    """A client, and a server with these limits."""
    return SpdySession(Role.CLIENT), SpdySession(Role.SERVER, limits=limits)


def an_open_stream() -> tuple[SpdySession, SpdySession, int]:
    client, server = a_pair()
    stream = client.open([("streamtype", "stdin")])
    server.receive(client.data_to_send())
    server.reply(stream)
    client.receive(server.data_to_send())
    return client, server, stream


@given(data=st.data())
def test_what_a_real_api_server_sends_is_understood_however_it_is_cut(data: st.DataObject) -> None:
    server = SpdySession(Role.SERVER)
    events = [event for piece in in_pieces(KUBECTL, data) for event in server.receive(piece)]
    opened = [event for event in events if isinstance(event, Opened)]
    assert [(event.stream, event.headers) for event in opened] == [
        (1, (("streamtype", "error"),)),
        (3, (("streamtype", "stdin"),)),
        (5, (("streamtype", "stdout"),)),
    ]
    received = [event for event in events if isinstance(event, Received)]
    assert {event.stream for event in received} == {3}
    assert b"".join(event.data for event in received) == b"hi\n"
    assert [event.ended for event in received][-1]
    assert server.data_to_send() == control_frame(ControlType.PING, (1).to_bytes(4))


def test_a_stream_is_opened_accepted_used_and_over() -> None:
    client, server = a_pair()
    stream = client.open([("streamtype", "stdout")])
    assert server.receive(client.data_to_send()) == [
        Opened(stream=1, headers=(("streamtype", "stdout"),), ended=False)
    ]
    server.reply(stream)
    server.send(stream, b"out", ended=True)
    assert client.receive(server.data_to_send()) == [
        Replied(stream=1, headers=(), ended=False),
        Received(stream=1, data=b"out", ended=True),
    ]
    client.send(stream, b"", ended=True)
    assert server.receive(client.data_to_send()) == [Received(stream=1, data=b"", ended=True)]
    assert not client.is_open(stream)
    assert not server.is_open(stream)


@given(said=st.lists(st.binary(max_size=3 * DATA_BYTES), max_size=3), data=st.data())
def test_what_is_said_arrives_whole_and_in_order(said: list[bytes], data: st.DataObject) -> None:
    client, server, stream = an_open_stream()
    for each in said:
        client.send(stream, each)
    client.send(stream, b"", ended=True)
    pieces = in_pieces(client.data_to_send(), data)
    received = [event for piece in pieces for event in server.receive(piece)]
    assert all(isinstance(event, Received) for event in received)
    assert b"".join(event.data for event in received if isinstance(event, Received)) == b"".join(said)


def test_much_data_is_sent_in_frames_that_leave_room_for_others() -> None:
    client, server, stream = an_open_stream()
    client.send(stream, b"x" * (DATA_BYTES + 1), ended=True)
    assert server.receive(client.data_to_send()) == [
        Received(stream=stream, data=b"x" * DATA_BYTES, ended=False),
        Received(stream=stream, data=b"x", ended=True),
    ]


def test_a_broken_stream_is_over_on_both_sides() -> None:
    client, server, stream = an_open_stream()
    server.reset(stream, ResetStatus.CANCEL)
    assert client.receive(server.data_to_send()) == [Broken(stream=stream, status=5)]
    client.send(stream, b"too late")
    assert client.data_to_send() == b""


def test_data_on_a_stream_that_is_over_is_dropped() -> None:
    client, server, stream = an_open_stream()
    server.reset(stream)
    client.send(stream, b"on its way")
    assert server.receive(client.data_to_send() + data_frame(99, b"never opened")) == []


def test_a_ping_is_answered_and_an_answer_is_told() -> None:
    client, server = a_pair()
    assert client.ping() == 1
    assert server.receive(client.data_to_send()) == []
    assert client.receive(server.data_to_send()) == [PingAnswered(1)]
    assert client.ping() == 3


def test_a_peer_that_goes_away_is_heard_of_and_told_once() -> None:
    client, server, stream = an_open_stream()
    server.go_away()
    server.go_away()
    assert client.receive(server.data_to_send()) == [WentAway(last_stream=stream, status=0)]


def test_streams_beyond_the_limit_are_refused_and_their_headers_still_read() -> None:
    client, server = a_pair(limits=SpdyLimits(streams=1))
    client.open([("streamtype", "error")])
    second = client.open([("streamtype", "stdin")])
    assert len(server.receive(client.data_to_send())) == 1
    assert client.receive(server.data_to_send()) == [Broken(stream=second, status=3)]
    server.reset(1)
    third = client.open([("streamtype", "stdin")])
    assert server.receive(client.data_to_send()) == [
        Opened(stream=third, headers=(("streamtype", "stdin"),), ended=False)
    ]


def test_after_going_away_no_stream_is_accepted() -> None:
    client, server = a_pair()
    server.go_away()
    client.open([])
    assert server.receive(client.data_to_send()) == []


def test_windows_and_settings_change_nothing() -> None:
    _, server, stream = an_open_stream()
    window = control_frame(ControlType.WINDOW_UPDATE, stream.to_bytes(4) + bytes(4))
    settings = control_frame(ControlType.SETTINGS, (1).to_bytes(4) + bytes(8))
    assert server.receive(window + settings) == []
    assert server.data_to_send() == b""


HEADERS = zlib.compressobj(zdict=DICTIONARY)
NO_HEADERS = HEADERS.compress(bytes(4)) + HEADERS.flush(zlib.Z_SYNC_FLUSH)


@pytest.mark.parametrize(
    ("noise", "reason"),
    [
        pytest.param(data_frame(0, b"x"), "stream 0", id="data on stream 0"),
        pytest.param(control_frame(ControlType.PING, b"\0"), "breaks off", id="short ping"),
        pytest.param(control_frame(ControlType.RST_STREAM, bytes(4)), "breaks off", id="short reset"),
        pytest.param(control_frame(ControlType.SETTINGS, (9).to_bytes(4)), "as long as", id="short settings"),
        pytest.param(b"\x80\x03\x00\x05\0\0\0\0", "type 5", id="unknown frame"),
        pytest.param(
            control_frame(ControlType.SYN_STREAM, (2).to_bytes(4) + bytes(6) + NO_HEADERS),
            "not the peer's",
            id="a stream with a number of ours",
        ),
        pytest.param(
            control_frame(ControlType.SYN_STREAM, bytes(10) + NO_HEADERS), "not the peer's", id="stream 0"
        ),
        pytest.param(control_frame(ControlType.SYN_STREAM, bytes(10)), "breaks off", id="no headers"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n" + b"\xff" * 0x302F31, "version", id="another protocol"),
    ],
)
def test_a_violation_ends_the_session_for_good_and_the_peer_is_told(noise: bytes, reason: str) -> None:
    server = SpdySession(Role.SERVER)
    with pytest.raises(SpdyError, match=reason):
        server.receive(noise)
    assert server.data_to_send()[:4] == b"\x80\x03\x00\x07"
    with pytest.raises(SpdyError):
        server.receive(b"")


@given(noise=st.binary(max_size=400), role=st.sampled_from(Role))
def test_noise_raises_nothing_but_the_protocols_error(noise: bytes, role: Role) -> None:
    session = SpdySession(role)
    try:
        events = session.receive(noise)
    except SpdyError:
        events = []
    assert len(events) <= len(noise) // 8


@given(place=st.integers(0, len(KUBECTL) - 1), value=st.integers(0, 255))
def test_a_changed_byte_raises_nothing_but_the_protocols_error(place: int, value: int) -> None:
    server = SpdySession(Role.SERVER)
    try:
        events = server.receive(KUBECTL[:place] + bytes([value]) + KUBECTL[place + 1 :])
    except SpdyError:
        events = []
    assert len(events) <= len(KUBECTL)


def test_what_was_sent_on_a_refused_stream_is_dropped() -> None:
    client, server = a_pair(limits=SpdyLimits(streams=0))
    stream = client.open([])
    client.send(stream, b"x", ended=True)
    assert server.receive(client.data_to_send()) == []
