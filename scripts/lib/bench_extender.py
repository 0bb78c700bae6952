"""How fast the extender answers kube-scheduler in a large cluster, and what it takes to know that cluster.

`spillway extender` runs as a process of its own against a tiny API server (`scripts.lib.large_api`). It is
asked as kube-scheduler asks, one request after the other over one kept connection, while watch events flow
and a few hundred opted-in pods wait, so that its leader decides and writes all the while.
"""

import argparse
import asyncio
import http.client
import itertools
import os
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from app.local.http_client import HttpClient, HttpError
from app.local.loopback import LOOPBACK, free_ports
from app.local.processes import Child
from app.model.names import GRANTS
from app.ports.clock import Clock
from app.wiring.clock import SystemClock
from scripts.lib import large_objects as objects
from scripts.lib import large_pods
from scripts.lib.large_api import VIRTUAL

ROOT: Final = Path(__file__).resolve().parents[2]
WITHIN: Final = 120.0
"""Seconds in which the extender must know the cluster."""

FEWEST, MOST = 100, 500
"""Names in one question: kube-scheduler samples at least 100 feasible nodes, and 500 of 5,000."""

_THINK: Final = 0.002
"""Seconds that kube-scheduler itself takes for a pod."""

_BURSTING: Final = 10
"""Every tenth question is of a pending pod, about the virtual nodes alone."""

_LOOK: Final = 0.2
_QUIET: Final = 2.0
"""Seconds without a tick of CPU time after which the program has nothing left to do."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What the benchmark prints.

    Attributes:
        filter_p99_ms, prioritize_p99_ms: of all requests, as the client measures them.
        rss_mib: the program's largest resident size, the initial listing included. It is the sum over its
            processes, as is all CPU time here.
        decode_cpu_s: its CPU time from its start until its leader wrote the first grants.
        cpu_share: what it took of a core while it was asked.
        event_us: its CPU time for one watch event of a bound pod, from the socket to the snapshot: that of
            `events` in a burst, less what it takes when idle, divided.
    """

    pods: int
    nodes: int
    filter_p50_ms: float
    filter_p99_ms: float
    filter_max_ms: float
    prioritize_p99_ms: float
    prioritize_max_ms: float
    requests: int
    rss_mib: float
    decode_cpu_s: float
    cpu_share: float
    event_us: float
    events: int
    events_per_second: float


