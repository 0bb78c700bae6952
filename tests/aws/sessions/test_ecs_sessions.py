import asyncio
from base64 import b64encode
from typing import Any

import pytest

from app.aws.connection import Connection
from app.aws.limiter import Limiter
from app.aws.sessions.ecs_sessions import EcsSessions
from app.aws.sessions.management import Opened
from app.aws.sessions.session_manager import SessionManager, target_of
from app.model.names import TaskArn
from app.ports.containers import Running
from app.ports.failures import NotFound, PortFailure, Refused, Throttled, Unavailable
from tests.aws.fakes import HANG_UP, Answer, AwsStub, an_error
from tests.aws.sessions.fakes import OPENED, FakeAgent
from tests.fakes import VirtualClock

WHERE = Running(
    task=TaskArn("arn:aws:ecs:eu-west-3:123456789012:task/spillway/0123456789abcdef0123456789abcdef"),
    container="main",
    runtime_id="0123456789abcdef0123456789abcdef-42",
)
STARTED = Answer(
    {
        "session": {
            "sessionId": OPENED.session,
            "streamUrl": OPENED.url,
            "tokenValue": OPENED.token,
        }
    }
)
NOT_CONNECTED = an_error(
    "TargetNotConnectedException", "The execute command failed due to an internal error."
)


@pytest.fixture
def agent() -> FakeAgent:
    return FakeAgent()


@pytest.fixture
def sessions(connection: Connection, limiter: Limiter, clock: VirtualClock, agent: FakeAgent) -> EcsSessions:
    return EcsSessions(connection, limiter=limiter, clock=clock, cluster="spillway", dial=agent.dial)


async def test_the_command_is_executed_in_the_container_and_its_terminal_opened(
    aws: AwsStub, sessions: EcsSessions, agent: FakeAgent
) -> None:
    aws.script("ExecuteCommand", STARTED)
    session = await sessions.open(WHERE, "sh -c 'ls'")
    await session.write(b"hello")
    await session.close()
    assert aws.asked("ExecuteCommand") == [
        {
            "cluster": "spillway",
            "task": WHERE.task,
            "container": "main",
            "command": "sh -c 'ls'",
            "interactive": True,
        }
    ]
    assert (agent.dials, agent.openings[0]["TokenValue"], agent.typed()) == (
        [OPENED.url],
        OPENED.token,
        b"hello",
    )


async def test_an_agent_that_is_not_connected_yet_is_waited_for(
    aws: AwsStub, sessions: EcsSessions, clock: VirtualClock
) -> None:
    aws.script("ExecuteCommand", NOT_CONNECTED, NOT_CONNECTED, STARTED)
    opening = asyncio.ensure_future(sessions.open(WHERE, "sh"))
    await passed(clock, opening)
    await (await opening).close()
    assert len(aws.asked("ExecuteCommand")) == 3


async def passed(clock: VirtualClock, work: "asyncio.Future[Any]") -> None:
    """Let virtual time pass, while real threads answer, until the work is done."""
    while not work.done():
        await asyncio.sleep(0.005)
        await clock.advance(0.5)


