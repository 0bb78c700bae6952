"""One virtual node of a bridge, composed from what all nodes of the process share."""

import asyncio
import os
import random
from dataclasses import dataclass, field
from typing import Final

from app.bridge.bridge import Bridge
from app.bridge.config import BridgeConfig, NodeConfig, TaskSettings
from app.bridge.log_places import groups_of
from app.bridge.material.config import MaterialConfig, Suppliers
from app.bridge.material.entries import prefix_of
from app.bridge.material.gatherer import Gatherer
from app.bridge.material.vault_keeper import KeeperConfig, VaultKeeper
from app.bridge.metrics import BridgeMetrics
from app.bridge.node.offer_board import BoardConfig, OfferBoard
from app.bridge.outside import Outside
from app.bridge.task_news import TaskNews
from app.bridge.usage.sources import Sources
from app.kube.reflector import Reflector
from app.model.namespace import Namespace
from app.model.objects import NetworkPolicy, Service
from app.model.pod import Pod
from app.ports.probes import Probes
from app.ports.usage import Insights
from app.ports.watched import Watched
from app.settings import BridgeSettings
from app.wiring.aws import Aws
from app.wiring.kubernetes import Parts

_LONGEST_LEASE_PERIOD: Final = 10.0


@dataclass(slots=True)
class Shared:
    """What all nodes of one process share; `identity` is this process' name in the nodes' Leases."""

    parts: Parts
    aws: Aws
    metrics: BridgeMetrics
    probes: Probes
    cluster: str
    version: str
    identity: str
    news: TaskNews | None
    namespaces: Reflector[Namespace] = field(init=False)
    services: Reflector[Service] = field(init=False)
    policies: Reflector[NetworkPolicy] = field(init=False)

    def __post_init__(self) -> None:
        self.namespaces = self.parts.watch_namespaces()
        self.services = self.parts.watch_services()
        self.policies = self.parts.watch_network_policies()

    async def run(self) -> None:
        """Keep the caches current, and read the queue, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.namespaces.run())
            tasks.create_task(self.services.run())
            tasks.create_task(self.policies.run())
            if self.news is not None:
                tasks.create_task(self.news.run())


class VirtualNode:
    """One node: its pods' watch, its bridge, and its part of the vault.

    Attributes:
        name: the Node's.
        bridge: the virtual kubelet.
    """

    def __init__(self, settings: BridgeSettings, shared: Shared) -> None:
        """Connect nothing yet."""
        parts, aws = shared.parts, shared.aws
        self.name = settings.node_name
        prefix = prefix_of(cluster=shared.cluster, node=self.name)
        vault = aws.vault(prefix)
        gatherer = Gatherer(
            Suppliers(
                sources=parts.sources,
                specs=parts.sources,
                services=shared.services,
                policies=shared.policies,
                vault=vault,
                images=aws.images,
                roles=aws.roles(),
                clock=parts.clock,
            ),
            config=MaterialConfig(cluster=shared.cluster, node=self.name, architecture=settings.architecture),
            random_bytes=os.urandom,
        )
        self._pods = parts.watch_pods(node=self.name)
        config = _config(settings, shared)
        outside = Outside(
            watched=self._pods,
            namespaces=shared.namespaces,
            pods=parts.pods,
            nodes=parts.nodes,
            leases=parts.leases,
            events=parts.events,
            tasks=aws.tasks(settings),
            definitions=aws.definitions(),
            streams=aws.records(),
            materials=gatherer,
            probes=shared.probes,
            insights=_insights(settings, aws, pods=self._pods, task=config.task),
            clock=parts.clock,
            news=shared.news,
        )
        self.bridge = Bridge(config, outside=outside, jitter=random.random, metrics=shared.metrics)
        self._keeper = VaultKeeper(
            vault,
            gatherer.shelf,
            pods=self._pods,
            clock=parts.clock,
            config=KeeperConfig(prefix=prefix),
            is_ours=self.bridge.surely_leads,
        )
        self._board = OfferBoard(
            parts.nodes,
            aws.offers(),
            clock=parts.clock,
            config=BoardConfig(node=self.name, region=shared.aws.region, capacity=settings.capacity),
            is_ours=self.bridge.surely_leads,
        )

    async def run(self) -> None:
        """Keep the node until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._board.run())
            tasks.create_task(self._pods.run())
            tasks.create_task(self._keeper.run())
            tasks.create_task(self.bridge.run())


def _insights(settings: BridgeSettings, aws: Aws, *, pods: Watched[Pod], task: TaskSettings) -> Insights:
    """Container Insights, and the helpers where pods can have them."""
    measured = aws.insights(settings)
    if not settings.helper_image:
        return measured
    told = aws.helper_usage(lambda: groups_of(pods.all(), settings=task), prefix=task.stream_prefix)
    return Sources(told, measured)


def _config(settings: BridgeSettings, shared: Shared) -> BridgeConfig:
    region = shared.aws.region
    lease = round(settings.lease_duration.total_seconds())
    node = NodeConfig(
        name=settings.node_name,
        zone=settings.zone,
        region=region,
        internal_ip=settings.internal_ip,
        kubelet_port=settings.kubelet_port,
        kubelet_version=shared.version,
        websockets=True,
        provider_id=settings.provider_id,
        identity=shared.identity,
        lease_seconds=lease,
        lease_period=min(lease / 4, _LONGEST_LEASE_PERIOD),
        gate_namespace=settings.namespace,
        architecture=settings.architecture,
        capacity={
            "cpu": settings.capacity_cpu,
            "memory": settings.capacity_memory,
            "pods": settings.capacity_pods,
            "ephemeral-storage": "1Pi",
        },
    )
    task = TaskSettings(
        region=region,
        log_group=settings.log_group,
        log_mode=settings.log_mode,
        execution_role_arn=settings.execution_role,
        task_role_arn=settings.task_role,
        exec=settings.exec,
        architecture=settings.architecture,
        host_ip=settings.internal_ip,
        helper_image=settings.helper_image,
        capacity=settings.capacity,
        cluster_domain=settings.cluster_domain,
        kubernetes_host=settings.kubernetes_host,
        kubernetes_port=settings.kubernetes_port,
        ebs_role_arn=settings.ebs_role,
    )
    give_back = settings.give_back_after.total_seconds()
    return BridgeConfig(
        cluster=shared.cluster,
        node=node,
        task=task,
        give_back_after=give_back,
        usage_period=settings.usage_period.total_seconds(),
    )
