"""The local stack as a whole: cluster, Fargate, fake nodes and programs; up in order, and down again."""

import contextlib
import functools
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import msgspec

from app.kube.connection import Connection, connect
from app.local.fargate.embedded import EmbeddedFargate
from app.local.kubeconfig import server_port
from app.local.leaves import kubelet_client_leaf, write_private
from app.local.processes import Child
from app.model.actuator import SCHEDULER
from app.ports.clock import Clock
from app.tls.authority import Authority, Leaf
from app.wiring import kubernetes
from app.wiring.local import programs
from app.wiring.local.admission import register_webhook
from app.wiring.local.clusters import EMBEDDED, chosen_cluster
from app.wiring.local.fake_nodes import FakeNodes
from app.wiring.local.fargate import LocalFargate, running_fargate
from app.wiring.local.options import LocalOptions, LocalStackError
from app.wiring.local.places import Places, chosen_places
from app.wiring.local.processes import Processes
from app.wiring.local.programs import NAMESPACE, NODE
from app.wiring.local.readiness import Patience, is_led, node_is_ready
from app.wiring.local.revival import Revival

Part = TypeVar("Part")


class LocalStack:
    """Use it as `async with`: inside, everything is ready; after it, nothing of it runs."""

    def __init__(
        self, options: LocalOptions, *, clock: Clock, progress: Callable[[str], None] = lambda _: None
    ) -> None:
        self.options = options
        self._clock = clock
        self._progress = progress
        self._undo = contextlib.AsyncExitStack()
        self._authority = Authority.create("spillway-local", now=clock.now())
        self._cluster = chosen_cluster(
            os.environ,
            embedded=options.embedded,
            directory=options.directory / "controlplane",
            clock=clock,
            authority=self._authority,
        )
        self._nodes = FakeNodes(options.nodes, clock=clock)
        self._patience = Patience(self._check, logs=options.directory, clock=clock)
        self._fargate: LocalFargate | None = None
        self._places: Places | None = None
        self._processes: Processes | None = None
        self._connection: Connection | None = None

    @property
    def kubernetes(self) -> str:
        """`embedded`, or the real API server's version."""
        return self._cluster.kubernetes

    @property
    def fargate(self) -> EmbeddedFargate:
        """The embedded Fargate."""
        return _started(self._fargate).embedded

    @property
    def has_helper(self) -> bool:
        """Whether pods can have the in-task helper here."""
        return _started(self._fargate).has_helper

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig file of a cluster admin; it is written once all is ready."""
        return self.options.directory / "kubeconfig"

    @property
    def _own_kubeconfig(self) -> Path:
        """The same for the programs, from the start."""
        return self.options.directory / "programs.kubeconfig"

    @property
    def connection(self) -> Connection:
        """A cluster admin's connection."""
        return _started(self._connection)

    @property
    def programs(self) -> dict[str, Child]:
        """The programs that are expected to run, by name."""
        return _started(self._processes).running

    @property
    def places(self) -> Places:
        """Where the parts listen."""
        return _started(self._places)

    async def __aenter__(self) -> Self:
        """Start all of it.

        Raises:
            LocalStackError: a part did not come up.
            ControlPlaneError: the real control plane did not.
        """
        async with contextlib.AsyncExitStack() as undo:
            self._undo = undo
            await self._start()
            self._undo = undo.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._undo.aclose()

    def kubelet_client(self) -> Leaf:
        """A certificate like the one that the API server shows to kubelets."""
        return kubelet_client_leaf(self._authority, now=self._clock.now())

    async def watch_over(self) -> None:
        """Run until a part ends by itself. One of the three programs may do so twice within a minute.

        Raises:
            LocalStackError: always, then; the message shows the end of its log.
        """
        revival = Revival(self.start_program, clock=self._clock, progress=self._progress)
        while True:
            await revival.look(self.programs)
            self._check()
            await self._clock.sleep(0.5)

    async def start_program(self, name: str) -> None:
        """Start one of the three programs (again), with the same flags as before."""
        await _started(self._processes).start(name)

    async def kill_program(self, name: str) -> None:
        """SIGKILL, as a crash would; `watch_over` no longer expects it."""
        await self.programs.pop(name).kill()

    async def until_ready(self, name: str) -> None:
        """Wait until one of the three programs answers; raises as `until` does."""
        await _started(self._processes).until_ready(name, self._patience)

    async def until(self, what: str, holds: Callable[[], Awaitable[bool]]) -> None:
        """Wait until it holds.

        Raises:
            LocalStackError: a program ended, or a minute passed.
        """
        await self._patience.until(what, holds)

    async def start_scheduler(self, extender_url: str = "") -> None:
        """Start the cluster's scheduler; without a URL one that asks nobody."""
        early, marked = self.options.early_burst, "webhook" in self.programs
        await self._cluster.start_scheduler(extender_url, prioritize=early, marked_only=marked)

    async def _start(self) -> None:
        self.options.directory.mkdir(parents=True, exist_ok=True)
        await self._start_cluster()
        self._fargate = await self._undo.enter_async_context(
            running_fargate(self.options, clock=self._clock, progress=self._progress)
        )
        self._places = chosen_places(
            self.options,
            kubeconfig=self._own_kubeconfig,
            api_port=server_port(self._cluster.kubeconfig()),
            fargate_url=self._fargate.url,
            has_helper=self._fargate.has_helper,
        )
        await self._connect()
        await self._start_programs()
        await self._register(self._places)
        await self._until_all_is_ready()
        self._write_kubeconfig(self.kubeconfig)

    async def _start_cluster(self) -> None:
        self._undo.push_async_callback(self._cluster.stop)
        self._progress("starting Kubernetes")
        await self._cluster.start()
        self._progress(f"Kubernetes is {self.kubernetes}")
        self._write_kubeconfig(self._own_kubeconfig)

    def _write_kubeconfig(self, path: Path) -> None:
        write_private(path, msgspec.json.encode(self._cluster.kubeconfig()))

    async def _connect(self) -> None:
        self._connection = await connect(
            kubeconfig=str(self._own_kubeconfig), clock=self._clock, agent="spillway (local)"
        )
        self._undo.push_async_callback(self._connection.close)
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        await self._connection.request("POST", "/api/v1/namespaces", body=body)

    async def _start_programs(self) -> None:
        """Programs and fake nodes come up side by side."""
        programs.write_certificates(self._authority, self.options.directory, now=self._clock.now())
        self._processes = Processes(
            self.places,
            log_level=self.options.log_level,
            ca_pem=self._authority.cert_pem,
            clock=self._clock,
        )
        self._undo.push_async_callback(self._processes.stop)
        for name in self.options.programs:
            await self.start_program(name)
        self._undo.push_async_callback(self._nodes.stop)
        self._nodes.start(self.connection)
        self._tell_of_variables(self.places)
        self._progress(f"starting {', '.join(self.options.programs) or 'no program'}")
        for name in self.options.programs:
            await self.until_ready(name)

    def _tell_of_variables(self, places: Places) -> None:
        passed, kept = programs.passed_on(places)
        if passed:
            self._progress(f"passed on to the programs: {', '.join(sorted(passed))}")
        if kept:
            self._progress(f"not passed on, since the stack sets it itself: {', '.join(kept)}")

    async def _register(self, places: Places) -> None:
        """Have the API server ask the webhook, and a scheduler the extender."""
        if "webhook" in self.options.programs:
            await register_webhook(
                self.connection,
                places,
                ca_pem=self._authority.cert_pem,
                conditions=self.kubernetes != EMBEDDED,
            )
        if "extender" in self.options.programs:
            asks = self.options.actuator == SCHEDULER
            await self.start_scheduler(places.extender_url if asks else "")

    async def _until_all_is_ready(self) -> None:
        """Wait until a leader decides, and all nodes are there."""
        parts = kubernetes.parts(self.connection, clock=self._clock, component="local")
        if "extender" in self.options.programs:
            await self.until("an extender to lead", functools.partial(is_led, parts, namespace=NAMESPACE))
        names = [node.name for node in self.options.nodes]
        for name in [*names, NODE] if "bridge" in self.options.programs else names:
            await self.until(f"node {name} to be ready", functools.partial(node_is_ready, parts, name))

    def _check(self) -> None:
        self._cluster.check()
        if self._processes is not None:
            self._processes.check()
        self._nodes.check()


def _started(part: Part | None) -> Part:
    if part is None:
        raise LocalStackError("the local stack is not started; use it as `async with`")
    return part
