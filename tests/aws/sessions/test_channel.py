import json
from base64 import b64decode, b64encode

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from app.aws.sessions.channel import (
    WINDOW,
    Channel,
    Closed,
    Failed,
    KeyWanted,
    Now,
    Randomness,
    Ready,
    Shown,
    opening,
)
from app.aws.sessions.encryption import DataKey
from tests.aws.sessions.fakes import (
    Said,
    a_message,
    acknowledgement,
    closed,
    counting_ids,
    handshake,
    handshake_complete,
    output,
    read,
)

NOW = Now(0.0, 1_700_000_000_000)
KEY = DataKey(bytes(range(64)), b"sealed by kms")
NONCE = b"n" * 12


def a_channel() -> Channel:
    return Channel(randomness=Randomness(counting_ids(), lambda count: b"n" * count))


def a_ready_channel() -> Channel:
    channel = a_channel()
    channel.receive(handshake(), now=NOW)
    channel.receive(handshake_complete(), now=NOW)
    channel.receive(acknowledgement(0), now=NOW)
    channel.outgoing()
    return channel


def sent(channel: Channel) -> list[Said]:
    return [read(message) for message in channel.outgoing()]


def test_the_first_message_holds_the_token() -> None:
    said = json.loads(opening("secret", client_id="c", request_id="r"))
    assert said == {
        "MessageSchemaVersion": "1.0",
        "RequestId": "r",
        "TokenValue": "secret",
        "ClientId": "c",
        "ClientVersion": "1.2.0.0",
    }


def test_the_handshake_is_acknowledged_and_answered() -> None:
    channel = a_channel()
    assert channel.receive(handshake(), now=NOW) == []
    acknowledged, answer = sent(channel)
    assert (acknowledged.kind, acknowledged.sequence, acknowledged.flags) == ("acknowledge", 0, 3)
    assert acknowledged.json == {
        "AcknowledgedMessageType": "output_stream_data",
        "AcknowledgedMessageId": "00000000-0000-0000-0000-000000000007",
        "AcknowledgedMessageSequenceNumber": 0,
        "IsSequentialMessage": True,
    }
    assert (answer.kind, answer.sequence, answer.payload_type) == ("input_stream_data", 0, 6)
    assert answer.json == {
        "ClientVersion": "1.2.0.0",
        "ProcessedClientActions": [
            {"ActionType": "SessionType", "ActionStatus": 1, "ActionResult": None, "Error": ""}
        ],
        "Errors": [],
    }


def test_input_is_taken_once_the_handshake_is_complete() -> None:
    channel = a_channel()
    channel.receive(handshake(), now=NOW)
    assert not channel.takes_input
    assert channel.receive(handshake_complete(), now=NOW) == [Ready()]
    assert channel.takes_input


