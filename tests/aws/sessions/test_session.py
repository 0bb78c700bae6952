"""A terminal under virtual time, against an agent that the test holds."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.aws.sessions.channel import WINDOW, Randomness
from app.aws.sessions.encryption import DataKey
from app.aws.sessions.management import Opened
from app.aws.sessions.session import MOST_SHOWN, PING_PERIOD, PONG_WITHIN, TerminalSession
from app.aws.sessions.tools import Tools
from app.ports.failures import NotFound, Refused, Throttled, Unavailable
from tests.aws.sessions.fakes import (
    OPENED,
    FakeAgent,
    FakeManagement,
    a_message,
    acknowledgement,
    closed,
    counting_ids,
    handshake,
    output,
)
from tests.fakes import VirtualClock, settle

AGAIN = Opened(session=OPENED.session, url="wss://ssmmessages.example/2", token="token-2")


@pytest.fixture
def agent() -> FakeAgent:
    return FakeAgent()


@pytest.fixture
def management() -> FakeManagement:
    return FakeManagement()


@pytest.fixture
def fresh(agent: FakeAgent, management: FakeManagement, clock: VirtualClock) -> TerminalSession:
    randomness = Randomness(counting_ids(), lambda count: b"n" * count)
    tools = Tools(clock=clock, dial=agent.dial, randomness=randomness, jitter=lambda: 1.0)
    return TerminalSession(OPENED, management=management, tools=tools)


@pytest.fixture
async def session(fresh: TerminalSession, clock: VirtualClock) -> AsyncIterator[TerminalSession]:
    await fresh.start()
    yield fresh
    closing = asyncio.ensure_future(fresh.close())
    await clock.advance(60.0)
    await closing


async def test_it_opens_the_stream_with_its_token(agent: FakeAgent, session: TerminalSession) -> None:
    assert agent.dials == [OPENED.url]
    assert agent.openings[0]["TokenValue"] == "token-1"


async def test_it_shows_what_the_terminal_shows(agent: FakeAgent, session: TerminalSession) -> None:
    agent.socket.say(output(b"hello ", sequence=2), output(b"world", sequence=3))
    await settle()
    assert await session.read() == b"hello world"


async def test_what_is_typed_arrives_in_order(agent: FakeAgent, session: TerminalSession) -> None:
    typed = bytes(range(256)) * 1_000
    await session.write(typed)
    assert agent.typed() == typed


async def test_nobody_types_faster_than_the_agent_reads(agent: FakeAgent, session: TerminalSession) -> None:
    agent.acknowledges = False
    writing = asyncio.ensure_future(session.write(b"x" * 1024 * (WINDOW + 1)))
    await settle()
    assert (len(agent.typed()), writing.done()) == (1024 * WINDOW, False)
    agent.socket.say(acknowledgement(1))
    await settle()
    assert (len(agent.typed()), writing.done()) == (1024 * (WINDOW + 1), True)


async def test_two_who_type_do_not_mix(agent: FakeAgent, session: TerminalSession) -> None:
    await asyncio.gather(session.write(b"a" * 5000), session.write(b"b" * 5000))
    assert agent.typed() == b"a" * 5000 + b"b" * 5000


async def test_input_waits_while_the_agent_pauses(agent: FakeAgent, session: TerminalSession) -> None:
    agent.socket.say(a_message("pause_publication"))
    await settle()
    writing = asyncio.ensure_future(session.write(b"ls\n"))
    await settle()
    assert agent.typed() == b""
    agent.socket.say(a_message("start_publication"))
    await writing
    assert agent.typed() == b"ls\n"


async def test_a_lost_message_is_repeated(
    agent: FakeAgent, session: TerminalSession, clock: VirtualClock
) -> None:
    agent.acknowledges = False
    await session.write(b"ls\n")
    agent.acknowledges = True
    await clock.advance(1.0)
    repeated = [each for each in agent.said if each.sequence == 1 and each.kind == "input_stream_data"]
    assert [each.body for each in repeated] == [b"ls\n", b"ls\n"]


async def test_an_agent_that_never_acknowledges_is_given_up(
    agent: FakeAgent, session: TerminalSession, clock: VirtualClock
) -> None:
    agent.acknowledges = False
    await session.write(b"ls\n")
    await clock.advance(3_100)
    with pytest.raises(Unavailable, match="acknowledges nothing"):
        await session.read()
    with pytest.raises(Unavailable, match="acknowledges nothing"):
        await session.write(b"more")


async def test_the_size_is_told(agent: FakeAgent, session: TerminalSession) -> None:
    await session.resize(columns=132, rows=43)
    assert agent.said[-1].json == {"cols": 132, "rows": 43}


async def test_the_end_of_the_session_is_the_end_of_reading(
    agent: FakeAgent, session: TerminalSession, management: FakeManagement
) -> None:
    agent.socket.say(output(b"bye", sequence=2), closed("Exiting session with sessionId: 1."))
    await settle()
    assert (await session.read(), await session.read(), await session.read()) == (b"bye", b"", b"")
    await session.write(b"into the void")
    await session.close()
    assert (agent.typed(), management.terminated, agent.socket.is_closed) == (b"", 0, True)


async def test_the_agents_own_words_are_shown_last(agent: FakeAgent, session: TerminalSession) -> None:
    agent.socket.say(closed("Unable to start command: foo: not found"))
    await settle()
    assert await session.read() == b"\r\nUnable to start command: foo: not found\r\n"
    assert await session.read() == b""


async def test_a_reader_waits_for_output(agent: FakeAgent, session: TerminalSession) -> None:
    reading = asyncio.ensure_future(session.read())
    await settle()
    assert not reading.done()
    agent.socket.say(output(b"late", sequence=2))
    assert await reading == b"late"


async def test_output_that_nobody_reads_stays_with_the_agent(
    agent: FakeAgent, session: TerminalSession
) -> None:
    chunk = b"x" * (MOST_SHOWN // 2)
    agent.socket.say(*(output(chunk, sequence=number) for number in (2, 3, 4)))
    await settle()
    seen = {
        each.json["AcknowledgedMessageSequenceNumber"] for each in agent.said if each.kind == "acknowledge"
    }
    assert seen == {0, 1, 2, 3}
    assert len(await session.read()) == MOST_SHOWN
    assert await session.read() == chunk


async def test_while_nobody_reads_nothing_is_repeated_nor_given_up(
    agent: FakeAgent, session: TerminalSession, clock: VirtualClock
) -> None:
    agent.socket.say(output(b"x" * MOST_SHOWN, sequence=2))
    await settle()
    await session.write(b"typed\n")
    await clock.advance(4_000)
    assert [each.sequence for each in agent.said if each.payload_type == 1] == [1]
    await session.read()
    await session.write(b"more\n")
    assert agent.typed() == b"typed\nmore\n"


async def test_a_broken_connection_is_resumed_and_nothing_is_lost_or_doubled(
    agent: FakeAgent, session: TerminalSession, management: FakeManagement, clock: VirtualClock
) -> None:
    management.resumptions = [AGAIN]
    agent.socket.say(output(b"one ", sequence=2))
    agent.acknowledges = False
    await session.write(b"typed before\n")
    agent.acknowledges = True
    agent.socket.cut()
    await settle()
    agent.socket.say(output(b"one ", sequence=2), output(b"two", sequence=3))
    await clock.advance(1.0)
    assert [each["TokenValue"] for each in agent.openings] == ["token-1", "token-2"]
    assert await session.read() == b"one two"
    await session.write(b"typed after\n")
    assert agent.typed() == b"typed before\ntyped after\n"
    assert agent.openings[0]["ClientId"] == agent.openings[1]["ClientId"]


async def test_all_that_was_lost_with_a_connection_goes_at_once_over_the_next(
    agent: FakeAgent, session: TerminalSession, management: FakeManagement
) -> None:
    management.resumptions = [AGAIN]
    agent.acknowledges = False
    lines = [b"line %d\n" % number for number in range(WINDOW)]
    for line in lines:
        await session.write(line)
    agent.said.clear()
    agent.acknowledges = True
    agent.socket.cut()
    await settle()
    assert agent.typed() == b"".join(lines)


async def test_what_is_typed_while_the_connection_is_broken_arrives_later(
    agent: FakeAgent, session: TerminalSession, management: FakeManagement, clock: VirtualClock
) -> None:
    management.resumptions = [Throttled("slow down"), AGAIN]
    agent.socket.cut()
    await settle()
    await session.write(b"patience\n")
    await clock.advance(2.0)
    assert agent.typed() == b"patience\n"


async def test_a_connection_that_cannot_be_made_again_is_tried_again(
    agent: FakeAgent, session: TerminalSession, management: FakeManagement, clock: VirtualClock
) -> None:
    management.resumptions = [AGAIN]
    agent.refusals = [Unavailable("no route"), Unavailable("no route")]
    agent.socket.cut()
    await clock.advance(5.0)
    assert (len(agent.sockets), management.resumed) == (2, 3)


@pytest.mark.parametrize(
    ("answer", "words", "seconds"),
    [
        pytest.param(NotFound("no such session"), "its command's end is unknown", 0, id="over"),
        pytest.param(Refused("AccessDenied"), "allow ssm:ResumeSession", 0, id="no right"),
        pytest.param(Unavailable("no answer"), "could not be resumed", 200, id="no answer for long"),
    ],
)
async def test_a_session_that_cannot_be_resumed_is_unavailable(
    agent: FakeAgent,
    session: TerminalSession,
    management: FakeManagement,
    clock: VirtualClock,
    answer: Unavailable,
    words: str,
    seconds: float,
) -> None:
    management.resumptions = [answer]
    agent.socket.cut()
    await clock.advance(seconds)
    with pytest.raises(Unavailable, match=words):
        await session.read()
    await session.close()
    assert management.terminated == 1


async def test_what_was_shown_before_a_loss_is_read_before_the_loss_is_told(
    agent: FakeAgent, session: TerminalSession, management: FakeManagement
) -> None:
    management.resumptions = [NotFound("no such session")]
    agent.socket.say(output(b"last", sequence=2))
    agent.socket.cut()
    await settle()
    assert await session.read() == b"last"
    with pytest.raises(Unavailable):
        await session.read()


async def test_the_connection_is_pinged_every_five_minutes(
    agent: FakeAgent, session: TerminalSession, clock: VirtualClock
) -> None:
    await clock.advance(PING_PERIOD * 2 + 1)
    assert agent.socket.pings == 2


async def test_a_connection_that_answers_no_ping_is_made_anew(
    agent: FakeAgent, session: TerminalSession, management: FakeManagement, clock: VirtualClock
) -> None:
    management.resumptions = [AGAIN]
    agent.socket.is_deaf = True
    await clock.advance(PING_PERIOD + PONG_WITHIN + 1)
    assert (len(agent.sockets), agent.sockets[0].is_closed) == (2, True)


async def test_closing_asks_the_agent_to_end_the_session(
    agent: FakeAgent, session: TerminalSession, management: FakeManagement
) -> None:
    await session.close()
    await session.close()
    flags = [each.body for each in agent.said if each.payload_type == 10]
    assert (flags, management.terminated, agent.socket.is_closed) == ([b"\0\0\0\2"], 0, True)


async def test_where_the_agent_does_not_answer_session_manager_ends_it(
    agent: FakeAgent, session: TerminalSession, management: FakeManagement, clock: VirtualClock
) -> None:
    agent.acknowledges = False
    management.termination = Unavailable("no answer")
    closing = asyncio.ensure_future(session.close())
    await clock.advance(3.0)
    await closing
    assert (management.terminated, agent.socket.is_closed) == (1, True)


async def test_a_closed_session_reads_as_over(agent: FakeAgent, session: TerminalSession) -> None:
    reading = asyncio.ensure_future(session.read())
    await settle()
    await session.close()
    assert await reading == b""
    await session.write(b"dropped")
    await session.resize(columns=1, rows=1)
    assert agent.typed() == b""


async def test_without_a_handshake_the_agent_is_not_there(
    agent: FakeAgent, fresh: TerminalSession, management: FakeManagement, clock: VirtualClock
) -> None:
    agent.greeting = []
    starting = asyncio.ensure_future(fresh.start())
    await clock.advance(16.0)
    with pytest.raises(Unavailable, match="let the task's role call ssmmessages"):
        await starting
    assert (management.terminated, agent.socket.is_closed) == (1, True)


async def test_a_start_that_is_cancelled_leaves_no_session(
    agent: FakeAgent, fresh: TerminalSession, management: FakeManagement
) -> None:
    agent.greeting = []
    starting = asyncio.ensure_future(fresh.start())
    await settle()
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert (management.terminated, agent.socket.is_closed) == (1, True)


async def test_a_stream_that_cannot_be_reached_is_unavailable(
    agent: FakeAgent, fresh: TerminalSession
) -> None:
    agent.refusals = [Unavailable("no route")]
    with pytest.raises(Unavailable, match="no route"):
        await fresh.start()


async def test_a_session_that_ends_before_it_begins_is_refused(
    agent: FakeAgent, fresh: TerminalSession
) -> None:
    agent.greeting = [closed("Unable to start command: foo: not found")]
    with pytest.raises(Refused, match="foo: not found"):
        await fresh.start()


async def test_an_encrypted_session_is_opened_with_a_key_of_kms(
    agent: FakeAgent, fresh: TerminalSession, management: FakeManagement
) -> None:
    management.key = DataKey(bytes(64), b"sealed")
    agent.greeting[0] = handshake(key="alias/exec")
    await fresh.start()
    await fresh.write(b"ls\n")
    await fresh.close()
    assert agent.inputs()[0].json["ProcessedClientActions"][0]["ActionStatus"] == 1
    assert len(agent.inputs()[1].body) == 12 + 3 + 16


async def test_without_a_right_to_the_key_the_session_is_refused_and_the_agent_told(
    agent: FakeAgent, fresh: TerminalSession, management: FakeManagement
) -> None:
    management.key = Refused("GenerateDataKey: AccessDeniedException")
    agent.greeting = [handshake(key="alias/exec")]
    with pytest.raises(Refused, match="alias/exec, and no key could be had: GenerateDataKey"):
        await fresh.start()
    assert agent.inputs()[0].json["ProcessedClientActions"][0]["ActionStatus"] == 2
