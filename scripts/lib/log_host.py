"""A node's HTTPS API over made-up logs, in a process of its own: `python -m scripts.lib.log_host FOLDER`.

FOLDER holds `host.crt`, `host.key` and `clients.crt`; `ports` is written there once it listens. Every line is
made when it is asked for: container `huge` has printed a great many; all others print 50 lines a second,
until `POST /NAME` on the second port. `GET /state` there tells what the process holds.
"""

import asyncio
import gc
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
from prometheus_client import CollectorRegistry

from app.kubelet.access.access import Access, AccessConfig
from app.kubelet.forwarding.port_forward import PortForward
from app.kubelet.logs.container_logs import ContainerLogs, LogConfig
from app.kubelet.metrics import KubeletMetrics
from app.kubelet.resources import Resources
from app.kubelet.server import KubeletConfig, KubeletServer
from app.kubelet.sessions.attach import Attach
from app.kubelet.sessions.exec import Exec
from app.kubelet.sessions.limits import SessionConfig
from app.local.loopback import LOOPBACK
from app.model.log import WHOLE_STREAM, LogLine, LogPage, LogSource, LogStream, LogWindow
from app.model.usage import NodeUsage
from app.ports.access import Answered, Caller, NodeAccess
from app.ports.clock import Clock
from app.ports.containers import Running
from app.ports.failures import NotFound, Refused
from app.ports.sessions import Session
from app.tls.keeping import FileAuthorities
from app.tls.serving_context import ServingContext, pair_of
from app.wiring.clock import SystemClock

RATE: Final = 50.0
"""Lines a second."""

HUGE: Final = 2_000_000
"""Lines of 120 bytes: more than any process here may hold."""

LINE: Final = 120
_ROUND_TRIP: Final = 0.03
"""Seconds that CloudWatch takes for a page."""


class MadeUpLogs:
    """CloudWatch's pages, and the node's directory of logs; a token is the next line's number."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = clock.now()
        self._ended: dict[str, datetime] = {}
        self.calls = 0

    def end(self, container: str) -> None:
        """The container prints no more."""
        self._ended[container] = self._clock.now()

    async def page(
        self,
        stream: LogStream,
        *,
        token: str | None = None,
        from_head: bool = True,
        limit: int = 10_000,
        window: LogWindow = WHOLE_STREAM,  # noqa: ARG002  (each stream has one run)
    ) -> LogPage:
        """One GetLogEvents call."""
        self.calls += 1
        await self._clock.sleep(_ROUND_TRIP)
        printed = self._printed(stream.name)
        at = int(token) if token is not None else (0 if from_head else printed)
        first, last = (at, min(printed, at + limit)) if from_head else (max(0, at - limit), at)
        lines = tuple(self._line(stream.name, number) for number in range(first, last))
        return LogPage(lines=lines, forward=str(last), backward=str(first))

    def find(
        self,
        namespace: str,  # noqa: ARG002  (pods are all alike)
        pod: str,  # noqa: ARG002
        container: str,
        *,
        previous: bool = False,
    ) -> LogSource | None:
        """Every pod has every container, and none was restarted."""
        if previous:
            return None
        finished = container == "huge" or container in self._ended
        return LogSource(stream=LogStream(group="/spillway/pods", name=container), finished=finished)

    def waiting(self, namespace: str, pod: str, container: str) -> str:
        """None of them waits."""
        raise NotImplementedError(f"{namespace}/{pod}/{container} prints: nobody asks why it waits")

    def _printed(self, stream: str) -> int:
        if stream == "huge":
            return HUGE
        until = self._ended.get(stream, self._clock.now())
        return int((until - self._began).total_seconds() * _rate(stream))

    def _line(self, stream: str, number: int) -> LogLine:
        rate = _rate(stream) or 1e9
        return LogLine(self._began + timedelta(seconds=number / rate), f"{number} ".ljust(LINE - 1, "x"))


class Everybody:
    """Lets in whoever shows a certificate (`app.ports.access.Reviews`)."""

    async def caller(self, token: str) -> Caller | None:
        """Tokens are nobody's here."""
        return Caller(name="") if not token else None

    async def answer(self, caller: Caller, access: NodeAccess) -> Answered:
        """Yes."""
        return Answered(allowed=True, reason=f"{caller.name} may {access.verb}")