async def test_an_agent_that_never_connects_is_unavailable_with_the_mend(
    aws: AwsStub, sessions: EcsSessions, clock: VirtualClock
) -> None:
    aws.script("ExecuteCommand", NOT_CONNECTED)
    opening = asyncio.ensure_future(sessions.open(WHERE, "sh"))
    await passed(clock, opening)
    with pytest.raises(Unavailable, match=r"allow ssmmessages:\* in the policy of the task's role"):
        await opening
    assert len(aws.asked("ExecuteCommand")) == 5


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        pytest.param(
            an_error(
                "InvalidParameterException",
                "The execute command failed because execute command was not enabled when the task was run or "
                "the execute command agent isn\u2019t running. Wait and try again or run a new task with "
                "execute command enabled and try again.",
            ),
            Refused,
            r"let --exec \(bridge\.settings\.exec\) be auto or on",
            id="not enabled",
        ),
        pytest.param(
            an_error("AccessDeniedException", "not authorized to perform: ecs:ExecuteCommand"),
            Refused,
            "allow it in the policy of the bridge's role",
            id="no right",
        ),
        pytest.param(
            an_error("InvalidParameterException", "The specified task wasn't found."),
            NotFound,
            "task wasn't found",
            id="no task",
        ),
        pytest.param(an_error("ClusterNotFoundException", "no cluster"), Refused, "cluster", id="no cluster"),
        pytest.param(an_error("ThrottlingException", "Rate exceeded"), Throttled, "Rate", id="throttled"),
        pytest.param(HANG_UP, Unavailable, "did not answer|could not be", id="no answer"),
        pytest.param(Answer({}), Unavailable, "no session in the answer", id="no session"),
    ],
)
async def test_what_ecs_refuses_names_the_mend(
    aws: AwsStub, sessions: EcsSessions, answer: Answer, kind: type[PortFailure], words: str
) -> None:
    aws.script("ExecuteCommand", answer)
    with pytest.raises(kind, match=words):
        await sessions.open(WHERE, "sh")
    assert len(aws.asked("ExecuteCommand")) == 1


@pytest.fixture
def manager(connection: Connection, limiter: Limiter) -> SessionManager:
    return SessionManager(connection, limiter=limiter, opened=OPENED, where=WHERE)


async def test_a_session_is_resumed_with_a_new_token(aws: AwsStub, manager: SessionManager) -> None:
    aws.script("ResumeSession", Answer({"TokenValue": "token-2", "StreamUrl": "wss://ssmmessages.example/2"}))
    assert await manager.resume() == Opened(
        session=OPENED.session, url="wss://ssmmessages.example/2", token="token-2"
    )
    assert aws.asked("ResumeSession") == [{"SessionId": OPENED.session}]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Answer({"SessionId": OPENED.session}), id="no token"),
        pytest.param(an_error("DoesNotExistException", "no such session"), id="unknown"),
    ],
)
async def test_a_session_that_is_over_is_not_found(
    aws: AwsStub, manager: SessionManager, answer: Answer
) -> None:
    aws.script("ResumeSession", answer)
    with pytest.raises(NotFound):
        await manager.resume()


async def test_a_session_is_terminated_by_its_id(aws: AwsStub, manager: SessionManager) -> None:
    aws.script("TerminateSession", Answer({"SessionId": OPENED.session}))
    await manager.terminate()
    assert aws.asked("TerminateSession") == [{"SessionId": OPENED.session}]


async def test_a_key_is_made_for_the_session_and_its_target_alone(
    aws: AwsStub, manager: SessionManager
) -> None:
    body = {
        "Plaintext": b64encode(bytes(range(64))).decode(),
        "CiphertextBlob": b64encode(b"sealed").decode(),
    }
    aws.script("GenerateDataKey", Answer(body))
    key = await manager.data_key("alias/exec")
    assert (key.plain, key.sealed) == (bytes(range(64)), b"sealed")
    assert aws.asked("GenerateDataKey") == [
        {
            "KeyId": "alias/exec",
            "NumberOfBytes": 64,
            "EncryptionContext": {
                "aws:ssm:SessionId": OPENED.session,
                "aws:ssm:TargetId": target_of(WHERE),
            },
        }
    ]


async def test_a_key_of_another_size_is_none(aws: AwsStub, manager: SessionManager) -> None:
    aws.script("GenerateDataKey", Answer({"Plaintext": "AAAA", "CiphertextBlob": "AAAA"}))
    with pytest.raises(Unavailable, match="no key of 64 bytes"):
        await manager.data_key("alias/exec")


def test_a_target_is_named_by_cluster_task_and_runtime() -> None:
    assert target_of(WHERE) == (
        "ecs:spillway_0123456789abcdef0123456789abcdef_0123456789abcdef0123456789abcdef-42"
    )
