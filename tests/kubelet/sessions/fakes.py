"""Sessions over real terminals that behave as Session Manager's do, and kubectl's end of an exec."""

import asyncio
import contextlib
import fcntl
import itertools
import os
import shlex
import shutil
import struct
import termios
from collections.abc import Callable, Mapping, Sequence

from app.kubelet.routing import ContainerPath
from app.kubelet.sessions.exec import Exec
from app.kubelet.sessions.limits import SessionConfig
from app.kubelet.sessions.options import SessionOptions
from app.model.names import HELPER_PATH, TaskArn
from app.model.pod import Pod
from app.model.wire import Json
from app.ports.containers import Containers, Running
from app.ports.failures import PortFailure  # noqa: TC001 - as the ports beside it
from app.ports.sessions import Session, Sessions
from app.wiring.clock import SystemClock

PATIENCE_SECONDS = 30

MESSAGE = 1024
"""Bytes that Session Manager takes in one message of stdin."""

A_TASK = TaskArn("arn:aws:ecs:eu-central-1:111122223333:task/burst/0123456789abcdef0123456789abcdef")

A_PATH = ContainerPath(namespace="shop", pod="web-1", container="main")


class TerminalSession(Session):
    """A program in a terminal of this machine; everything that is shown and typed is kept."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str]) -> None:
        self.shown = bytearray()
        self.typed = bytearray()
        self._words = words
        self._environment = environment
        self._master = -1
        self._loop = asyncio.get_running_loop()
        self._waiting: set[asyncio.Event] = set()
        self._process: asyncio.subprocess.Process | None = None
        self.is_closed = False

    async def start(self) -> None:
        """Start the program as the leader of a session that the terminal belongs to."""
        self._master, slave = os.openpty()
        os.set_blocking(self._master, False)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self._process = await asyncio.create_subprocess_exec(
            shutil.which("setsid") or "",
            "--ctty",
            *self._words,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=self._environment,
        )
        os.close(slave)

    async def read(self) -> bytes:
        while self._master >= 0:
            try:
                data = os.read(self._master, 65536)
            except BlockingIOError:
                await self._readable()
            except OSError:
                return b""
            else:
                self.shown += data
                return data
        return b""

    async def write(self, data: bytes) -> None:
        for at in range(0, len(data), MESSAGE):
            message = data[at : at + MESSAGE]
            await self._type(b"\r" if message == b"\n" else message)

    async def _type(self, message: bytes) -> None:
        self.typed += message
        while message and self._master >= 0:
            try:
                message = message[os.write(self._master, message) :]
            except BlockingIOError:
                await self._writable()
            except OSError:
                return

    async def _readable(self) -> None:
        await self._ready(self._loop.add_reader, self._loop.remove_reader)

    async def _writable(self) -> None:
        await self._ready(self._loop.add_writer, self._loop.remove_writer)

    async def _ready(self, watch: Callable[..., None], unwatch: Callable[[int], bool]) -> None:
        """Wait until the terminal is ready, or is no more."""
        master = self._master
        ready = asyncio.Event()
        self._waiting.add(ready)
        watch(master, ready.set)
        try:
            await ready.wait()
        finally:
            self._waiting.discard(ready)
            if self._master == master:
                unwatch(master)

    async def resize(self, *, columns: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    async def close(self) -> None:
        self.is_closed = True
        if self._process is None:
            return
        self.kill()
        await self._process.wait()

    def kill(self) -> None:
        """End it at once, as the agent of Session Manager does: its program first, then the terminal.

        The program alone would not be enough: whoever else holds the terminal keeps the session. Nor would
        the terminal: Linux tells those of its foreground that it is gone only where their leader has ended.
        """
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self.hang_up()

    def hang_up(self) -> None:
        """Close the terminal; what runs in it is not killed."""
        if self._master < 0:
            return
        master, self._master = self._master, -1
        self._loop.remove_reader(master)
        self._loop.remove_writer(master)
        os.close(master)
        for ready in self._waiting:
            ready.set()


class Terminals(Sessions):
    """Opens terminals of this machine; `helper` stands in for the in-task helper's path."""

    def __init__(self, *, sh: Sequence[str] = ("sh",), helper: str = "", **variables: str) -> None:
        self.sh = tuple(sh)
        self.helper = helper
        self.variables = variables
        self.failure: PortFailure | None = None
        self.opened: list[TerminalSession] = []
        self.commands: list[str] = []

    async def open(self, where: Running, command: str) -> TerminalSession:
        if self.failure:
            raise self.failure
        self.commands.append(command)
        session = TerminalSession(self._words(command), {"PATH": os.environ["PATH"], **self.variables})
        await session.start()
        self.opened.append(session)
        return session

    def _words(self, command: str) -> list[str]:
        first, *rest = shlex.split(command)
        return [*({"sh": self.sh, HELPER_PATH: (self.helper,)}.get(first, (first,))), *rest]


