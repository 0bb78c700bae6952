"""A real Kubernetes control plane on loopback: etcd, kube-apiserver, controller-manager and scheduler.

The binaries are those of envtest (https://book.kubebuilder.io/reference/envtest) with the controller manager
and the scheduler beside them. Everything binds to 127.0.0.1 on free ports and lives in one directory.
"""

import contextlib
import os
import secrets
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path

import msgspec

from app.local.controlplane_flags import Ports, apiserver, controller_manager, etcd, scheduler
from app.local.http_client import HttpClient, HttpError, loopback_tls
from app.local.kubeconfig import admin_kubeconfig
from app.local.leaves import apiserver_leaf, kubelet_client_leaf, write_leaf, write_private
from app.local.loopback import LOOPBACK
from app.local.processes import Child
from app.model.wire import Json
from app.ports.clock import Clock
from app.tls.authority import Authority, Leaf

_POLL = 0.1
_READY_WITHIN = 60.0
_OK = 200
SERVICE_IP = "10.0.0.1"
"""The address of the Service `kubernetes`: the first of the range in `controlplane_flags.apiserver`."""
_DEFAULT_ACCOUNT = "/api/v1/namespaces/default/serviceaccounts/default"
_DEFAULT_ASSETS = Path("/usr/local/kubebuilder/bin")
_BINARIES = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")


class ControlPlaneError(Exception):
    """The control plane did not come up, or a part of it ended; the message shows why."""


class ControlPlaneAssets(msgspec.Struct, frozen=True, kw_only=True):
    """Where the four programs are."""

    apiserver: Path
    controller_manager: Path
    scheduler: Path
    etcd: Path


def find_assets(environ: Mapping[str, str]) -> ControlPlaneAssets | None:
    """The programs in `$KUBEBUILDER_ASSETS` or envtest's default folder; None unless all are there."""
    if missing_assets(environ):
        return None
    folder = _folder(environ)
    return ControlPlaneAssets(
        apiserver=folder / "kube-apiserver",
        controller_manager=folder / "kube-controller-manager",
        scheduler=folder / "kube-scheduler",
        etcd=_find_etcd(folder, environ) or folder / "etcd",
    )


