"""`/attach/…`: a container's output as it comes, from its log: ECS attaches to nothing."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import timedelta
from functools import partial
from typing import Final

from app.kubelet.lifetime import alongside
from app.kubelet.logs.container_logs import ContainerLogs
from app.kubelet.messages import Answer, Request, StreamedAnswer, Upgrade
from app.kubelet.routing import ContainerLogsRoute, ContainerPath
from app.kubelet.sessions import statuses
from app.kubelet.sessions.beginnings import begun_at
from app.kubelet.sessions.options import SessionOptions, attach_options
from app.kubelet.streaming.remote import Remote, Streams, remote_command
from app.ports.clock import Clock
from app.ports.containers import Containers
from app.ports.failures import PortFailure

YOUNG: Final = timedelta(seconds=60)
"""ECS, the bridge and CloudWatch take their time until a client hears that a container runs."""

_FROM_THE_BEGINNING: Final = "follow=true"
_FROM_NOW_ON: Final = "follow=true&tailLines=0"

_INTERRUPT: Final = b"\x03"
_NO_STDIN: Final = "Fargate connects no container's standard input"
_NOTICE: Final = (
    f"\r\nSpillway: {_NO_STDIN}: what is typed here goes nowhere; Ctrl-C ends the attachment.\r\n"
)


class Typed(Exception):
    """Something came that cannot be passed on."""


class Attach:
    """Shows what containers print; stdout and stderr are one, and nothing can be typed."""

    def __init__(self, logs: ContainerLogs, containers: Containers, *, clock: Clock) -> None:
        self._logs = logs
        self._containers = containers
        self._clock = clock

    async def answer(self, request: Request, path: ContainerPath, query: str) -> Answer | Upgrade:
        """The output, or why there is none: 400 without a stream, 404 for no container."""
        options = attach_options(query)
        if isinstance(options, Answer):
            return options
        found = await self._logs.answer(ContainerLogsRoute(path, self._stretch(path)))
        if not isinstance(found, StreamedAnswer):
            return found
        wanted = Streams(stdin=options.stdin, stdout=options.stdout, stderr=options.stderr, tty=options.tty)
        answer = await remote_command(request, wanted, partial(follow, found.body, options))
        if isinstance(answer, Answer):
            await found.body.aclose()
        return answer

    def _stretch(self, path: ContainerPath) -> str:
        """A young container's from its beginning: `kubectl run --attach` comes after its first lines.

        Not so where somebody has just read the log, as kubectl 1.36 does itself before.
        """
        begun = begun_at(self._containers.pods(), path)
        is_young = begun is not None and self._clock.now() - begun < YOUNG
        return _FROM_THE_BEGINNING if is_young and not self._logs.just_read(path) else _FROM_NOW_ON


async def follow(body: AsyncGenerator[bytes, None], options: SessionOptions, remote: Remote) -> None:
    """Show the log until the container ends or something is typed. Cancelled when the client vanishes."""
    attachment = _Attachment(remote, is_terminal=options.tty)
    async with aclosing(body):
        try:
            await alongside(attachment.show(body), attachment.heed())
        except (PortFailure, Typed) as failure:
            await remote.status(statuses.failed(f"error attaching to container: {failure}"))
            return
    await remote.status(statuses.SUCCESS)


class _Attachment:
    def __init__(self, remote: Remote, *, is_terminal: bool) -> None:
        self._remote = remote
        self._is_terminal = is_terminal
        self._showing = asyncio.Lock()

    async def show(self, body: AsyncGenerator[bytes, None]) -> None:
        async for piece in body:
            await self._show(piece)

    async def heed(self) -> None:
        """Whoever has nothing to say may stay; nobody's words are dropped without telling. Raises Typed."""
        is_told = False
        while data := await self._remote.stdin():
            if not self._is_terminal or _INTERRUPT in data:
                raise Typed(
                    f"{_NO_STDIN}, and something was typed; attach without input, or run a command with "
                    "kubectl exec -i"
                )
            if not is_told:
                is_told = True
                await self._show(_NOTICE.encode())

    async def _show(self, data: bytes) -> None:
        async with self._showing:
            await self._remote.stdout(data)