class OneContainer(Containers):
    """Knows where `main` of `shop/web-1` runs."""

    def __init__(self, *, helper: bool = False) -> None:
        self.where = Running(task=A_TASK, container="main", runtime_id="one", helper=helper)
        self.failure: PortFailure | None = None
        self.end = ""

    def running(self, namespace: str, pod: str, container: str) -> Running:
        if self.failure:
            raise self.failure
        return self.where

    def over(self, namespace: str, pod: str, where: Running) -> str:
        return self.end

    def address(self, namespace: str, pod: str) -> str:
        return "127.0.0.1"

    def moved(self, namespace: str, pod: str, address: str) -> str:
        return ""

    def pods(self) -> Sequence[Pod]:
        return ()


class FakeRemote:
    """kubectl's end: what it sends is put in, what it gets is kept."""

    def __init__(self, stdin: bytes = b"", *, piece: int = 32768, stays: bool = False) -> None:
        self._out = bytearray()
        self._err = bytearray()
        self.statuses: list[Json] = []
        self.sizes: asyncio.Queue[tuple[int, int]] = asyncio.Queue()
        self._stdin: asyncio.Queue[bytes] = asyncio.Queue()
        self._news = asyncio.Event()
        for at in range(0, len(stdin), piece):
            self.send(stdin[at : at + piece])
        if not stays:
            self.send(b"")

    def send(self, data: bytes) -> None:
        """Send some stdin; empty for its end."""
        self._stdin.put_nowait(data)

    async def stdin(self) -> bytes:
        return await self._stdin.get()

    async def stdout(self, data: bytes) -> None:
        self._out += data
        self._news.set()

    async def stderr(self, data: bytes) -> None:
        self._err += data
        self._news.set()

    async def resized(self) -> tuple[int, int]:
        return await self.sizes.get()

    async def status(self, status: Json) -> None:
        self.statuses.append(status)

    async def until(self, text: bytes) -> None:
        """Wait until the command has written so."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while text not in self.out + self.err:
                self._news.clear()
                await self._news.wait()

    @property
    def out(self) -> bytes:
        """What came on stdout."""
        return bytes(self._out)

    @property
    def err(self) -> bytes:
        """What came on stderr."""
        return bytes(self._err)

    @property
    def message(self) -> str:
        """What the status says to people."""
        (status,) = self.statuses
        return str(status["message"])

    @property
    def code(self) -> int:
        """The exit code that the status tells; -1 where it tells none."""
        (status,) = self.statuses
        if status["status"] == "Success":
            return 0
        causes = status.get("details", {}).get("causes", [])
        return int(causes[0]["message"]) if causes else -1


class Stage:
    """An exec endpoint over real terminals, and what is asked of it."""

    def __init__(self, terminals: Terminals, *, config: SessionConfig | None = None) -> None:
        self.terminals = terminals
        self.containers = OneContainer(helper=bool(terminals.helper))
        self.exec = Exec(
            self.containers, terminals, clock=SystemClock(), config=config or SessionConfig(), nonce=_nonces()
        )

    @property
    def session(self) -> TerminalSession:
        """The latest session."""
        return self.terminals.opened[-1]

    @property
    def all_closed(self) -> bool:
        """Whether every session that was opened was closed again."""
        return all(each.is_closed for each in self.terminals.opened)

    async def run(
        self, *words: str | bytes, stdin: bytes = b"", tty: bool = False, remote: FakeRemote | None = None
    ) -> FakeRemote:
        """Run a command to its end."""
        remote = remote or FakeRemote(stdin)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.exec.serve(self.containers.where, options_for(words, tty=tty), A_PATH, remote)
        return remote

    def begin(self, *words: str | bytes, tty: bool = False, remote: FakeRemote) -> asyncio.Task[FakeRemote]:
        """Run a command while the test goes on."""
        return asyncio.create_task(self.run(*words, tty=tty, remote=remote))


def options_for(words: Sequence[str | bytes], *, tty: bool = False) -> SessionOptions:
    """What kubectl exec -i asks for, or kubectl exec -it."""
    command = tuple(word.encode() if isinstance(word, str) else word for word in words)
    return SessionOptions(command=command, stdin=True, stdout=True, stderr=not tty, tty=tty)


def _nonces() -> Callable[[], str]:
    numbers = itertools.count(0xC0FFEE00)
    return lambda: f"{next(numbers):032x}"


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait until it is so; TimeoutError when it does not become so."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if condition():
                return
            await asyncio.sleep(0.01)
