import asyncio
from collections.abc import AsyncGenerator

import pytest

from app.kubelet.logs.container_logs import ContainerLogs, LogConfig
from app.kubelet.messages import Answer, Request, StreamedAnswer, Upgrade
from app.kubelet.routing import ContainerLogsRoute
from app.kubelet.sessions.attach import Attach, follow
from app.kubelet.sessions.options import SessionOptions
from app.model.pod import Pod
from app.model.wire import Json
from app.ports.failures import Refused
from tests.builders import NOON, a_pod
from tests.fakes import VirtualClock
from tests.kubelet.fakes import FakeDirectory, FakeLogStreams
from tests.kubelet.sessions.fakes import A_PATH, FakeRemote, OneContainer
from tests.kubelet.sessions.test_failures import AN_UPGRADE

PIPES = SessionOptions(stdin=True, stdout=True, stderr=True)
TERMINAL = SessionOptions(stdin=True, stdout=True, tty=True)


class KeptLogs(ContainerLogs):
    """Keeps what was asked for."""

    def __init__(self, directory: FakeDirectory, streams: FakeLogStreams, *, clock: VirtualClock) -> None:
        super().__init__(directory, streams, clock=clock, config=LogConfig())
        self.queries: list[str] = []

    async def answer(self, route: ContainerLogsRoute) -> Answer | StreamedAnswer:
        self.queries.append(route.query)
        return await super().answer(route)


class OnePod(OneContainer):
    """Knows since when `main` of `shop/web-1` runs."""

    def __init__(self, state: Json) -> None:
        super().__init__()
        self.state = state

    def pods(self) -> tuple[Pod, ...]:
        return (a_pod("web-1", status={"containerStatuses": [{"name": "main", "state": self.state}]}),)


class Served:
    """The part under test with the log of one container that runs since noon."""

    def __init__(self, state: Json | None = None) -> None:
        self.directory = FakeDirectory()
        self.directory.put()
        streams = FakeLogStreams()
        streams.write("pod/main/1", "before")
        self.clock = VirtualClock()
        self.logs = KeptLogs(self.directory, streams, clock=self.clock)
        state = {"running": {"startedAt": NOON.isoformat()}} if state is None else state
        self.attach = Attach(self.logs, OnePod(state), clock=self.clock)

    async def answer(self, query: str, request: Request = AN_UPGRADE) -> Answer | Upgrade:
        return await self.attach.answer(request, A_PATH, query)


async def log(*pieces: bytes, failure: Exception | None = None) -> AsyncGenerator[bytes, None]:
    for piece in pieces:
        yield piece
    if failure:
        raise failure


async def test_output_is_attached() -> None:
    assert isinstance(await Served().answer("output=1&error=1"), Upgrade)


async def test_stdin_is_taken_for_whoever_types_nothing() -> None:
    assert isinstance(await Served().answer("input=1&output=1"), Upgrade)


@pytest.mark.parametrize(
    ("seconds", "query"),
    [
        pytest.param(5, "follow=true", id="young"),
        pytest.param(61, "follow=true&tailLines=0", id="old"),
    ],
)
async def test_a_young_containers_log_is_shown_from_its_beginning(seconds: int, query: str) -> None:
    served = Served()
    await served.clock.advance(seconds)
    await served.answer("output=1")
    assert served.logs.queries == [query]


async def test_a_young_container_that_ended_is_young() -> None:
    served = Served({"terminated": {"startedAt": NOON.isoformat()}})
    await served.answer("output=1")
    assert served.logs.queries == ["follow=true"]


async def test_whoever_has_read_the_log_of_a_young_container_is_shown_nothing_twice() -> None:
    served = Served()
    await served.logs.answer(ContainerLogsRoute(A_PATH, ""))
    await served.answer("output=1")
    assert served.logs.queries == ["", "follow=true&tailLines=0"]


async def test_a_log_that_was_read_a_while_ago_is_shown_again() -> None:
    served = Served()
    await served.logs.answer(ContainerLogsRoute(A_PATH, ""))
    await served.clock.advance(15)
    await served.answer("output=1")
    assert served.logs.queries == ["", "follow=true"]


@pytest.mark.parametrize(
    "state", [pytest.param({"waiting": {}}, id="waiting"), pytest.param({}, id="unknown")]
)
async def test_a_container_of_unknown_age_is_not_young(state: Json) -> None:
    served = Served(state)
    await served.answer("output=1")
    assert served.logs.queries == ["follow=true&tailLines=0"]


async def test_a_container_that_is_not_there_is_answered_404() -> None:
    served = Served()
    served.directory.sources.clear()
    answer = await served.answer("output=1")
    assert isinstance(answer, Answer)
    assert answer.status == 404


async def test_a_request_that_is_no_upgrade_is_answered() -> None:
    answer = await Served().answer("output=1", Request(method="GET", target="/attach/shop/web-1/main"))
    assert isinstance(answer, Answer)


async def test_the_log_is_stdout_and_its_end_is_success() -> None:
    remote = FakeRemote()
    await follow(log(b"one\n", b"two\n"), PIPES, remote)
    assert (remote.out, remote.code) == (b"one\ntwo\n", 0)


async def test_a_log_that_breaks_off_is_an_error() -> None:
    remote = FakeRemote()
    await follow(log(b"one\n", failure=Refused("logs:GetLogEvents is not allowed")), PIPES, remote)
    assert remote.message.endswith("error attaching to container: logs:GetLogEvents is not allowed")


async def test_a_client_that_vanishes_ends_the_reading_of_the_log() -> None:
    body = log(b"one\n")

    class Gone(FakeRemote):
        async def stdout(self, data: bytes) -> None:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await follow(body, PIPES, Gone())
    assert [piece async for piece in body] == []


async def test_the_end_of_stdin_leaves_the_output_attached() -> None:
    remote = FakeRemote(b"")
    await follow(log(b"one\n", b"two\n"), PIPES, remote)
    assert (remote.out, remote.code) == (b"one\ntwo\n", 0)


async def endless() -> AsyncGenerator[bytes, None]:
    yield b"one\n"
    await asyncio.Event().wait()


async def test_what_is_piped_in_is_refused_as_it_comes() -> None:
    remote = FakeRemote(b"data")
    await follow(endless(), PIPES, remote)
    assert remote.code == -1
    assert "Fargate connects no container's standard input, and something was typed" in remote.message
    assert "kubectl exec -i" in remote.message


async def test_a_key_in_a_terminal_is_answered_once() -> None:
    remote = FakeRemote(stays=True)
    running = asyncio.create_task(follow(endless(), TERMINAL, remote))
    remote.send(b"\r")
    await remote.until(b"goes nowhere; Ctrl-C ends the attachment.\r\n")
    remote.send(b"x")
    await asyncio.sleep(0)
    remote.send(b"\x03")
    await running
    assert remote.out.count(b"goes nowhere") == 1
    assert remote.code == -1
