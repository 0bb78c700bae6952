"""What followers of logs cost the node's API: many of one stream, slow ones, and those that vanish.

The API runs as a process of its own over made-up logs (`scripts.lib.log_host`); every line has a number, so
that each follower knows whether it missed one or had one twice.
"""

import argparse
import asyncio
import os
import ssl
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from app.local.leaves import write_leaf
from app.local.loopback import LOOPBACK
from app.local.processes import Child
from app.ports.clock import Clock
from app.tls.authority import Authority
from app.wiring.clock import SystemClock

ROOT: Final = Path(__file__).resolve().parents[2]
STEADY: Final = "/containerLogs/shop/web/steady?follow=true&tailLines=0"
BRIEF: Final = "/containerLogs/shop/web/brief?follow=true"
WHOLE: Final = "/containerLogs/shop/web/huge"
WITHIN: Final = 60.0
_SLOW: Final = 64 * 1024
"""Bytes that a slow reader takes in a second."""

_CALM: Final = 2.0
_WARM: Final = 3
_LOOK: Final = 0.1


class State(msgspec.Struct, frozen=True):
    """What the process holds."""

    tasks: int
    files: int
    rss_mib: float
    calls: int


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What the benchmark prints.

    Attributes:
        lines: that all followers together were sent.
        lost, doubled: of those; there must be none.
        calls_per_second: to CloudWatch, once all follow the one stream.
        follow_cpu: share of a core that takes.
        slow_mib: what the process grew by while slow readers had a huge log open.
        ended: followers that were told the end of a container that died.
        tasks_left, files_left, grown_mib: what is left of it all when everybody is gone.
    """

    followers: int
    lines: int
    lost: int
    doubled: int
    calls_per_second: float
    follow_cpu: float
    slow_readers: int
    slow_mib: float
    vanished: int
    ended: int
    tasks_left: int
    files_left: int
    grown_mib: float


@dataclass
class Follower:
    """Reads numbered lines, and keeps count."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    lines: int = 0
    lost: int = 0
    doubled: int = 0
    last: int | None = None
    is_over: bool = False

    async def read(self) -> None:
        """Until the answer ends."""
        rest = b""
        while piece := await _chunk(self.reader):
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                self._count(int(line.split(b" ", 1)[0]))
        self.is_over = True

    def _count(self, number: int) -> None:
        expected = number if self.last is None else self.last + 1
        self.lost += max(number - expected, 0)
        self.doubled += number < expected
        self.lines += 1
        self.last = max(number, self.last or 0)