@dataclass(kw_only=True)
class Scheduler:
    """Asks as kube-scheduler does, and measures."""

    port: int
    nodes: int
    pending: int
    clock: Clock
    chance: random.Random = field(default_factory=lambda: random.Random(5))  # noqa: S311  (the same each time)
    filters: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)

    def ask(self, seconds: float) -> None:
        """Filter, then prioritize, pod after pod. Blocks: nothing else is to run beside the measurement."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port)
        end = self.clock.steady() + seconds
        for number in itertools.count():
            if self.clock.steady() > end:
                break
            body = self._question(number)
            self.filters.append(self._timed(connection, "/filter", body))
            self.scores.append(self._timed(connection, "/prioritize", body))
            time.sleep(_THINK)
        connection.close()

    def _question(self, number: int) -> bytes:
        if number % _BURSTING == 0:
            names: Sequence[str] = VIRTUAL
            pod = large_pods.pending_pod(self.chance.randrange(self.pending), version=1)
        else:
            count = min(self.chance.randint(FEWEST, MOST), self.nodes)
            names = [objects.node_name(each) for each in self.chance.sample(range(self.nodes), count)]
            pod = large_pods.pending_pod(10**9 + number, version=1)
        args = {"Pod": msgspec.Raw(pod), "Nodes": None, "NodeNames": names}
        return msgspec.json.encode(args)

    def _timed(self, connection: http.client.HTTPConnection, path: str, body: bytes) -> float:
        begun = self.clock.steady()
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != http.client.OK:
            raise RuntimeError(f"{path} answered {answer.status}")
        return (self.clock.steady() - begun) * 1000


@dataclass(kw_only=True)
class Bench:
    """One run; everything it starts is ended with it."""

    nodes: int
    pods: int
    pending: int
    rate: int
    events: int
    seconds: float
    directory: Path
    clock: Clock

    async def run(self) -> Result:
        """Start both processes, measure, and stop them."""
        api_port, port = free_ports(2)
        numbers = [str(each) for each in (api_port, self.nodes, self.pods, self.pending)]
        api = await self._start("api", ["-m", "scripts.lib.large_api", *numbers])
        client = HttpClient(f"http://{LOOPBACK}:{api_port}", timeout=WITHIN)
        extender: Child | None = None
        try:
            await self._until("the API server", lambda: _answers(client, "/api/v1/namespaces?limit=1"), api)
            extender = await self._start("extender", self._command(api_port, port))
            return await self._measured(extender, client, port=port)
        finally:
            await client.close()
            for child in (extender, api):
                if child is not None:
                    await child.stop(clock=self.clock)

    async def _measured(self, extender: Child, api: HttpClient, *, port: int) -> Result:
        _say(f"waiting until the extender knows {self.pods} pods on {self.nodes} nodes")
        await self._until("the first grants", lambda: _granted(api), extender)
        own = HttpClient(f"http://{LOOPBACK}:{port}")
        await self._until("the extender to be ready", lambda: _answers(own, "/readyz"), extender)
        await own.close()
        decoded = extender.burden().cpu_seconds
        _say(f"it does after {decoded:.1f} s of CPU; {self.rate} events/s flow, asking for {self.seconds} s")
        await api.request("POST", f"/bench/steady?rate={self.rate}")
        scheduler = Scheduler(port=port, nodes=self.nodes, pending=self.pending, clock=self.clock)
        await asyncio.to_thread(scheduler.ask, self.seconds)
        busy = extender.burden().cpu_seconds - decoded
        await api.request("POST", "/bench/steady?rate=0")
        event_us, per_second = await self._burst(extender, api)
        filters, scores = sorted(scheduler.filters), sorted(scheduler.scores)
        return Result(
            pods=self.pods,
            nodes=self.nodes,
            filter_p50_ms=_share(filters, 0.5),
            filter_p99_ms=_share(filters, 0.99),
            filter_max_ms=round(filters[-1], 2),
            prioritize_p99_ms=_share(scores, 0.99),
            prioritize_max_ms=round(scores[-1], 2),
            requests=len(filters) + len(scores),
            rss_mib=round(extender.burden().peak_mib, 1),
            decode_cpu_s=round(decoded, 1),
            cpu_share=round(busy / self.seconds, 2),
            event_us=round(event_us, 1),
            events=self.events,
            events_per_second=round(per_second),
        )

    async def _burst(self, extender: Child, api: HttpClient) -> tuple[float, float]:
        """Microseconds of CPU for one event, and events a second."""
        await self._quiet(extender)
        idle = extender.burden().cpu_seconds
        await self.clock.sleep(5.0)
        idle_share = (extender.burden().cpu_seconds - idle) / 5.0
        _say(f"sending {self.events} events at once")
        before, begun = extender.burden().cpu_seconds, self.clock.steady()
        await api.request("POST", f"/bench/burst?events={self.events}")
        busy_until = await self._quiet(extender)
        spent = extender.burden().cpu_seconds - before - idle_share * (self.clock.steady() - begun)
        return spent * 1e6 / self.events, self.events / (busy_until - begun)

    async def _quiet(self, extender: Child) -> float:
        """Wait until the program has nothing to do; returns when its last work ended (steady)."""
        last, since = extender.burden().cpu_seconds, self.clock.steady()
        while self.clock.steady() - since < _QUIET:
            await self.clock.sleep(_LOOK)
            now = extender.burden().cpu_seconds
            if now - last > _LOOK / 4:
                since = self.clock.steady()
            last = now
        return since

    async def _start(self, name: str, arguments: Sequence[str]) -> Child:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return await Child.start(
            name, [sys.executable, *arguments], directory=self.directory, environment=environment
        )

    def _command(self, api_port: int, port: int) -> list[str]:
        kubeconfig = self.directory / "kubeconfig"
        cluster = {"server": f"http://{LOOPBACK}:{api_port}"}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "bench",
            "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench"}}],
            "clusters": [{"name": "bench", "cluster": cluster}],
            "users": [{"name": "bench", "user": {"token": "bench"}}],
        }
        kubeconfig.write_bytes(msgspec.json.encode(config))
        flags = {"kubeconfig": kubeconfig, "host": LOOPBACK, "port": port, "log-level": "warning"}
        return ["-m", "app", "extender", *(f"--{name}={value}" for name, value in flags.items())]

    async def _until(self, what: str, holds: Callable[[], Awaitable[bool]], child: Child) -> None:
        deadline = self.clock.steady() + WITHIN
        while not await holds():
            if child.exit_code is not None:
                raise SystemExit(child.obituary())
            if self.clock.steady() > deadline:
                log = child.log.read_text(errors="replace")[-2000:]
                raise SystemExit(f"waited {WITHIN:.0f} s for {what}; the end of its log:\n{log}")
            await self.clock.sleep(_LOOK)


async def _answers(client: HttpClient, path: str) -> bool:
    try:
        return (await client.request("GET", path)).status == http.client.OK
    except HttpError:
        return False  # not listening yet


async def _granted(api: HttpClient) -> bool:
    """Whether the leader has written grants: then it has seen all that there is."""
    answer = await api.request("GET", f"/api/v1/nodes/{VIRTUAL[0]}")
    return bool(msgspec.json.decode(answer.body)["metadata"]["annotations"].get(GRANTS))


def _share(ordered: Sequence[float], share: float) -> float:
    return round(ordered[int(len(ordered) * share)], 2)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(prog="scripts/bench extender", description=__doc__)
    parser.add_argument("--nodes", type=int, default=5000, help="real nodes (default 5000)")
    parser.add_argument("--pods", type=int, default=150_000, help="pods on them (default 150000)")
    parser.add_argument("--pending", type=int, default=300, help="opted-in pods without a node (default 300)")
    parser.add_argument("--rate", type=int, default=200, help="watch events a second (default 200)")
    parser.add_argument("--events", type=int, default=20_000, help="events in the burst (default 20000)")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long to ask (default 30)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="spillway-bench-") as directory:
        bench = Bench(
            nodes=given.nodes,
            pods=given.pods,
            pending=given.pending,
            rate=given.rate,
            events=given.events,
            seconds=given.seconds,
            directory=Path(directory),
            clock=SystemClock(),
        )
        result = asyncio.run(bench.run())
    print(msgspec.json.encode(result).decode())


if __name__ == "__main__":
    main()