class NobodyInside:
    """Containers that nobody can enter, and that use nothing: what is measured here are their logs."""

    def running(self, namespace: str, pod: str, container: str) -> Running:
        """Nothing can be entered."""
        raise NotFound(f"{namespace}/{pod}/{container} only prints")

    def over(self, namespace: str, pod: str, where: Running) -> str:
        """Nothing was begun that could be."""
        return f"{namespace}/{pod}/{where.container} only prints"

    def address(self, namespace: str, pod: str) -> str:
        """None has one."""
        raise NotFound(f"{namespace}/{pod} only prints")

    def moved(self, namespace: str, pod: str, address: str) -> str:
        """It was never there."""
        return f"{namespace}/{pod} is not at {address}"

    def pods(self) -> tuple[()]:
        """None, for a PodList."""
        return ()

    def node(self) -> NodeUsage:
        """Of nobody."""
        began = datetime.fromtimestamp(0, UTC)
        return NodeUsage(name="bench", started=began, at=began)

    async def open(self, where: Running, command: str) -> Session:
        """No session either."""
        raise Refused(f"{where.container} only prints, and does not run {command}")


def _rate(stream: str) -> float:
    return 0.0 if stream == "huge" else RATE


def _resources(made_up: MadeUpLogs, *, clock: Clock) -> Resources:
    nobody = NobodyInside()
    logs = ContainerLogs(made_up, made_up, clock=clock, config=LogConfig())
    return Resources(
        logs=logs,
        exec=Exec(nobody, nobody, clock=clock, config=SessionConfig()),
        attach=Attach(logs, nobody, clock=clock),
        forward=PortForward(nobody, clock=clock),
        pods=nobody.pods,
        usage=nobody,
    )


async def serve(folder: Path) -> None:
    """Listen on both ports until terminated."""
    clock = SystemClock()
    made_up = MadeUpLogs(clock)
    tls = ServingContext()
    tls.present(pair_of(folder / "host.crt", folder / "host.key"))
    tls.trust(await FileAuthorities(folder / "clients.crt").pem())
    metrics = KubeletMetrics(CollectorRegistry())
    access = Access(
        Everybody(), node="bench", clock=clock, config=AccessConfig(), metrics=metrics, pepper=b"bench"
    )
    server = KubeletServer(
        _resources(made_up, clock=clock),
        access=access,
        clock=clock,
        config=KubeletConfig(host=LOOPBACK, port=0),
        metrics=metrics,
        tls=tls.listening,
    )
    await server.start()
    told = await asyncio.start_server(lambda r, w: _tell(r, w, made_up), LOOPBACK, 0)
    ports = f"{server.port} {told.sockets[0].getsockname()[1]}"
    (folder / "ports.new").write_text(ports)
    (folder / "ports.new").rename(folder / "ports")
    await server.serve()


async def _tell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, made_up: MadeUpLogs) -> None:
    request = (await reader.readline()).decode()
    verb, _, path = request.strip().partition(" /")
    if verb == "POST":
        made_up.end(path)
    writer.write(msgspec.json.encode(_state(made_up)))
    await writer.drain()
    writer.close()


def _state(made_up: MadeUpLogs) -> dict[str, float]:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "tasks": len(asyncio.all_tasks()) - 1,
        "files": len(list(Path("/proc/self/fd").iterdir())),
        "rss_mib": pages * os.sysconf("SC_PAGE_SIZE") / 2**20,
        "calls": made_up.calls,
    }


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