def missing_assets(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The programs that `find_assets` would need and does not find, each with where it looked."""
    folder = _folder(environ)
    missing = [f"{name} in {folder}" for name in _BINARIES if not _is_program(folder / name)]
    if _find_etcd(folder, environ) is None:
        missing.append(f"etcd in {folder} or on PATH")
    return tuple(missing)


class ControlPlane:
    """One control plane; `start`, then `start_scheduler`, and `stop` whatever happened."""

    def __init__(
        self,
        assets: ControlPlaneAssets,
        *,
        directory: Path,
        clock: Clock,
        authority: Authority,
    ) -> None:
        """Nothing runs yet.

        Args:
            assets: the programs (`find_assets`).
            directory: an empty folder for certificates, data and logs; it stays behind for people to read.
            clock: for waiting and for certificates.
            authority: signs and is trusted for everything: API server, clients and kubelets.
        """
        self.version = ""
        """The API server's version (`v1.36.2`), once started."""
        self._assets = assets
        self._directory = directory
        self._clock = clock
        self._authority = authority
        self._token = secrets.token_hex(16)
        self._children: list[Child] = []
        self._ports = Ports.free()

    @property
    def url(self) -> str:
        """The API server's address."""
        return f"https://{LOOPBACK}:{self._ports.apiserver}"

    @property
    def kubelet_client(self) -> tuple[Path, Path]:
        """Certificate and key that the API server shows to kubelets (system:masters)."""
        return self._path("kubelet-client.crt"), self._path("kubelet-client.key")

    @property
    def kubeconfig_path(self) -> Path:
        """A kubeconfig file of a cluster admin."""
        return self._path("kubeconfig")

    def kubeconfig(self) -> dict[str, Json]:
        """A cluster admin's kubeconfig, with a bearer token and the authority inside."""
        return admin_kubeconfig(self.url, token=self._token, ca_pem=self._authority.cert_pem)

    async def start(self) -> None:
        """Start etcd, the API server and the controller manager; return when pods can be created.

        Raises:
            ControlPlaneError: it is not ready within a minute, or a program ended.
        """
        self._prepare()
        await self._spawn("etcd", etcd(self._assets.etcd, self._ports))
        await self._spawn("kube-apiserver", apiserver(self._assets.apiserver, self._ports))
        await self._spawn(
            "kube-controller-manager", controller_manager(self._assets.controller_manager, self._ports)
        )
        async with self._client(self.url) as client:
            await self._until("/readyz of kube-apiserver", lambda: _answers(client, "/readyz"))
            self.version = await _version(client)
            await self._until("the default service account", lambda: _answers(client, _DEFAULT_ACCOUNT))

    async def start_scheduler(self, config: Mapping[str, Json]) -> None:
        """Start kube-scheduler with this KubeSchedulerConfiguration; return when it schedules.

        Raises:
            ControlPlaneError: it is not ready within a minute, or it ended.
        """
        self._write("scheduler.json", msgspec.json.encode(config))
        await self._spawn("kube-scheduler", scheduler(self._assets.scheduler, self._ports))
        async with self._client(f"https://{LOOPBACK}:{self._ports.scheduler}") as client:
            await self._until("/readyz of kube-scheduler", lambda: _answers(client, "/readyz"))

    def check(self) -> None:
        """Nothing while everything that was started runs.

        Raises:
            ControlPlaneError: one of the programs ended; the message shows the end of its log.
        """
        for child in self._children:
            if child.exit_code is not None:
                raise ControlPlaneError(child.obituary())

    async def stop(self) -> None:
        """End what this object started, the API server after its clients and etcd last."""
        for child in reversed(self._children):
            await child.stop(clock=self._clock)
        self._children.clear()

    def _prepare(self) -> None:
        now = self._clock.now()
        issue = self._authority.issue
        front_proxy = Authority.create("spillway-front-proxy", now=now)
        leaves = {
            "apiserver": apiserver_leaf(self._authority, now=now, ips=(SERVICE_IP,)),
            "component": issue("kube-component", now=now, ips=(LOOPBACK,), server=True),
            "kubelet-client": kubelet_client_leaf(self._authority, now=now),
            "front-proxy-client": front_proxy.issue("front-proxy-client", now=now, client=True),
            "service-account": issue("service-account", now=now),
            "ca": Leaf(self._authority.cert_pem, self._authority.key_pem),
            "front-proxy-ca": Leaf(front_proxy.cert_pem, front_proxy.key_pem),
        }
        self._directory.mkdir(parents=True, exist_ok=True)
        for name, leaf in leaves.items():
            write_leaf(self._directory, name, leaf)
        self._write("tokens.csv", f"{self._token},admin,admin,system:masters\n".encode())
        self._write("kubeconfig", msgspec.json.encode(self.kubeconfig()))

    def _path(self, name: str) -> Path:
        return self._directory / name

    def _write(self, name: str, content: bytes) -> None:
        write_private(self._path(name), content)

    async def _spawn(self, name: str, command: list[str]) -> None:
        try:
            # An API server that is asked to end waits for etcd, which is gone then.
            child = await Child.start(name, command, directory=self._directory, orphaned=signal.SIGKILL)
        except OSError as error:
            raise ControlPlaneError(f"{command[0]} cannot be run: {error}") from error
        self._children.append(child)

    @contextlib.asynccontextmanager
    async def _client(self, origin: str) -> AsyncIterator[HttpClient]:
        client = HttpClient(origin, tls=loopback_tls(self._authority.cert_pem), token=self._token)
        try:
            yield client
        finally:
            await client.close()

    async def _until(self, what: str, holds: Callable[[], Awaitable[bool]]) -> None:
        deadline = self._clock.steady() + _READY_WITHIN
        while not await holds():
            self.check()
            if self._clock.steady() > deadline:
                raise ControlPlaneError(
                    f"waited {_READY_WITHIN:.0f} s for {what}; see the logs in {self._directory}"
                )
            await self._clock.sleep(_POLL)


async def _answers(client: HttpClient, path: str) -> bool:
    try:
        return (await client.request("GET", path)).status == _OK
    except HttpError:
        return False  # not listening yet


async def _version(client: HttpClient) -> str:
    answer = await client.request("GET", "/version")
    return str(msgspec.json.decode(answer.body)["gitVersion"])


def _folder(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("KUBEBUILDER_ASSETS") or _DEFAULT_ASSETS)


def _find_etcd(folder: Path, environ: Mapping[str, str]) -> Path | None:
    if _is_program(folder / "etcd"):
        return folder / "etcd"
    found = shutil.which("etcd", path=environ.get("PATH", os.defpath))
    return Path(found) if found else None


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
