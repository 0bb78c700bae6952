"""AWS as the bridge's ports, over one connection and one limiter."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import msgspec
from prometheus_client import CollectorRegistry

from app.aws.connection import Connection, ConnectionConfig
from app.aws.definitions import EcsDefinitions
from app.aws.helper_usage import HelperUsage
from app.aws.insights import ContainerInsights
from app.aws.limiter import Lane, Limiter, Quotas
from app.aws.log_streams import CloudWatchLogStreams
from app.aws.metrics import AwsMetrics
from app.aws.offers import AwsOffers
from app.aws.registry_logins import EcrLogins
from app.aws.roles import PodIdentityRoles
from app.aws.sessions.ecs_sessions import EcsSessions
from app.aws.task_events import SqsTaskEvents
from app.aws.tasks import EcsTasks, TaskPlacement
from app.aws.throttle import Quota
from app.aws.vault import SecretsManagerVault
from app.kube.proxy import proxy_for
from app.ports.clock import Clock
from app.ports.failures import Refused
from app.registry.images import RegistryImages
from app.registry.transport import Transport
from app.settings import BridgeSettings
from app.wiring.kubernetes import own_version
from app.wiring.stopping import StartError


@dataclass(frozen=True, slots=True)
class Aws:
    """What all virtual nodes of one bridge share."""

    connection: Connection
    limiter: Limiter
    settings: BridgeSettings
    clock: Clock
    transport: Transport
    images: RegistryImages

    @classmethod
    async def open(cls, settings: BridgeSettings, *, clock: Clock, registry: CollectorRegistry) -> Self:
        """Connect to nothing yet, but find region and credentials.

        Raises:
            StartError: there are none; the message names the mend.
        """
        try:
            connection = await Connection.open(ConnectionConfig(region=settings.region))
        except Refused as error:
            raise StartError(str(error)) from error
        limiter = Limiter(_quotas(settings, connection.region), clock=clock, metrics=AwsMetrics(registry))
        transport = Transport(
            agent=f"spillway/{own_version()} (bridge)", proxy_for=lambda url: proxy_for(url, os.environ)
        )
        logins = EcrLogins(connection, limiter=limiter, clock=clock)
        images = RegistryImages(transport, clock=clock, logins=logins)
        return cls(connection, limiter, settings, clock, transport, images)

    async def close(self) -> None:
        """Give everything back."""
        await self.images.close()
        await self.transport.close()
        self.connection.close()

    @property
    def region(self) -> str:
        """The region that everything is asked in."""
        return self.connection.region

    def tasks(self, settings: BridgeSettings) -> EcsTasks:
        """The tasks of the ECS cluster, placed as one node's settings say."""
        placement = TaskPlacement(
            cluster=settings.ecs_cluster,
            subnets=settings.subnets,
            security_groups=settings.security_groups,
            assign_public_ip=settings.assign_public_ip,
        )
        return EcsTasks(self.connection, limiter=self.limiter, placement=placement)

    def definitions(self) -> EcsDefinitions:
        """Task definitions."""
        return EcsDefinitions(self.connection, limiter=self.limiter)

    def streams(self) -> CloudWatchLogStreams:
        """The containers' logs, for people."""
        return CloudWatchLogStreams(self.connection, limiter=self.limiter)

    def records(self) -> CloudWatchLogStreams:
        """The same logs, for the bridge's own reading."""
        return CloudWatchLogStreams(self.connection, limiter=self.limiter, lane=Lane.RECORDS)

    def sessions(self) -> EcsSessions:
        """Sessions in containers, through ECS Exec."""
        cluster = self.settings.ecs_cluster
        return EcsSessions(self.connection, limiter=self.limiter, clock=self.clock, cluster=cluster)

    def insights(self, settings: BridgeSettings) -> ContainerInsights:
        """What ECS measures of the containers of one cluster."""
        return ContainerInsights(self.connection, limiter=self.limiter, cluster=settings.ecs_cluster)

    def helper_usage(self, groups: Callable[[], Sequence[str]], *, prefix: str) -> HelperUsage:
        """What in-task helpers tell of their containers; `prefix` is that of the log streams."""
        return HelperUsage(
            self.connection, limiter=self.limiter, clock=self.clock, groups=groups, prefix=prefix
        )

    def vault(self, prefix: str) -> SecretsManagerVault:
        """Secrets Manager, the entries under a prefix."""
        return SecretsManagerVault(self.connection, limiter=self.limiter, prefix=prefix)

    def roles(self) -> PodIdentityRoles:
        """EKS Pod Identity."""
        cluster = self.settings.eks_cluster
        return PodIdentityRoles(self.connection, limiter=self.limiter, cluster=cluster)

    def offers(self) -> AwsOffers:
        """Prices and vCPU quotas."""
        return AwsOffers(self.connection)

    def events(self) -> SqsTaskEvents | None:
        """The queue of task events, where one is configured."""
        queue = self.settings.events_queue
        return SqsTaskEvents(self.connection, queue_url=queue) if queue else None


def _quotas(settings: BridgeSettings, region: str) -> Quotas:
    published = Quotas.of_region(region)
    rate = settings.logs_per_second
    return msgspec.structs.replace(published, logs=Quota(rate, rate)) if rate else published
