from uuid import UUID, uuid4

import pytest

from tests.local.fargate.session_manager.far_side import (
    FarSide,
    acknowledging,
    packed,
    response,
    typing,
)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(b"\0" * 119, "fewer than its header", id="a message without a header"),
        pytest.param(typing(b"a", 1, length=120), "HeaderLength is 120, not 116", id="header's length"),
        pytest.param(typing(b"a", 1, schema=2), "SchemaVersion is 2", id="schema"),
        pytest.param(typing(b"a", 1, created=0), "CreatedDate is no time", id="time"),
        pytest.param(typing(b"a", 1, flags=4), "Flags are 4", id="flags"),
        pytest.param(typing(b"a", 1, size=2), "PayloadLength is 2, but there are 1", id="payload's length"),
        pytest.param(typing(b"a", 1, digest=b"\0" * 32), "not the SHA-256", id="digest"),
        pytest.param(typing(b"a", 1, padding=b"\0"), "not padded with spaces", id="padding"),
        pytest.param(
            typing(b"a", 1, id=UUID("11111111-2222-4333-8444-555555555555").bytes, halves=True),
            "its low half first",
            id="order of the id's halves",
        ),
        pytest.param(packed("output_stream_data", b"a", sequence=1), "a client sends no", id="type"),
        pytest.param(typing(b"a", 1, payload_type=11), "no payload of type 11", id="payload's type"),
        pytest.param(typing(b"x" * 1025, 1), "input of 1025 bytes", id="too much at once"),
        pytest.param(typing(b'{"cols":1}', 1, payload_type=3), "a size cannot be read", id="size"),
        pytest.param(typing(b'{"cols":-1,"rows":2}', 1, payload_type=3), "cannot be -1 by 2", id="no size"),
        pytest.param(typing(b"\2", 1, payload_type=10), "not the four bytes of 2", id="flag"),
        pytest.param(response(), "two messages have the number 0", id="another answer"),
        pytest.param(typing(b"a", 0), "answers the handshake", id="input with the answer's number"),
        pytest.param(packed("acknowledge", b"{}", flags=3), "cannot be read", id="empty acknowledgement"),
        pytest.param(packed("acknowledge", b"{}"), "flags 0, not 0 and 3", id="acknowledgement's flags"),
    ],
)
async def test_a_violation_ends_the_session(far: FarSide, data: bytes, why: str) -> None:
    terminal = await far.started()
    far.session.received(data)
    assert far.line.closed is not None
    assert far.line.closed[0] == 1008
    assert why in far.line.closed[1]
    assert terminal.killed
    assert far.states()[-1][1].startswith("violation: ")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"AcknowledgedMessageId": str(uuid4())}, id="another id"),
        pytest.param({"AcknowledgedMessageSequenceNumber": 99}, id="a message that was never sent"),
        pytest.param({"AcknowledgedMessageType": "input_stream_data"}, id="another type"),
        pytest.param({"IsSequentialMessage": False}, id="not sequential"),
    ],
)
async def test_a_wrong_acknowledgement_is_a_violation(far: FarSide, changes: dict[str, object]) -> None:
    line = far.attach()
    far.session.received(acknowledging(line.sent[0], **changes))
    assert far.states()[-1][1].startswith("violation: ")


async def test_input_before_the_handshake_is_complete_is_a_violation(far: FarSide) -> None:
    line = far.attach()
    far.session.received(acknowledging(line.sent[0]))
    far.session.received(response())
    far.session.received(typing(b"a", 1))
    assert far.states()[-1] == ("ENDED", "violation: input before the handshake is complete")


async def test_two_messages_with_one_number_are_a_violation(far: FarSide) -> None:
    await far.started()
    far.session.received(typing(b"a", 1))
    far.session.received(typing(b"b", 1))
    assert far.states()[-1] == ("ENDED", "violation: two messages have the number 1")


async def test_an_acknowledgement_that_comes_again_is_none(far: FarSide) -> None:
    line = far.attach()
    far.session.received(acknowledging(line.sent[0]))
    far.session.received(acknowledging(line.sent[0]))
    assert far.over == []


async def test_after_a_violation_nothing_is_read_any_more(far: FarSide) -> None:
    terminal = await far.started()
    far.session.received(typing(b"a", 1, length=120))
    far.session.received(typing(b"b", 1))
    assert terminal.typed == []
