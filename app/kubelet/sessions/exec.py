"""`/exec/…`: a command inside a container, through one session of ECS Exec."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from typing import Any, Final, TypeVar

from app.kubelet.lifetime import Over, alongside, until_over
from app.kubelet.messages import Answer, Request, Upgrade
from app.kubelet.routing import ContainerPath
from app.kubelet.sessions import scripts, statuses
from app.kubelet.sessions.interactive import InteractiveCommand
from app.kubelet.sessions.limits import SessionConfig
from app.kubelet.sessions.marks import Marks
from app.kubelet.sessions.opening import Broken, NotReady, is_too_old, mark, type_all
from app.kubelet.sessions.options import SessionOptions, exec_options
from app.kubelet.sessions.piped import PipedCommand
from app.kubelet.streaming.remote import Remote, Streams, remote_command
from app.model.setting import named
from app.model.wire import Json
from app.ports.clock import Clock
from app.ports.containers import Containers, Running
from app.ports.failures import NotFound, PortFailure, Refused
from app.ports.sessions import Session, Sessions
from app.streaming.connections.allowance import Allowance
from app.telemetry import logs
from app.timing.waiting import within

log = logs.get(__name__)

_PREFIX: Final = "error executing command in container: "
_UNKNOWN: Final = "the container is ending, or Session Manager saw nothing typed for 20 minutes"

_Look = Callable[[], str]
"""Why the container is over; empty while it is not."""

TAKES_KEY: Final = 2
"""What a helper marks itself ready with that is told a key; one from before, or a shell, marks it with 0."""

T = TypeVar("T")


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
        self._allowance = Allowance()
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
        serve = partial(self.serve, where, options, path)
        return await remote_command(request, wanted, serve, allowance=self._allowance)

    async def serve(
        self, where: Running, options: SessionOptions, path: ContainerPath, remote: Remote
    ) -> None:
        """Run the command, and tell how it ended. Cancelled when the client vanishes."""
        run = _Run(where, options, nonce=self._nonce, clock=self._clock, config=self._config)
        look = partial(self._containers.over, path.namespace, path.pod, where)
        try:
            async with self._session(where, run.command_line, look) as session:
                ended = await self._ended(run.carry_out(session, remote), where, look)
                # Before the session is closed, which takes its time: the client is done now.
                await remote.status(ended)
        except (PortFailure, Over) as failure:
            await remote.status(_failed(failure, where))

    @asynccontextmanager
    async def _session(self, where: Running, command_line: str, look: _Look) -> AsyncIterator[Session]:
        """A session that is closed in the end, also where the client vanishes as it opens or closes."""
        opened: list[Session] = []

        async def opening() -> None:
            opened.append(await self._sessions.open(where, command_line))

        try:
            await self._while_it_runs(within(self._clock, self._config.open_seconds, opening()), look)
            yield opened[0]
        finally:
            for session in opened:
                closing = asyncio.create_task(session.close())
                self._closing.add(closing)
                closing.add_done_callback(self._closing.discard)
                await asyncio.shield(closing)

    async def _ended(self, running: Coroutine[Any, Any, int | None], where: Running, look: _Look) -> Json:
        """How the command ended, or why it is not known."""
        try:
            code = await self._while_it_runs(running, look)
        except (PortFailure, NotReady, Broken, Over) as failure:
            return _failed(failure, where)
        if code is None:
            return statuses.failed(f"{_PREFIX}the session ended before the command: {look() or _UNKNOWN}")
        return statuses.ended(code)

    async def _while_it_runs(self, work: Coroutine[Any, Any, T], look: _Look) -> T:
        """Session Manager may say nothing of a container's end, or say it late. Raises Over."""
        watch = until_over(look, clock=self._clock, grace=self._config.last_words_seconds)
        return await alongside(work, watch)


class _Run:
    """One command, from its session's first word to its exit code."""

    def __init__(
        self,
        where: Running,
        options: SessionOptions,
        *,
        nonce: Callable[[], str],
        clock: Clock,
        config: SessionConfig,
    ) -> None:
        """The nonce of the command line is there for everyone in the container to see; the key is typed."""
        self._nonce = nonce()
        self._key = nonce()
        self._helper = where.helper
        self._options = options
        self._clock = clock
        self._config = config

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
            marks = Marks(self._key or self._nonce)
            return await InteractiveCommand(session, remote, marks=marks, has_stdin=options.stdin).run(begun)
        piped = PipedCommand(session, remote, key=self._key, clock=self._clock, config=self._config)
        return await piped.run(begun)

    async def _begin(self, session: Session) -> bytes:
        """Tell the far side the command; what it has shown of it by then."""
        code, begun = await mark(session, Marks(self._nonce))
        if self._helper and code != TAKES_KEY:
            self._key = ""
        if not self._helper and code and not self._options.tty:
            raise Broken(
                'the image has no "stty", which a command without a terminal needs on Fargate: add it to the '
                "image, or use kubectl exec -it"
            )
        await type_all(session, self._document())
        if self._options.tty:
            _, begun = await mark(session, Marks(self._key or self._nonce))
        return begun

    def _document(self) -> Iterable[bytes]:
        command = self._options.command
        if self._helper:
            silence = self._config.silence_seconds
            return scripts.helper_document(command, key=self._key, silence_seconds=silence)
        return scripts.shell_document(command, key=self._key, tty=self._options.tty)


def _failed(failure: Exception, where: Running) -> Json:
    log.info("exec failed", task=where.task, container=where.container, reason=repr(failure))
    return statuses.failed(_PREFIX + _sentence(failure, where))


def _sentence(failure: Exception, where: Running) -> str:
    match failure:
        case Over():
            return f"the container ended before the command: {failure}"
        case NotReady():
            return _why_not_ready(str(failure) or "it showed nothing", where)
        case _:
            return str(failure)


def _why_not_ready(shown: str, where: Running) -> str:
    begun = "the session ended before the command began"
    if not where.helper:
        return f'{begun}; an image that Spillway\'s helper is not in needs "sh" for it: {shown}'
    if is_too_old(shown):
        return (
            f"{begun}: Spillway's helper in this pod is of a version that runs no commands; let "
            f"{named('bridge', 'helper_image')} be of the bridge's version, and make the pod anew"
        )
    return f"{begun}: {shown}"