@pytest.mark.parametrize(
    ("asked", "outcome"),
    [
        pytest.param(handshake(kind="Port"), (2, "session type Port is no terminal"), id="no terminal"),
        pytest.param(
            output(b'{"RequestedClientActions":[{"ActionType":"Dance"}]}', sequence=0, payload_type=5),
            (3, "action Dance is not supported"),
            id="an unknown action",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(asked: bytes, outcome: tuple[int, str]) -> None:
    channel = a_channel()
    status, why = outcome
    assert channel.receive(asked, now=NOW) == [Failed(why)]
    answer = sent(channel)[-1].json
    assert (answer["ProcessedClientActions"][0]["ActionStatus"], answer["Errors"]) == (status, [why])


@pytest.mark.parametrize("payload", [b"[]", b"{", b"\xff\xfe", b'{"RequestedClientActions":null}'])
def test_a_handshake_that_is_none_is_a_failure(payload: bytes) -> None:
    (failed,) = a_channel().receive(output(payload, sequence=0, payload_type=5), now=NOW)
    assert isinstance(failed, Failed)


@pytest.mark.parametrize("payload_type", [1, 11], ids=["output", "stderr"])
def test_output_is_shown_and_acknowledged(payload_type: int) -> None:
    channel = a_ready_channel()
    shown = channel.receive(output(b"hello", sequence=2, payload_type=payload_type), now=NOW)
    assert shown == [Shown(b"hello")]
    assert [each.json["AcknowledgedMessageSequenceNumber"] for each in sent(channel)] == [2]


def test_output_is_shown_in_order_and_once() -> None:
    channel = a_ready_channel()
    assert channel.receive(output(b"b", sequence=3), now=NOW) == []
    assert channel.receive(output(b"a", sequence=2), now=NOW) == [Shown(b"a"), Shown(b"b")]
    assert channel.receive(output(b"a", sequence=2), now=NOW) == []
    assert [each.json["AcknowledgedMessageSequenceNumber"] for each in sent(channel)] == [3, 2, 2]


def test_input_counts_from_the_handshakes_answer_on() -> None:
    channel = a_ready_channel()
    channel.type_in(b"ls\n", now=NOW)
    channel.resize(columns=80, rows=24, now=NOW)
    channel.terminate(now=NOW)
    said = [(each.sequence, each.payload_type, each.body) for each in sent(channel)]
    assert said == [(1, 1, b"ls\n"), (2, 3, b'{"cols":80,"rows":24}'), (3, 10, b"\0\0\0\2")]


def test_only_the_very_first_message_opens_the_stream() -> None:
    channel = a_channel()
    channel.receive(handshake(), now=NOW)
    channel.resize(columns=80, rows=24, now=NOW)
    assert [each.flags for each in sent(channel) if each.kind == "input_stream_data"] == [1, 0]


def test_what_is_not_acknowledged_is_sent_again_as_it_was() -> None:
    channel = a_ready_channel()
    channel.type_in(b"ls\n", now=NOW)
    (first,) = channel.outgoing()
    channel.repeat(now=Now(0.1, 0))
    assert channel.outgoing() == []
    channel.repeat(now=Now(channel.due() or 0.0, 0))
    assert channel.outgoing() == [first]


def test_an_acknowledged_message_is_not_sent_again() -> None:
    channel = a_ready_channel()
    channel.type_in(b"ls\n", now=NOW)
    channel.receive(acknowledgement(1), now=NOW)
    assert (channel.due(), channel.is_settled) == (None, True)


def test_input_waits_while_too_much_is_on_its_way() -> None:
    channel = a_ready_channel()
    for _ in range(WINDOW):
        channel.type_in(b"x", now=NOW)
    assert not channel.takes_input
    channel.receive(acknowledgement(1), now=NOW)
    assert channel.takes_input


def test_input_waits_between_pause_and_start() -> None:
    channel = a_ready_channel()
    channel.receive(a_message("pause_publication"), now=NOW)
    assert not channel.takes_input
    channel.receive(a_message("start_publication"), now=NOW)
    assert channel.takes_input


def test_a_new_connection_repeats_what_was_on_its_way_and_forgets_the_pause() -> None:
    channel = a_ready_channel()
    channel.type_in(b"ls\n", now=NOW)
    channel.type_in(b"pwd\n", now=NOW)
    channel.receive(a_message("pause_publication"), now=NOW)
    lost = channel.outgoing()
    channel.reopened(now=Now(0.01, 0))
    assert (channel.outgoing(), channel.takes_input) == (lost, True)


def test_what_was_not_sent_yet_goes_once_over_a_new_connection() -> None:
    channel = a_ready_channel()
    channel.type_in(b"ls\n", now=NOW)
    channel.reopened(now=Now(0.01, 0))
    assert len(channel.outgoing()) == 1


@pytest.mark.parametrize(
    ("said", "words"),
    [
        pytest.param("", "", id="nothing"),
        pytest.param("Exiting session with sessionId: ecs-1.", "", id="the usual"),
        pytest.param(
            'Unable to start command: exec: "foo"', 'Unable to start command: exec: "foo"', id="why"
        ),
    ],
)
def test_the_end_tells_what_is_worth_telling(said: str, words: str) -> None:
    assert a_ready_channel().receive(closed(said), now=NOW) == [Closed(words)]


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(b"rubbish", id="no message"),
        pytest.param(a_message("tomorrow"), id="a newer kind"),
        pytest.param(a_message("acknowledge", body=b"rubbish"), id="an acknowledgement of nothing"),
        pytest.param(a_message("acknowledge", body=b'{"A":"\xff"}'), id="an acknowledgement that is no text"),
        pytest.param(output(b"0", sequence=2, payload_type=12), id="an exit code"),
    ],
)
def test_what_means_nothing_changes_nothing(message: bytes) -> None:
    channel = a_ready_channel()
    assert channel.receive(message, now=NOW) == []
    assert channel.takes_input


def test_a_session_that_is_to_be_encrypted_asks_for_a_key() -> None:
    channel = a_channel()
    assert channel.receive(handshake(key="alias/exec"), now=NOW) == [KeyWanted("alias/exec")]
    assert channel.encrypt(KEY, now=NOW) == []
    answer = sent(channel)[-1].json["ProcessedClientActions"][0]
    sealed = b64encode(b"sealed by kms").decode()
    assert (answer["ActionStatus"], answer["ActionResult"]) == (1, {"KMSCipherTextKey": sealed})


def test_without_a_key_the_agent_is_told_why() -> None:
    channel = a_channel()
    channel.receive(handshake(key="alias/exec"), now=NOW)
    assert channel.go_without("no right", now=NOW) == [Failed("no right")]
    assert sent(channel)[-1].json["ProcessedClientActions"][0]["ActionStatus"] == 2


def an_encrypted_channel() -> Channel:
    channel = a_channel()
    channel.receive(handshake(key="alias/exec"), now=NOW)
    channel.encrypt(KEY, now=NOW)
    channel.outgoing()
    return channel


def test_the_agents_challenge_comes_back_sealed_with_our_half_of_the_key() -> None:
    channel = an_encrypted_channel()
    challenge = NONCE + AESGCM(KEY.plain[:32]).encrypt(NONCE, b"prove it", None)
    body = json.dumps({"Challenge": b64encode(challenge).decode()}).encode()
    assert channel.receive(output(body, sequence=1, payload_type=8), now=NOW) == []
    proof = sent(channel)[-1]
    sealed = b64decode(proof.json["Challenge"])
    opened = AESGCM(KEY.plain[32:]).decrypt(sealed[:12], sealed[12:], None)
    assert (proof.payload_type, opened) == (9, b"prove it")


def test_encrypted_output_is_opened_and_input_sealed() -> None:
    channel = an_encrypted_channel()
    sealed = NONCE + AESGCM(KEY.plain[:32]).encrypt(NONCE, b"hello", None)
    assert channel.receive(output(sealed, sequence=1), now=NOW) == [Shown(b"hello")]
    channel.type_in(b"ls\n", now=NOW)
    typed = sent(channel)[-1].body
    assert AESGCM(KEY.plain[32:]).decrypt(typed[:12], typed[12:], None) == b"ls\n"


def test_sizes_stay_in_the_clear() -> None:
    channel = an_encrypted_channel()
    channel.resize(columns=80, rows=24, now=NOW)
    assert sent(channel)[-1].body == b'{"cols":80,"rows":24}'


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(output(b"in the clear, and long enough for a tag", sequence=1), id="output"),
        pytest.param(output(b'{"Challenge":"AAAA"}', sequence=1, payload_type=8), id="a challenge"),
        pytest.param(output(b"rubbish", sequence=1, payload_type=8), id="rubbish"),
    ],
)
def test_what_is_not_sealed_with_the_key_ends_the_session(message: bytes) -> None:
    (failed,) = an_encrypted_channel().receive(message, now=NOW)
    assert isinstance(failed, Failed)


