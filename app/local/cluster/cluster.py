"""The embedded cluster as one thing to start and stop: the API, its certificates and its HTTPS server."""

import asyncio
import secrets
import ssl
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from app.local.cluster.apiserver.access import Access
from app.local.cluster.apiserver.api import Api
from app.local.cluster.apiserver.log_proxy import KubeletTls
from app.local.cluster.apiserver.objects import Object
from app.local.cluster.apiserver.rest import Rest
from app.local.cluster.apiserver.server import Face
from app.local.cluster.apiserver.service_tokens import Everybody
from app.local.cluster.apiserver.store import HISTORY
from app.local.cluster.controllers.certificate_signing import CertificateSigning
from app.local.cluster.metrics.answers import Metrics
from app.local.cluster.metrics.scraper import Scraper
from app.local.cluster.streams.upgrades import Upgrades
from app.local.cluster.streams.upgrading import upgrading
from app.local.http_client import loopback_tls
from app.local.kubeconfig import admin_kubeconfig
from app.local.leaves import apiserver_leaf, kubelet_client_leaf, write_leaf
from app.local.liveness import require_running
from app.local.loopback import LOOPBACK
from app.ports.clock import Clock
from app.serving.server import Listen, serve
from app.tls.authority import Authority

NAMESPACES: Final = ("default", "kube-node-lease", "kube-public", "kube-system")
ADMIN: Final[Object] = {
    "username": "kubernetes-admin",
    "uid": "kubernetes-admin",
    "groups": ["system:masters", "system:authenticated"],
}
_PRIORITIES: Final = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}


class ClusterConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How the embedded API server runs.

    `services` says where Services that webhooks name are reached: `namespace/name` → `host:port`.
    `keep` is how many changes of each resource a watch may start behind. `token` is the admin's; an empty one
    means a random one. `users` are others by their tokens, as TokenReviews show them (`username`, `groups`).
    """

    port: int = 0
    services: Mapping[str, str] = msgspec.field(default_factory=dict)
    keep: int = HISTORY
    token: str = ""
    users: Mapping[str, Object] = msgspec.field(default_factory=dict)


class EmbeddedCluster:
    """A Kubernetes API server in this process, over HTTPS on loopback.

    `api` works at once, without `start`; `access` says who may, and takes denials; `kubelet_client` is the
    certificate that the API server shows to kubelets, signed by the authority.
    """

    def __init__(
        self, config: ClusterConfig, *, clock: Clock, ids: Callable[[], str], authority: Authority
    ) -> None:
        self._config = config
        self._clock = clock
        self._authority = authority
        self._token = config.token or secrets.token_urlsafe(24)
        self._files: tempfile.TemporaryDirectory[str] | None = None
        self._serving: asyncio.Task[None] | None = None
        self.url = ""
        self.api = Api(
            clock=clock,
            ids=ids,
            services=config.services,
            keep=config.keep,
            root_ca=authority.cert_pem.decode(),
        )
        self.access = Access(Everybody({**config.users, self._token: ADMIN}, self.api.tokens))
        self.kubelet_client = kubelet_client_leaf(authority, now=clock.now())
        self._streams: Upgrades | None = None
        self._working: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """Furnish the cluster and serve it; the URL. Raises OSError where the port is taken."""
        await self._furnish()
        kubelets = KubeletTls(verified=self._kubelet_tls(), unverified=self._kubelet_tls(verify=False))
        rest = Rest(self.api, clock=self._clock, access=self.access, kubelets=kubelets)
        self._streams = streams = Upgrades(self.api, access=self.access, kubelets=kubelets, clock=self._clock)
        scraper = Scraper(self.api, kubelets=kubelets, clock=self._clock)
        self._working = asyncio.create_task(self._work(scraper), name="the embedded cluster's own work")
        leaf = apiserver_leaf(self._authority, now=self._clock.now())
        self._files = tempfile.TemporaryDirectory(prefix="spillway-cluster-")
        cert, key = write_leaf(Path(self._files.name), "apiserver", leaf)
        port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        listen = Listen(host=LOOPBACK, port=self._config.port, cert=cert, key=key)
        app = Face(rest, access=self.access, streams=streams, metrics=Metrics(self.api, scraper)).app()
        protocol = upgrading(streams.wants, streams.take)
        self._serving = asyncio.create_task(
            serve(app, listen, clock=self._clock, started=port.set_result, protocol=protocol),
            name="the embedded API server",
        )
        await asyncio.wait((port, self._serving), return_when=asyncio.FIRST_COMPLETED)
        if self._serving.done():
            self._serving.result()
        self.url = f"https://{LOOPBACK}:{await port}"
        return self.url

    async def stop(self) -> None:
        """End every watch and close the server; the objects stay readable through `api`."""
        self.api.store.close()
        await self.api.admission.close()
        if self._working is not None:
            self._working.cancel()
            await asyncio.wait((self._working,))
            self._working = None
        if self._streams is not None:
            await self._streams.close()
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.wait((self._serving,))
            self._serving = None
        if self._files is not None:
            self._files.cleanup()
            self._files = None

    def check(self) -> None:
        """Nothing while the server serves, or before it was started.

        Raises:
            ControlPlaneError: its task is over; the cause is the error that ended it.
        """
        for task in (self._serving, self._working):
            if task is not None:
                require_running(task)

    async def _work(self, scraper: Scraper) -> None:
        """What goes on beside requests: certificates are signed, usage is measured."""
        signing = CertificateSigning(self.api, authority=self._authority, clock=self._clock)
        async with asyncio.TaskGroup() as group:
            group.create_task(signing.run())
            group.create_task(scraper.run())

    def kubeconfig(self) -> Object:
        """A kubeconfig of a cluster admin, with the authority and the token inside."""
        return admin_kubeconfig(self.url, token=self._token, ca_pem=self._authority.cert_pem)

    async def _furnish(self) -> None:
        """What every cluster has from its first second."""
        if self.api.list("namespaces"):
            return
        for name in NAMESPACES:
            await self.api.create("namespaces", "", {"metadata": {"name": name}})
        for name, value in _PRIORITIES.items():
            await self.api.create("priorityclasses", "", {"metadata": {"name": name}, "value": value})
        clients = {
            "metadata": {"name": "extension-apiserver-authentication"},
            "data": {"client-ca-file": self._authority.cert_pem.decode()},
        }
        await self.api.create("configmaps", "kube-system", clients)
        ports = [{"name": "https", "port": 443, "targetPort": 6443}]
        server = {"metadata": {"name": "kubernetes"}, "spec": {"clusterIP": "10.0.0.1", "ports": ports}}
        await self.api.create("services", "default", server)

    def _kubelet_tls(self, *, verify: bool = True) -> ssl.SSLContext:
        """Kubelets are shown our certificate; theirs must be the authority's, unless the client said no."""
        context = loopback_tls(self._authority.cert_pem)
        context.check_hostname = verify
        context.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
        with tempfile.TemporaryDirectory(prefix="spillway-cluster-") as folder:
            context.load_cert_chain(*write_leaf(Path(folder), "kubelet-client", self.kubelet_client))
        return context
