"""The local stack: cluster, fake nodes, embedded Fargate, the three programs; up in order and down again."""

import asyncio
import contextlib
import functools
import os
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

import msgspec

from app.kube.connection import Connection, connect
from app.local.fargate.config import FargateConfig
from app.local.fargate.embedded import EmbeddedFargate
from app.local.http_client import HttpClient, loopback_tls
from app.local.kubeconfig import server_port
from app.local.leaves import kubelet_client_leaf, write_private
from app.local.loopback import LOOPBACK, free_ports
from app.local.processes import Child
from app.model.actuator import SCHEDULER
from app.ports.clock import Clock
from app.tls.authority import Authority, Leaf
from app.wiring import kubernetes
from app.wiring.local import fake_nodes, helper, programs
from app.wiring.local.addresses import with_own_addresses
from app.wiring.local.admission import register_webhook
from app.wiring.local.clusters import EMBEDDED, chosen_cluster
from app.wiring.local.options import LocalOptions, LocalStackError
from app.wiring.local.programs import NAMESPACE, NODE, Places
from app.wiring.local.readiness import is_led, is_ready, node_is_ready
from app.wiring.local.revival import Revival

Part = TypeVar("Part")

_READY_WITHIN: Final = 60.0
_LOOK: Final = 0.05


class LocalStack:
    """Use it as `async with`: inside, everything is ready; after it, nothing of it runs."""

    def __init__(
        self, options: LocalOptions, *, clock: Clock, progress: Callable[[str], None] = lambda _: None
    ) -> None:
        self.options = options
        self._fargate: EmbeddedFargate | None = None
        self._helper = False
        self.programs: dict[str, Child] = {}
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
        self._tasks: list[asyncio.Task[None]] = []
        self._places: Places | None = None
        self._connection: Connection | None = None

    @property
    def kubernetes(self) -> str:
        """`embedded`, or the real API server's version."""
        return self._cluster.kubernetes

    @property
    def fargate(self) -> EmbeddedFargate:
        """The embedded Fargate."""
        return _started(self._fargate)

    @property
    def has_helper(self) -> bool:
        """Whether pods can have the in-task helper here."""
        return self._helper

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
        places = self.places
        argv = programs.commands(places, log_level=self.options.log_level)[name]
        child = await Child.start(
            name, argv, directory=self.options.directory, environment=programs.environment(places)
        )
        self.programs[name] = child

    async def kill_program(self, name: str) -> None:
        """SIGKILL, as a crash would; `watch_over` no longer expects it."""
        await self.programs.pop(name).kill()

    async def _start(self) -> None:
        self.options.directory.mkdir(parents=True, exist_ok=True)
        self._undo.push_async_callback(self._cluster.stop)
        self._progress("starting Kubernetes")
        await self._cluster.start()
        self._progress(f"Kubernetes is {self.kubernetes}")
        self._write_kubeconfig(self._own_kubeconfig)
        self._places = self._choose_places(await self._start_fargate())
        await self._connect()
        programs.write_certificates(self._authority, self.options.directory, now=self._clock.now())
        self._undo.push_async_callback(self._stop_programs)
        for name in self.options.programs:
            await self.start_program(name)
        if self.options.nodes:
            self._tasks = fake_nodes.started(self.options.nodes, self.connection, clock=self._clock)
            self._undo.push_async_callback(self._stop_tasks)
        self._tell_of_variables(self._places)
        self._progress(f"starting {', '.join(self.options.programs) or 'no program'}")
        for name in self.programs:
            await self.until_ready(name)
        if "webhook" in self.programs:
            await register_webhook(
                self.connection,
                self._places,
                ca_pem=self._authority.cert_pem,
                conditions=self.kubernetes != EMBEDDED,
            )
        if "extender" in self.programs:
            asks = self.options.actuator == SCHEDULER
            await self.start_scheduler(self._places.extender_url if asks else "")
        await self._ready()

    async def start_scheduler(self, extender_url: str = "") -> None:
        """Start the cluster's scheduler; without a URL one that asks nobody."""
        early, marked = self.options.early_burst, "webhook" in self.programs
        await self._cluster.start_scheduler(extender_url, prioritize=early, marked_only=marked)

    def _tell_of_variables(self, places: Places) -> None:
        passed, kept = programs.passed_on(places)
        if passed:
            self._progress(f"passed on to the programs: {', '.join(sorted(passed))}")
        if kept:
            self._progress(f"not passed on, since the stack sets it itself: {', '.join(kept)}")

    async def _start_fargate(self) -> str:
        config = self._undo.enter_context(with_own_addresses(self.options.fargate))
        if self.options.helper:
            config = await self._with_helper(config)
        self._fargate = EmbeddedFargate(config, clock=self._clock, ids=lambda: uuid.uuid4().hex)
        self._undo.push_async_callback(self._fargate.stop)
        return await self._fargate.start()

    async def _with_helper(self, config: FargateConfig) -> FargateConfig:
        try:
            binary = await helper.built(self.options.directory)
        except helper.NoHelper as why:
            self._progress(f"the in-task helper is left out: {why}")
            return config
        self._helper = True
        return helper.knowing(config, binary)

    def _write_kubeconfig(self, path: Path) -> None:
        write_private(path, msgspec.json.encode(self._cluster.kubeconfig()))

    async def _connect(self) -> None:
        self._connection = await connect(
            kubeconfig=str(self._own_kubeconfig), clock=self._clock, agent="spillway (local)"
        )
        self._undo.push_async_callback(self._connection.close)
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        await self._connection.request("POST", "/api/v1/namespaces", body=body)

    def _choose_places(self, fargate_url: str) -> Places:
        webhook, extender, kubelet, probe = free_ports(4)
        return Places(
            directory=self.options.directory,
            kubeconfig=self._own_kubeconfig,
            fargate=self.options.fargate,
            fargate_url=fargate_url,
            webhook_port=webhook,
            extender_port=extender,
            kubelet_port=kubelet,
            probe_port=probe,
            zone=self.options.nodes[0].zone if self.options.nodes else "us-east-1a",
            api_port=server_port(self._cluster.kubeconfig()),
            node_lease_seconds=self.options.node_lease_seconds,
            helper_image=helper.IMAGE if self._helper else "",
            actuator=self.options.actuator,
            flags=self.options.program_flags,
            variables=self.options.variables,
        )

    async def _stop_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _stop_programs(self) -> None:
        await asyncio.gather(*(child.stop(clock=self._clock) for child in self.programs.values()))

    async def until_ready(self, name: str) -> None:
        """Wait until one of the three programs answers; raises as `until` does."""
        urls = {
            "webhook": self.places.webhook_url,
            "extender": self.places.extender_url,
            "bridge": f"http://{LOOPBACK}:{self.places.probe_port}",
        }
        client = HttpClient(urls[name], tls=loopback_tls(self._authority.cert_pem), timeout=2.0)
        try:
            await self.until(f"{name} to be ready", functools.partial(is_ready, client))
        finally:
            await client.close()

    async def _ready(self) -> None:
        """Wait until a leader decides, and all nodes are there; the user gets a kubeconfig then."""
        parts = kubernetes.parts(self.connection, clock=self._clock, component="local")
        if "extender" in self.programs:
            await self.until("an extender to lead", functools.partial(is_led, parts, namespace=NAMESPACE))
        names = [node.name for node in self.options.nodes]
        for name in [*names, NODE] if "bridge" in self.programs else names:
            await self.until(f"node {name} to be ready", functools.partial(node_is_ready, parts, name))
        self._write_kubeconfig(self.kubeconfig)

    async def until(self, what: str, holds: Callable[[], Awaitable[bool]]) -> None:
        """Wait until it holds.

        Raises:
            LocalStackError: a program ended, or a minute passed.
        """
        deadline = self._clock.steady() + _READY_WITHIN
        while not await holds():
            self._check()
            if self._clock.steady() > deadline:
                raise LocalStackError(
                    f"waited {_READY_WITHIN:.0f} s for {what}; see the logs in {self.options.directory}"
                )
            await self._clock.sleep(_LOOK)

    def _check(self) -> None:
        self._cluster.check()
        for child in self.programs.values():
            if child.exit_code is not None:
                raise LocalStackError(child.obituary())
        for task in self._tasks:
            if task.done():
                raise LocalStackError(f"the fake nodes stopped: {task.exception()!r}")


def _started(part: Part | None) -> Part:
    if part is None:
        raise LocalStackError("the local stack is not started; use it as `async with`")
    return part
