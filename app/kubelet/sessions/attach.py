"""`/attach/…`: a container's output as it comes, from its log: ECS attaches to nothing."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import Final

from app.kubelet.logs.container_logs import ContainerLogs
from app.kubelet.messages import Answer, Request, StreamedAnswer, Upgrade
from app.kubelet.routing import ContainerLogsRoute, ContainerPath
from app.kubelet.sessions import statuses
from app.kubelet.sessions.options import attach_options
from app.kubelet.streaming.remote import Remote, Streams, remote_command
from app.ports.failures import PortFailure

_FROM_NOW_ON: Final = "follow=true&tailLines=0"


class Attach:
    """Shows what containers print from now on; stdout and stderr are one, and nothing can be typed."""

    def __init__(self, logs: ContainerLogs) -> None:
        self._logs = logs

    async def answer(self, request: Request, path: ContainerPath, query: str) -> Answer | Upgrade:
        """The output, or why there is none: 400 where stdin is asked for, 404 for no container."""
        options = attach_options(query)
        if isinstance(options, Answer):
            return options
        found = await self._logs.answer(ContainerLogsRoute(path, _FROM_NOW_ON))
        if not isinstance(found, StreamedAnswer):
            return found
        wanted = Streams(stdin=False, stdout=options.stdout, stderr=options.stderr, tty=options.tty)
        answer = await remote_command(request, wanted, partial(follow, found.body))
        if isinstance(answer, Answer):
            await found.body.aclose()
        return answer


async def follow(body: AsyncGenerator[bytes, None], remote: Remote) -> None:
    """Show the log until the container has ended. Cancelled when the client vanishes."""
    async with aclosing(body):
        try:
            async for piece in body:
                await remote.stdout(piece)
        except PortFailure as failure:
            await remote.status(statuses.failed(f"error attaching to container: {failure}"))
            return
    await remote.status(statuses.SUCCESS)
