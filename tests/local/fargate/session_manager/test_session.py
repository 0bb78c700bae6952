import pytest

from app.local.fargate.faults.orders import Fault
from tests.local.fargate.session_manager.far_side import (
    FarSide,
    acknowledging,
    packed,
    response,
    typing,
)


async def test_the_first_message_is_the_agents_wish(far: FarSide) -> None:
    [first] = far.attach().sent
    assert (first.kind, first.sequence, first.flags, first.payload_type) == ("output_stream_data", 0, 1, 5)
    [wish] = first.json["RequestedClientActions"]
    assert wish["ActionType"] == "SessionType"


async def test_a_command_starts_once_the_handshake_is_over(far: FarSide) -> None:
    line = far.attach()
    far.session.received(acknowledging(line.sent[0]))
    far.session.received(response())
    assert far.acknowledged() == [0]
    assert far.host.terminals == []
    await far.jump(0.5)
    assert far.host.argv == ("sh", "-c", "date")
    complete = line.sent[-1]
    assert (complete.sequence, complete.payload_type) == (1, 7)
    assert complete.json["HandshakeTimeToComplete"] == 500_000_000


async def test_what_is_typed_reaches_the_terminal_and_is_acknowledged(far: FarSide) -> None:
    terminal = await far.started()
    far.session.received(typing(b"ls\r", 1))
    assert terminal.typed == [b"ls\r"]
    assert far.acknowledged() == [0, 1]
    [*_, last] = far.line.sent
    assert (last.sequence, last.flags) == (0, 3)


@pytest.mark.parametrize(
    ("sent", "typed"),
    [
        pytest.param(b"\n", b"\r", id="a line feed by itself"),
        pytest.param(b"a\nb\n", b"a\nb\n", id="line feeds among others"),
        pytest.param(b"\x03", b"\x03", id="Ctrl-C"),
        pytest.param(b"x" * 1024, b"x" * 1024, id="as much as is allowed"),
    ],
)
async def test_what_the_terminal_gets(far: FarSide, sent: bytes, typed: bytes) -> None:
    terminal = await far.started()
    far.session.received(typing(sent, 1))
    assert terminal.typed == [typed]


async def test_messages_are_dealt_with_in_the_order_of_their_numbers(far: FarSide) -> None:
    terminal = await far.started()
    far.session.received(typing(b"c", 3))
    far.session.received(typing(b"b", 2))
    assert (terminal.typed, far.acknowledged()) == ([], [0])
    far.session.received(typing(b"a", 1))
    assert terminal.typed == [b"a", b"b", b"c"]
    assert far.acknowledged() == [0, 1, 2, 3]


async def test_a_message_that_comes_again_is_acknowledged_again_and_not_typed(far: FarSide) -> None:
    terminal = await far.started()
    message = typing(b"a", 1)
    far.session.received(message)
    far.session.received(message)
    assert (terminal.typed, far.acknowledged()) == ([b"a"], [0, 1, 1])


async def test_a_message_is_acknowledged_once_the_terminal_has_taken_it(far: FarSide) -> None:
    terminal = await far.started()
    terminal.stuck = []
    far.session.received(typing(b"a", 1))
    far.session.received(typing(b"b", 2))
    assert (terminal.typed, far.acknowledged()) == ([b"a"], [0])
    terminal.stuck.pop()()
    assert (terminal.typed, far.acknowledged()) == ([b"a", b"b"], [0, 1])


async def test_hundreds_of_messages_may_wait_for_one(far: FarSide) -> None:
    terminal = await far.started()
    for number in range(2, 250):
        far.session.received(typing(b"x", number))
    far.session.received(typing(b"x", 1))
    assert len(terminal.typed) == 249


async def test_a_resized_terminal_is_told(far: FarSide) -> None:
    terminal = await far.started()
    far.session.received(packed("input_stream_data", b'{"cols":120,"rows":40}', sequence=1, payload_type=3))
    assert terminal.sizes == [(120, 40)]


async def test_what_is_not_acknowledged_is_sent_again(far: FarSide) -> None:
    terminal = await far.started()
    terminal.watcher.shown(b"hello")
    await far.pass_time(0.3)
    assert far.output() == [b"hello"] * 2
    await far.pass_time(0.4)
    assert far.output() == [b"hello"] * 3
    far.session.received(acknowledging(far.line.sent[-1]))
    await far.pass_time(3)
    assert far.output() == [b"hello"] * 3


async def test_a_client_that_acknowledges_nothing_stops_the_terminal(far: FarSide) -> None:
    terminal = await far.started()
    for _ in range(64):
        terminal.watcher.shown(b"x")
    assert terminal.held
    far.session.received(acknowledging(far.line.sent[-1]))
    assert not terminal.held


async def test_a_command_without_a_connection_stops_likewise(far: FarSide) -> None:
    terminal = await far.started()
    far.session.detach(far.line)
    for _ in range(64):
        terminal.watcher.shown(b"x")
    assert terminal.held


async def test_the_end_is_told_once_everything_has_arrived(far: FarSide) -> None:
    terminal = await far.started()
    terminal.watcher.shown(b"bye")
    terminal.watcher.ended("")
    assert far.line.closed is None
    far.session.received(acknowledging(far.line.sent[-1]))
    [*_, last] = far.line.sent
    assert (last.kind, last.json["SessionId"], last.json["Output"]) == ("channel_closed", "s", "")
    assert far.line.closed == (1000, "its command is over")
    assert far.over == ["s"]


async def test_a_command_that_cannot_be_executed_is_told_in_the_farewell(far: FarSide) -> None:
    terminal = await far.started()
    terminal.watcher.ended('exec: "nosuch": No such file or directory')
    assert "Unable to start command" in far.line.sent[-1].json["Output"]


