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
from statistics import median
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
WHOLE: Final = "/containerLogs/shop/web/huge"
WITHIN: Final = 60.0
WARM: Final = 2
"""Rounds before memory is compared: what was ever needed stays with the process, and is used again."""

_SLOW: Final = 64 * 1024
"""Bytes that a slow reader takes in a second."""

_AT_ONCE: Final = 25
_CALM: Final = 1.0
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
        slow_mib: what the process grew by while slow readers had a huge log open, the first time.
        vanished: clients that were cut off in the middle of an answer.
        ended: followers that were told the end of a container that died, of all rounds.
        tasks_left, files_left: when everybody is gone, in comparison to the beginning.
        rss_mib: what the process holds after each round, everybody gone.
        grown_mib: from the first half of the rounds after the warm-up to the second, by their medians: what
            is needed for the first time is not counted, and single rounds, which differ by some MiB, hardly.
        seconds: that all of it took.
    """

    followers: int
    rounds: int
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
    rss_mib: list[float]
    grown_mib: float
    seconds: float


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How much of what; each round does all of it."""

    followers: int
    slow: int
    vanishing: int
    seconds: float
    rounds: int


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
    plan: Plan
    begun: float
    ports: tuple[int, int] = (0, 0)
    calls: int = 0
    cpu: float = 0.0
    lines: int = 0
    lost: int = 0
    doubled: int = 0
    ended: int = 0

    async def run(self) -> Result:
        """Rounds of all trials; the process starts with nothing open, and must end so."""
        await self._listening()
        plan, before = self.plan, await self._calm()
        held, rss = 0.0, []
        for number in range(1, plan.rounds + 1):
            slow = await self._round(number)
            held = slow if number == 1 else held
            after = await self._calm()
            rss.append(round(after.rss_mib, 1))
            self._say(f"round {number} of {plan.rounds}: {after.rss_mib:.1f} MiB when all are gone")
        return Result(
            followers=plan.followers,
            rounds=plan.rounds,
            lines=self.lines,
            lost=self.lost,
            doubled=self.doubled,
            calls_per_second=round(self.calls / plan.seconds, 2),
            follow_cpu=round(self.cpu / plan.seconds, 2),
            slow_readers=plan.slow,
            slow_mib=round(held, 1),
            vanished=plan.vanishing * plan.rounds,
            ended=self.ended,
            tasks_left=after.tasks - before.tasks,
            files_left=after.files - before.files,
            rss_mib=rss,
            grown_mib=grown(rss[WARM:]),
            seconds=round(self.clock.steady() - self.begun, 1),
        )

    async def _round(self, number: int) -> float:
        """Everything once; how much slow readers made the process hold."""
        plan = self.plan
        held = await self._slow_readers(plan.slow)
        self._say(f"  {plan.slow} slow readers of a huge log held {held:.1f} MiB")
        all_of = await self._follow(plan.followers)
        self._say(f"  {plan.followers} followers had {sum(each.lines for each in all_of)} lines")
        await self._vanish(plan.vanishing)
        self._say(f"  {plan.vanishing} clients vanished")
        ended = await self._die(f"brief{number}", plan.followers)
        self._say(f"  {ended} of {plan.followers} followers saw the end of a container that died")
        self.ended += ended
        return held

    def _say(self, text: str) -> None:
        print(f"{self.clock.steady() - self.begun:5.1f} s  {text}", file=sys.stderr, flush=True)

    async def _follow(self, count: int) -> list[Follower]:
        all_of = await self._open_all([STEADY] * count)
        reading = [asyncio.create_task(each.read()) for each in all_of]
        await self.clock.sleep(2 * _CALM)
        calls, cpu = (await self._state()).calls, self.child.burden().cpu_seconds
        await self.clock.sleep(self.plan.seconds)
        self.calls = (await self._state()).calls - calls
        self.cpu = self.child.burden().cpu_seconds - cpu
        await self._leave(all_of, reading)
        self._count(all_of)
        return all_of

    def _count(self, all_of: list[Follower]) -> None:
        self.lines += sum(each.lines for each in all_of)
        self.lost += sum(each.lost for each in all_of)
        self.doubled += sum(each.doubled for each in all_of)

    async def _slow_readers(self, count: int) -> float:
        before = await self._calm()
        all_of = await self._open_all([WHOLE] * count)
        for _ in range(2):
            await asyncio.gather(*(each.reader.read(_SLOW) for each in all_of))
            await self.clock.sleep(1.0)
        held = (await self._state()).rss_mib - before.rss_mib
        await self._leave(all_of, [])
        return held

    async def _vanish(self, count: int) -> None:
        """Clients that are cut off in the middle of an answer, as a laptop is that is shut."""
        for gone in await self._open_all([WHOLE if number % 2 else STEADY for number in range(count)]):
            gone.writer.transport.abort()

    async def _die(self, container: str, count: int) -> int:
        """How many of the followers saw their answer end."""
        all_of = await self._open_all(
            [f"/containerLogs/shop/web/{container}?follow=true&tailLines=10"] * count
        )
        reading = [asyncio.create_task(each.read()) for each in all_of]
        await self._told(f"POST /{container}")
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

    async def _open_all(self, paths: list[str]) -> list[Follower]:
        opened: list[Follower] = []
        for at in range(0, len(paths), _AT_ONCE):
            opened += await asyncio.gather(*(self._open(path) for path in paths[at : at + _AT_ONCE]))
        return opened

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


def grown(rss: list[float]) -> float:
    """From the first half to the second, by their medians, in MiB."""
    half = len(rss) // 2
    return round(median(rss[-half:]) - median(rss[:half]), 1)


async def _chunk(reader: asyncio.StreamReader) -> bytes:
    """The next chunk of a chunked body; empty at its end (RFC 9112, 7.1)."""
    size = int((await reader.readline()).strip() or b"0", 16)
    piece = await reader.readexactly(size)
    await reader.readline()
    return piece


async def bench(folder: Path, plan: Plan) -> Result:
    """Start the process, measure, and end it."""
    clock = SystemClock()
    begun = clock.steady()
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
        return await Bench(child=child, folder=folder, clock=clock, tls=tls, plan=plan, begun=begun).run()
    finally:
        await child.stop(clock=clock)


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(prog="scripts/bench logs", description=__doc__)
    parser.add_argument("--followers", type=int, default=200, help="of one stream (default 200)")
    parser.add_argument("--slow", type=int, default=20, help="slow readers of a huge log (default 20)")
    parser.add_argument(
        "--vanishing", type=int, default=50, help="clients that vanish in each round (default 50)"
    )
    parser.add_argument("--seconds", type=float, default=2.0, help="of following in each round (default 2)")
    parser.add_argument("--rounds", type=int, default=4, help="of all of it (default 4, at least 4)")
    given = parser.parse_args()
    if given.rounds < WARM + 2:
        parser.error(f"memory is compared from round {WARM + 1} on: there must be at least {WARM + 2}")
    plan = Plan(
        followers=given.followers,
        slow=given.slow,
        vanishing=given.vanishing,
        seconds=given.seconds,
        rounds=given.rounds,
    )
    with tempfile.TemporaryDirectory(prefix="spillway-bench-") as folder:
        result = asyncio.run(bench(Path(folder), plan))
    print(msgspec.json.encode(result).decode())


if __name__ == "__main__":
    main()