def test_a_challenge_without_a_key_is_a_failure() -> None:
    asked = output(b'{"Challenge":"AAAA"}', sequence=2, payload_type=8)
    (failed,) = a_ready_channel().receive(asked, now=NOW)
    assert isinstance(failed, Failed)


@given(
    kind=st.sampled_from(["output_stream_data", "acknowledge", "channel_closed", "start_publication"]),
    payload_type=st.integers(0, 14),
    sequence=st.integers(0, 3),
    body=st.one_of(
        st.binary(max_size=40),
        st.sampled_from([b"null", b"[]", b"{}", b'{"Output":5}', b'{"Challenge":"!"}', b'{"A":"\xff"}']),
    ),
)
def test_no_message_makes_it_fall_over(kind: str, payload_type: int, sequence: int, body: bytes) -> None:
    channel = a_ready_channel()
    channel.receive(
        a_message(kind, sequence=sequence, payload_type=payload_type, body=body),
        now=NOW,
    )
    assert channel.receive(closed("enough"), now=NOW) == [Closed("enough")]


@given(cut=st.integers(0, 200), at=st.integers(0, 200), byte=st.integers(0, 255))
def test_no_garbled_message_does_either(cut: int, at: int, byte: int) -> None:
    channel = a_channel()
    message = bytearray(handshake())
    message[at] = byte
    channel.receive(bytes(message[: len(message) - cut]), now=NOW)
    assert channel.receive(closed("enough"), now=NOW) == [Closed("enough")]
