import asyncio
from collections.abc import AsyncGenerator

import pytest

from app.kubelet.logs.container_logs import ContainerLogs, LogConfig
from app.kubelet.messages import Answer, Request, Upgrade
from app.kubelet.sessions.attach import Attach, follow
from app.kubelet.sessions.options import NO_STDIN
from app.ports.failures import Refused
from tests.fakes import VirtualClock
from tests.kubelet.fakes import FakeDirectory, FakeLogStreams
from tests.kubelet.sessions.fakes import A_PATH, FakeRemote
from tests.kubelet.sessions.test_failures import AN_UPGRADE


class Served:
    """The part under test with the log of one container."""

    def __init__(self) -> None:
        self.directory = FakeDirectory()
        self.directory.put()
        streams = FakeLogStreams()
        streams.write("pod/main/1", "before")
        clock = VirtualClock()
        self.attach = Attach(ContainerLogs(self.directory, streams, clock=clock, config=LogConfig()))

    async def answer(self, query: str, request: Request = AN_UPGRADE) -> Answer | Upgrade:
        return await self.attach.answer(request, A_PATH, query)


async def log(*pieces: bytes, failure: Exception | None = None) -> AsyncGenerator[bytes, None]:
    for piece in pieces:
        yield piece
    if failure:
        raise failure


async def test_output_is_attached() -> None:
    assert isinstance(await Served().answer("output=1&error=1"), Upgrade)


async def test_stdin_is_refused_with_its_reason() -> None:
    assert await Served().answer("input=1&output=1") == NO_STDIN


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
    await follow(log(b"one\n", b"two\n"), remote)
    assert (remote.out, remote.code) == (b"one\ntwo\n", 0)


async def test_a_log_that_breaks_off_is_an_error() -> None:
    remote = FakeRemote()
    await follow(log(b"one\n", failure=Refused("logs:GetLogEvents is not allowed")), remote)
    assert remote.message.endswith("error attaching to container: logs:GetLogEvents is not allowed")


async def test_a_client_that_vanishes_ends_the_reading_of_the_log() -> None:
    body = log(b"one\n")

    class Gone(FakeRemote):
        async def stdout(self, data: bytes) -> None:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await follow(body, Gone())
    assert [piece async for piece in body] == []
