"""`/exec/…`: a command inside a container, through one session of ECS Exec."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from typing import Final

from app.kubelet.messages import Answer, Request, Upgrade
from app.kubelet.routing import ContainerPath
from app.kubelet.sessions import scripts, statuses
from app.kubelet.sessions.interactive import InteractiveCommand
from app.kubelet.sessions.limits import SessionConfig
from app.kubelet.sessions.marks import Marks
from app.kubelet.sessions.opening import Broken, NotReady, mark, type_all
from app.kubelet.sessions.options import SessionOptions, exec_options
from app.kubelet.sessions.piped import PipedCommand
from app.kubelet.streaming.remote import Remote, Streams, remote_command
from app.model.wire import Json
from app.ports.clock import Clock
from app.ports.containers import Containers, Running
from app.ports.failures import NotFound, PortFailure, Refused
from app.ports.sessions import Session, Sessions
from app.telemetry import logs
from app.timing.waiting import within

log = logs.get(__name__)

_PREFIX: Final = "error executing command in container: "


def random_nonce() -> str:
    """What no command can guess, and so not print."""
    return secrets.token_hex(16)


class Exec:
    """Runs commands in the node's containers."""

    def __init__(
        self,
        containers: Containers,
        sessions: Sessions,
        *,
        clock: Clock,
        config: SessionConfig,
        nonce: Callable[[], str] = random_nonce,
    ) -> None:
        self._containers = containers
        self._sessions = sessions
        self._clock = clock
        self._config = config
        self._nonce = nonce
        self._closing: set[asyncio.Task[None]] = set()

    async def answer(self, request: Request, path: ContainerPath, query: str) -> Answer | Upgrade:
        """The streams of the command, or why there are none: 400 and 404 in one line that names the mend."""
        options = exec_options(query)
        if isinstance(options, Answer):
            return options
        try:
            where = self._containers.running(path.namespace, path.pod, path.container)
        except NotFound as missing:
            return Answer(status=HTTPStatus.NOT_FOUND, text=str(missing))
        except Refused as refused:
            return Answer(status=HTTPStatus.BAD_REQUEST, text=str(refused))
        wanted = Streams(stdin=options.stdin, stdout=options.stdout, stderr=options.stderr, tty=options.tty)
        return await remote_command(request, wanted, partial(self.serve, where, options, path))

    async def serve(
        self, where: Running, options: SessionOptions, path: ContainerPath, remote: Remote
    ) -> None:
        """Run the command, and tell how it ended. Cancelled when the client vanishes."""
        run = _Run(self._nonce(), where, options, clock=self._clock, config=self._config)
        try:
            async with self._session(where, run.command_line) as session:
                code = await run.carry_out(session, remote)
                # Before the session is closed, which takes its time: the client is done now.
                await remote.status(self._status(code, where, path))
        except (PortFailure, NotReady, Broken) as failure:
            log.info("exec failed", pod=f"{path.namespace}/{path.pod}", reason=repr(failure))
            await remote.status(statuses.failed(_PREFIX + _sentence(failure, where)))

    @asynccontextmanager
    async def _session(self, where: Running, command_line: str) -> AsyncIterator[Session]:
        """A session that is closed in the end, also where the client vanishes as it opens or closes."""
        opened: list[Session] = []

        async def opening() -> None:
            opened.append(await self._sessions.open(where, command_line))

        try:
            await within(self._clock, self._config.open_seconds, opening())
            yield opened[0]
        finally:
            for session in opened:
                closing = asyncio.create_task(session.close())
                self._closing.add(closing)
                closing.add_done_callback(self._closing.discard)
                await asyncio.shield(closing)

    def _status(self, code: int | None, where: Running, path: ContainerPath) -> Json:
        if code is None:
            return statuses.failed(_PREFIX + self._why_lost(where, path))
        return statuses.ended(code)

    def _why_lost(self, where: Running, path: ContainerPath) -> str:
        """What is known now of a container whose session ended before the command."""
        try:
            now = self._containers.running(path.namespace, path.pod, path.container)
        except PortFailure as failure:
            return f"the session ended before the command: {failure}"
        if (now.task, now.runtime_id) != (where.task, where.runtime_id):
            return "the session ended before the command: the container was started anew"
        return (
            "the session ended before the command: the container is ending, or Session Manager saw nothing "
            "typed for 20 minutes"
        )


class _Run:
    """One command, from its session's first word to its exit code."""

    def __init__(
        self, nonce: str, where: Running, options: SessionOptions, *, clock: Clock, config: SessionConfig
    ) -> None:
        self._nonce = nonce
        self._helper = where.helper
        self._options = options
        self._clock = clock
        self._config = config
        self._marks = Marks(nonce)

    @property
    def command_line(self) -> str:
        if self._helper:
            return scripts.helper_start(self._nonce, tty=self._options.tty)
        return scripts.shell_start(self._nonce)

    async def carry_out(self, session: Session, remote: Remote) -> int | None:
        """The exit code; None where the session ended first.

        Raises:
            NotReady: the command never began.
            Broken: the session does not work as it must.
            PortFailure: as `Session.read` and `Session.write`; Unavailable where it is not ready in time.
        """
        options = self._options
        begun = await within(self._clock, self._config.open_seconds, self._begin(session))
        if options.tty:
            interactive = InteractiveCommand(session, remote, marks=self._marks, has_stdin=options.stdin)
            return await interactive.run(begun)
        return await PipedCommand(session, remote, clock=self._clock, config=self._config).run(begun)

    async def _begin(self, session: Session) -> bytes:
        """Tell the far side the command; what it has shown of it by then."""
        code, begun = await mark(session, self._marks)
        if code and not self._options.tty:
            raise Broken(
                'the image has no "stty", which a command without a terminal needs on Fargate: add it to the '
                "image, or use kubectl exec -it"
            )
        await type_all(session, self._document())
        if self._options.tty:
            _, begun = await mark(session, self._marks)
        return begun

    def _document(self) -> Iterable[bytes]:
        if self._helper:
            return scripts.helper_document(self._options.command)
        return scripts.shell_document(self._options.command, nonce=self._nonce, tty=self._options.tty)


def _sentence(failure: Exception, where: Running) -> str:
    if not isinstance(failure, NotReady):
        return str(failure)
    shown = str(failure) or "it showed nothing"
    if where.helper:
        return f"the session ended before the command began: {shown}"
    return (
        'the session ended before the command began; an image that Spillway\'s helper is not in needs "sh" '
        f"for it: {shown}"
    )