async def test_a_container_that_ended_meanwhile_is_told_in_the_farewell(far: FarSide) -> None:
    far.host.over = True
    line = far.attach()
    far.session.received(acknowledging(line.sent[0]))
    far.session.received(response())
    await far.jump(0.5)
    far.session.received(acknowledging(line.sent[-1]))
    assert "the container is not running" in line.sent[-1].json["Output"]


async def test_the_client_can_end_it(far: FarSide) -> None:
    terminal = await far.started()
    far.session.received(packed("input_stream_data", b"\0\0\0\x02", sequence=1, payload_type=10))
    assert terminal.killed
    assert far.line.sent[-1].kind == "channel_closed"
    assert far.states()[-1] == ("ENDED", "terminated by the client")


async def test_a_client_that_fails_the_handshake_gets_no_session(far: FarSide) -> None:
    line = far.attach()
    far.session.received(acknowledging(line.sent[0]))
    failed = {"ActionType": "SessionType", "ActionStatus": 3, "ActionResult": None, "Error": "no such type"}
    far.session.received(response(ProcessedClientActions=[failed]))
    far.agenda.run_due()
    assert far.states()[-1] == ("ENDED", "the client failed SessionType: no such type")


async def test_a_new_connection_gets_what_the_last_one_did_not_acknowledge(far: FarSide) -> None:
    terminal = await far.started()
    terminal.watcher.shown(b"one")
    first = far.line
    far.session.received(acknowledging(first.sent[-1]))
    terminal.watcher.shown(b"two")
    far.session.detach(first)
    terminal.watcher.shown(b"three")
    far.attach()
    assert far.output() == [b"two", b"three"]
    assert [each.payload_type for each in far.line.sent] == [1, 1]
    far.session.received(typing(b"more", 1))
    assert terminal.typed == [b"more"]


async def test_a_second_connection_closes_the_first(far: FarSide) -> None:
    await far.started()
    first = far.line
    far.attach()
    assert first.closed is not None
    far.session.detach(first)
    far.terminal.watcher.shown(b"here")
    assert far.output() == [b"here"]


async def test_a_session_without_a_keystroke_or_a_sign_ends_after_twenty_minutes(far: FarSide) -> None:
    terminal = await far.started()
    await far.jump(1000)
    far.session.received(typing(b"a", 1))
    await far.jump(1199)
    assert not terminal.killed
    await far.jump(1)
    assert terminal.killed
    assert far.line.sent[-1].kind == "channel_closed"
    assert far.states()[-1] == ("ENDED", "it was idle for too long")


async def test_what_is_shown_keeps_a_session_alive(far: FarSide) -> None:
    terminal = await far.started()
    await far.jump(1000)
    terminal.watcher.shown(b"tick")
    far.session.received(acknowledging(far.line.sent[-1]))
    await far.jump(1000)
    assert not terminal.killed


async def test_a_session_that_nobody_connects_to_ends_too(far: FarSide) -> None:
    await far.jump(1200)
    assert far.over == ["s"]


async def test_the_journal_tells_a_sessions_life(far: FarSide) -> None:
    await far.started()
    far.session.terminate("TerminateSession was called")
    assert [status for status, _ in far.states()] == ["OPENED", "CONNECTED", "STARTED", "ENDED"]


async def test_a_lost_message_arrives_when_it_is_sent_again(far: FarSide) -> None:
    terminal = await far.started()
    far.faults.add(Fault(operation="output_stream_data", kind="loss"))
    terminal.watcher.shown(b"one")
    terminal.watcher.shown(b"two")
    assert far.output() == [b"two"]
    await far.pass_time(0.3)
    assert far.output() == [b"two", b"one"]


async def test_a_doubled_message_comes_twice(far: FarSide) -> None:
    terminal = await far.started()
    far.faults.add(Fault(operation="output_stream_data", kind="duplicate"))
    terminal.watcher.shown(b"one")
    assert far.output() == [b"one", b"one"]


async def test_a_reordered_message_comes_behind_the_next(far: FarSide) -> None:
    terminal = await far.started()
    far.faults.add(Fault(operation="output_stream_data", kind="reorder"))
    terminal.watcher.shown(b"one")
    terminal.watcher.shown(b"two")
    assert far.output() == [b"two", b"one"]


async def test_a_connection_can_be_ordered_to_break(far: FarSide) -> None:
    terminal = await far.started()
    far.faults.add(Fault(operation="output_stream_data", kind="break"))
    terminal.watcher.shown(b"one")
    assert far.line.broken
    far.attach()
    assert far.output() == [b"one"]


async def test_a_channel_outlives_what_ran_in_it_on_request(far: FarSide) -> None:
    terminal = await far.started()
    far.faults.add(Fault(operation="channel_closed", kind="linger"))
    terminal.watcher.ended("")
    far.session.received(typing(b"a", 1))
    assert (far.acknowledged(), far.line.closed, far.over) == ([0, 1], None, [])
    far.session.received(packed("input_stream_data", b"\0\0\0\x02", sequence=2, payload_type=10))
    assert far.line.closed == (1000, "terminated by the client")


async def test_typed_messages_go_astray_on_request(far: FarSide) -> None:
    terminal = await far.started()
    far.faults.add(Fault(operation="input_stream_data", kind="loss"))
    message = typing(b"a", 1)
    far.session.received(message)
    assert (terminal.typed, far.acknowledged()) == ([], [0])
    far.session.received(message)
    assert terminal.typed == [b"a"]


async def test_typed_messages_break_the_connection_on_request(far: FarSide) -> None:
    terminal = await far.started()
    far.faults.add(Fault(operation="input_stream_data", kind="break"))
    far.session.received(typing(b"a", 1))
    assert far.line.broken
    assert terminal.typed == []
