"""The embedded cluster as one thing to start and stop: the API, its certificates and its HTTPS server."""

import asyncio
import base64
import secrets
import ssl
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from app.local.cluster.api import Api
from app.local.cluster.log_proxy import KubeletTls
from app.local.cluster.rest import Rest
from app.local.cluster.server import Face
from app.local.cluster.store import HISTORY
from app.local.http_client import loopback_tls
from app.ports.clock import Clock
from app.tls.authority import Authority, Leaf
from app.tls.serving import Listen, serve

Object = dict[str, Any]
HOST: Final = "127.0.0.1"
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
    `keep` is how many changes of each resource a watch may start behind. An empty token means a random one.
    """

    port: int = 0
    services: Mapping[str, str] = msgspec.field(default_factory=dict)
    keep: int = HISTORY
    token: str = ""


class EmbeddedCluster:
    """A Kubernetes API server in this process, over HTTPS on loopback.

    `api` works at once, without `start`; `kubelet_client` is the certificate that the API server shows to
    kubelets, signed by the authority.
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
        self.kubelet_client: Leaf = authority.issue(
            "kube-apiserver-kubelet-client", now=clock.now(), organizations=("system:masters",), client=True
        )

    async def start(self) -> str:
        """Furnish the cluster and serve it; the URL. Raises OSError where the port is taken."""
        await self._furnish()
        users = {self._token: ADMIN}
        kubelets = KubeletTls(verified=self._kubelet_tls(), unverified=self._kubelet_tls(verify=False))
        rest = Rest(self.api, clock=self._clock, users=users, kubelets=kubelets)
        leaf = self._authority.issue(
            "kube-apiserver",
            now=self._clock.now(),
            dns=("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"),
            ips=(HOST,),
            server=True,
        )
        self._files = tempfile.TemporaryDirectory(prefix="spillway-cluster-")
        cert, key = _written(leaf, Path(self._files.name))
        port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        listen = Listen(host=HOST, port=self._config.port, cert=cert, key=key)
        app = Face(rest, users=users).app()
        self._serving = asyncio.create_task(
            serve(app, listen, clock=self._clock, started=port.set_result), name="embedded-api-server"
        )
        await asyncio.wait((port, self._serving), return_when=asyncio.FIRST_COMPLETED)
        if self._serving.done():
            self._serving.result()
        self.url = f"https://{HOST}:{await port}"
        return self.url

    async def stop(self) -> None:
        """End every watch and close the server; the objects stay readable through `api`."""
        self.api.store.close()
        await self.api.admission.close()
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.wait((self._serving,))
            self._serving = None
        if self._files is not None:
            self._files.cleanup()
            self._files = None

    def kubeconfig(self) -> Object:
        """A kubeconfig of a cluster admin, with the authority and the token inside."""
        authority = base64.b64encode(self._authority.cert_pem).decode()
        cluster = {"server": self.url, "certificate-authority-data": authority}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "spillway-local",
            "clusters": [{"name": "spillway-local", "cluster": cluster}],
            "users": [{"name": "admin", "user": {"token": self._token}}],
            "contexts": [
                {"name": "spillway-local", "context": {"cluster": "spillway-local", "user": "admin"}}
            ],
        }

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

    def _kubelet_tls(self, *, verify: bool = True) -> ssl.SSLContext:
        """Kubelets are shown our certificate; theirs must be the authority's, unless the client said no."""
        context = loopback_tls(self._authority.cert_pem)
        context.check_hostname = verify
        context.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
        with tempfile.TemporaryDirectory(prefix="spillway-cluster-") as folder:
            context.load_cert_chain(*_written(self.kubelet_client, Path(folder)))
        return context


def _written(leaf: Leaf, folder: Path) -> tuple[Path, Path]:
    """The certificate and the key as files, which is how Python's ssl reads them."""
    cert, key = folder / "tls.crt", folder / "tls.key"
    key.touch(mode=0o600)
    cert.write_bytes(leaf.cert_pem)
    key.write_bytes(leaf.key_pem)
    return cert, key
