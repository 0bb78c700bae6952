"""Two clusters with one face: the embedded one, and a real control plane where its binaries are found."""

import asyncio
import contextlib
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from app.local.cluster.cluster import ClusterConfig, EmbeddedCluster
from app.local.cluster.controllers.manager import ControllerManager
from app.local.cluster.scheduling.config import ExtenderConfig, SchedulerConfig
from app.local.cluster.scheduling.scheduler import Scheduler
from app.local.controlplane import (
    ControlPlane,
    ControlPlaneAssets,
    ControlPlaneError,
    find_assets,
    missing_assets,
)
from app.local.liveness import require_running
from app.local.scheduler_configuration import scheduler_configuration
from app.model.names import MARKER
from app.model.wire import Json
from app.ports.clock import Clock
from app.tls.authority import Authority

EMBEDDED = "embedded"


def chosen_cluster(
    environ: Mapping[str, str], *, embedded: bool, directory: Path, clock: Clock, authority: Authority
) -> "LocalCluster":
    """The real control plane where its programs are found, the embedded cluster elsewhere or where asked for.

    Raises:
        ControlPlaneError: `KUBEBUILDER_ASSETS` names a folder that lacks a program; that is no fallback.
    """
    missing = missing_assets(environ)
    if missing and environ.get("KUBEBUILDER_ASSETS") and not embedded:
        lacking = ", no ".join(missing)
        raise ControlPlaneError(f"KUBEBUILDER_ASSETS is set, but there is no {lacking}; mend or unset it")
    assets = None if embedded else find_assets(environ)
    if assets is None:
        return Embedded(clock=clock, authority=authority)
    return Real(assets, directory=directory, clock=clock, authority=authority)


class LocalCluster(Protocol):
    """A Kubernetes control plane on loopback, without nodes."""

    @property
    def kubernetes(self) -> str:
        """`embedded`, or the real API server's version."""
        ...

    async def start(self) -> None:
        """Start everything but the scheduler."""
        ...

    def kubeconfig(self) -> dict[str, Json]:
        """A cluster admin's kubeconfig."""
        ...

    async def start_scheduler(
        self, extender_url: str, *, prioritize: bool = False, marked_only: bool = True
    ) -> None:
        """Start the scheduler, with the extender in its configuration; without a URL a plain one."""
        ...

    def check(self) -> None:
        """Raise ControlPlaneError where a part that was started has ended by itself."""
        ...

    async def stop(self) -> None:
        """End all of it."""
        ...


class Embedded:
    """Our own API server, controllers and scheduler, in this process."""

    kubernetes = EMBEDDED

    def __init__(self, *, clock: Clock, authority: Authority) -> None:
        self._clock = clock
        self._authority = authority
        self._cluster = EmbeddedCluster(
            ClusterConfig(), clock=clock, ids=lambda: str(uuid.uuid4()), authority=authority
        )
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start the API server and the controllers."""
        await self._cluster.start()
        controllers = ControllerManager(self._cluster.api, clock=self._clock)
        self._tasks.append(asyncio.create_task(controllers.run(), name="the embedded controllers"))

    def kubeconfig(self) -> dict[str, Json]:
        """A cluster admin's kubeconfig."""
        return self._cluster.kubeconfig()

    async def start_scheduler(
        self, extender_url: str, *, prioritize: bool = False, marked_only: bool = True
    ) -> None:
        """Start the scheduler, with the extender in its configuration; without a URL a plain one."""
        extender = ExtenderConfig(
            url_prefix=extender_url,
            prioritize_verb="prioritize" if prioritize else "",
            managed_resources=frozenset({MARKER} if marked_only else ()),
            ca_pem=self._authority.cert_pem,
        )
        config = SchedulerConfig(extender=extender if extender_url else None)
        scheduler = Scheduler(self._cluster.api, config=config, clock=self._clock)
        self._tasks.append(asyncio.create_task(scheduler.run(), name="the embedded scheduler"))

    def check(self) -> None:
        """Raise ControlPlaneError where a part that was started has ended by itself."""
        self._cluster.check()
        for task in self._tasks:
            require_running(task)

    async def stop(self) -> None:
        """End all of it."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        await self._cluster.stop()


class Real:
    """etcd, kube-apiserver, kube-controller-manager and kube-scheduler as processes."""

    def __init__(
        self, assets: ControlPlaneAssets, *, directory: Path, clock: Clock, authority: Authority
    ) -> None:
        self._authority = authority
        self._plane = ControlPlane(assets, directory=directory, clock=clock, authority=authority)

    @property
    def kubernetes(self) -> str:
        """The real API server's version."""
        return self._plane.version

    async def start(self) -> None:
        """Start everything but the scheduler; what was started is ended where the rest does not come up."""
        async with contextlib.AsyncExitStack() as undo:
            undo.push_async_callback(self._plane.stop)
            await self._plane.start()
            undo.pop_all()

    def kubeconfig(self) -> dict[str, Json]:
        """A cluster admin's kubeconfig."""
        return self._plane.kubeconfig()

    async def start_scheduler(
        self, extender_url: str, *, prioritize: bool = False, marked_only: bool = True
    ) -> None:
        """Start the scheduler, with the extender in its configuration; without a URL a plain one."""
        await self._plane.start_scheduler(
            scheduler_configuration(
                kubeconfig_path=str(self._plane.kubeconfig_path),
                extender_url=extender_url,
                ca_data=self._authority.cert_pem,
                prioritize=prioritize,
                marked_only=marked_only,
            )
        )

    def check(self) -> None:
        """Raise ControlPlaneError where a part that was started has ended by itself."""
        self._plane.check()

    async def stop(self) -> None:
        """End all of it."""
        await self._plane.stop()