@dataclass(kw_only=True)
class Bench:
    """One run against a process that listens."""

    child: Child
    folder: Path
    clock: Clock
    tls: ssl.SSLContext
    ports: tuple[int, int] = (0, 0)
    calls: int = 0
    cpu: float = 0.0

    async def run(self, *, followers: int, slow: int, vanishing: int, seconds: float) -> Result:
        """Every trial, one after the other; the process starts with nothing open, and must end so.

        All is tried once before: memory that was ever needed stays with the process, and is used again.
        """
        await self._listening()
        held = await self._slow_readers(slow, seconds=seconds / 2)
        _say(f"{slow} slow readers of a huge log held {held:.1f} MiB")
        for _ in range(_WARM):
            await self._follow(STEADY, followers, seconds=1.0)
            await self._slow_readers(slow, seconds=1.0)
            await self._vanish(vanishing)
        before = await self._calm()
        all_of = await self._follow(STEADY, followers, seconds=seconds)
        _say(f"{followers} followers had {sum(each.lines for each in all_of)} lines")
        await self._slow_readers(slow, seconds=1.0)
        await self._vanish(vanishing)
        ended = await self._die(followers)
        _say(f"{ended} followers saw the end of a container that died")
        after = await self._calm()
        return Result(
            followers=followers,
            lines=sum(each.lines for each in all_of),
            lost=sum(each.lost for each in all_of),
            doubled=sum(each.doubled for each in all_of),
            calls_per_second=round(self.calls / seconds, 2),
            follow_cpu=round(self.cpu / seconds, 2),
            slow_readers=slow,
            slow_mib=round(held, 1),
            vanished=vanishing,
            ended=ended,
            tasks_left=after.tasks - before.tasks,
            files_left=after.files - before.files,
            grown_mib=round(after.rss_mib - before.rss_mib, 1),
        )

    async def _follow(self, path: str, count: int, *, seconds: float) -> list[Follower]:
        all_of = [await self._open(path) for _ in range(count)]
        reading = [asyncio.create_task(each.read()) for each in all_of]
        await self.clock.sleep(_CALM)
        calls, cpu = (await self._state()).calls, self.child.burden().cpu_seconds
        await self.clock.sleep(seconds)
        self.calls = (await self._state()).calls - calls
        self.cpu = self.child.burden().cpu_seconds - cpu
        await self._leave(all_of, reading)
        return all_of

    async def _slow_readers(self, count: int, *, seconds: float) -> float:
        before = await self._calm()
        all_of = [await self._open(WHOLE) for _ in range(count)]
        for _ in range(int(seconds)):
            await asyncio.gather(*(each.reader.read(_SLOW) for each in all_of))
            await self.clock.sleep(1.0)
        held = (await self._state()).rss_mib - before.rss_mib
        await self._leave(all_of, [])
        return held

    async def _vanish(self, count: int) -> None:
        """Clients that are cut off in the middle of an answer, as a laptop is that is shut."""
        for number in range(count):
            gone = await self._open(WHOLE if number % 2 else STEADY)
            gone.writer.transport.abort()

    async def _die(self, count: int) -> int:
        """How many of the followers saw their answer end."""
        all_of = [await self._open(BRIEF) for _ in range(count)]
        reading = [asyncio.create_task(each.read()) for each in all_of]
        await self._told("POST /end")
        await asyncio.wait(reading, timeout=WITHIN)
        ended = sum(each.is_over and not each.lost for each in all_of)
        await self._leave(all_of, reading)
        return ended

    async def _leave(self, all_of: list[Follower], reading: list[asyncio.Task[None]]) -> None:
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)
        for each in all_of:
            each.writer.transport.abort()

    async def _open(self, path: str) -> Follower:
        reader, writer = await asyncio.open_connection(LOOPBACK, self.ports[0], ssl=self.tls, limit=_SLOW)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: node\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise SystemExit(f"{path} answered {head.decode()}")
        return Follower(reader, writer)

    async def _calm(self) -> State:
        """What it holds once it holds no less any more."""
        known = await self._state()
        while True:
            await self.clock.sleep(_CALM)
            state = await self._state()
            if state.tasks >= known.tasks and state.files >= known.files:
                return state
            known = state

    async def _state(self) -> State:
        return msgspec.json.decode(await self._told("GET /state"), type=State)

    async def _told(self, order: str) -> bytes:
        reader, writer = await asyncio.open_connection(LOOPBACK, self.ports[1])
        writer.write(f"{order}\n".encode())
        answer = await reader.read()
        writer.close()
        return answer

    async def _listening(self) -> None:
        deadline = self.clock.steady() + WITHIN
        while not (self.folder / "ports").exists():
            if self.child.exit_code is not None or self.clock.steady() > deadline:
                raise SystemExit(self.child.obituary())
            await self.clock.sleep(_LOOK)
        first, second = (self.folder / "ports").read_text().split()
        self.ports = (int(first), int(second))


async def _chunk(reader: asyncio.StreamReader) -> bytes:
    """The next chunk of a chunked body; empty at its end (RFC 9112, 7.1)."""
    size = int((await reader.readline()).strip() or b"0", 16)
    piece = await reader.readexactly(size)
    await reader.readline()
    return piece


async def bench(folder: Path, *, followers: int, slow: int, vanishing: int, seconds: float) -> Result:
    """Start the process, measure, and end it."""
    clock = SystemClock()
    authority = Authority.create("bench", now=clock.now())
    write_leaf(folder, "host", authority.issue("host", now=clock.now(), ips=(LOOPBACK,), server=True))
    write_leaf(folder, "client", authority.issue("client", now=clock.now(), client=True))
    (folder / "clients.crt").write_bytes(authority.cert_pem)
    tls = ssl.create_default_context(cadata=authority.cert_pem.decode())
    tls.load_cert_chain(folder / "client.crt", folder / "client.key")
    child = await Child.start(
        "log-host",
        [sys.executable, "-m", "scripts.lib.log_host", str(folder)],
        directory=folder,
        environment={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        trial = Bench(child=child, folder=folder, clock=clock, tls=tls)
        return await trial.run(followers=followers, slow=slow, vanishing=vanishing, seconds=seconds)
    finally:
        await child.stop(clock=clock)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(prog="scripts/bench logs", description=__doc__)
    parser.add_argument("--followers", type=int, default=200, help="of one stream (default 200)")
    parser.add_argument("--slow", type=int, default=20, help="slow readers of a huge log (default 20)")
    parser.add_argument("--vanishing", type=int, default=200, help="clients that vanish (default 200)")
    parser.add_argument("--seconds", type=float, default=20.0, help="of following (default 20)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="spillway-bench-") as folder:
        result = asyncio.run(
            bench(
                Path(folder),
                followers=given.followers,
                slow=given.slow,
                vanishing=given.vanishing,
                seconds=given.seconds,
            )
        )
    print(msgspec.json.encode(result).decode())


if __name__ == "__main__":
    main()
