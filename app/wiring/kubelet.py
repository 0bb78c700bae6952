"""One virtual node's HTTPS API, composed: what it serves, who may, and with which certificates."""

import asyncio
import os
from typing import Final

from app.kube.authorities import Authorities
from app.kube.certificates import Certificates
from app.kube.reviews import Reviews
from app.kubelet.access.access import Access, AccessConfig
from app.kubelet.forwarding.port_forward import PortForward
from app.kubelet.logs.container_logs import ContainerLogs, LogConfig
from app.kubelet.metrics import KubeletMetrics
from app.kubelet.resources import Resources
from app.kubelet.server import KubeletConfig, KubeletServer
from app.kubelet.sessions.attach import Attach
from app.kubelet.sessions.exec import Exec
from app.kubelet.sessions.limits import SessionConfig
from app.model.setting import named
from app.ports.clock import Clock
from app.settings import BridgeSettings
from app.tls.expiry import Loaded
from app.wiring.aws import Aws
from app.wiring.kubernetes import Parts
from app.wiring.listening import listening
from app.wiring.node_tls import NodeTls
from app.wiring.virtual_node import VirtualNode

_PEPPER_BYTES: Final = 32


class NodeApi:
    """Serves one node's API, and keeps its certificates current."""

    def __init__(
        self,
        settings: BridgeSettings,
        node: VirtualNode,
        *,
        parts: Parts,
        aws: Aws,
        metrics: KubeletMetrics,
        loaded: Loaded,
    ) -> None:
        """Read and connect nothing yet; `settings` are the node's own, `loaded` hears of its certificates."""
        connection, clock = parts.connection, parts.clock
        self._settings = settings
        self._tls = NodeTls(
            settings, Authorities(connection), Certificates(connection), clock=clock, loaded=loaded
        )
        self._server = KubeletServer(
            _resources(node, aws=aws, clock=clock),
            access=Access(
                Reviews(connection),
                node=node.name,
                clock=clock,
                config=AccessConfig(client_names=settings.kubelet_client_names),
                metrics=metrics,
                pepper=os.urandom(_PEPPER_BYTES),
            ),
            clock=clock,
            config=KubeletConfig(host=settings.kubelet_host, port=settings.kubelet_port),
            metrics=metrics,
            tls=self._tls.context.listening,
        )

    async def start(self) -> None:
        """Listen.

        Raises:
            StartError: the address is taken, or a certificate cannot be used; the message names the mend.
        """
        settings = self._settings
        await self._tls.start()
        with listening(named("bridge", "kubelet_port"), f"{settings.kubelet_host}:{settings.kubelet_port}"):
            await self._server.start()

    async def run(self) -> None:
        """Serve until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._server.serve())
            tasks.create_task(self._tls.run())


def _resources(node: VirtualNode, *, aws: Aws, clock: Clock) -> Resources:
    containers = node.bridge.containers
    logs = ContainerLogs(node.bridge.logs, aws.streams(), clock=clock, config=LogConfig())
    return Resources(
        logs=logs,
        exec=Exec(containers, aws.sessions(), clock=clock, config=SessionConfig()),
        attach=Attach(logs, containers, clock=clock),
        forward=PortForward(containers, clock=clock),
        pods=containers.pods,
        usage=node.bridge.usage,
    )
