"""`spillway drain`, composed: one cluster, and the ECS cluster that its bridges launch into."""

import contextlib
from collections.abc import AsyncIterator

import msgspec
from prometheus_client import CollectorRegistry

from app.aws.connection import Connection as AwsConnection
from app.aws.connection import ConnectionConfig
from app.aws.limiter import Limiter, Quotas
from app.aws.metrics import AwsMetrics
from app.aws.tasks import EcsTasks, TaskPlacement
from app.aws.vault import SecretsManagerVault
from app.drain.config import DrainConfig
from app.drain.drain import Drain
from app.drain.outside import Aws, Outside, Tell
from app.drain.removal import Removal, RemovalConfig
from app.kube.departures import Departures, Standing
from app.kube.evictions import Evictions
from app.ports.clock import Clock
from app.ports.failures import PortFailure
from app.wiring import kubernetes
from app.wiring.clock import SystemClock


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for.

    Attributes:
        kubeconfig: as every program takes it.
        namespace: Spillway's own.
        region: empty means the AWS chain's.
        ecs_cluster: the bridges'.
        config: how to drain; its `cluster` is found out here.
        priority_class: of placeholder pods.
        bridges_are_gone: as `RemovalConfig`.
    """

    kubeconfig: str
    namespace: str
    region: str
    ecs_cluster: str
    config: DrainConfig
    priority_class: str = "spillway-placeholder"
    bridges_are_gone: bool = False


class Leaving:
    """A drain, and the removal after it.

    Attributes:
        drain: brings overflow to an end.
        removal: takes our objects away.
    """

    def __init__(self, outside: Outside, wish: Wish, *, tell: Tell) -> None:
        self.drain = Drain(outside, config=wish.config, tell=tell)
        gone = RemovalConfig(
            namespace=wish.namespace,
            priority_class=wish.priority_class,
            bridges_are_gone=wish.bridges_are_gone,
        )
        self.removal = Removal(outside, drained=wish.config, config=gone, tell=tell)


@contextlib.asynccontextmanager
async def leaving(wish: Wish, *, tell: Tell) -> AsyncIterator[Leaving]:
    """Connect to the cluster, and to AWS where it is asked.

    Raises:
        StartError: no cluster is configured.
        PortFailure: the cluster does not answer; that AWS does not is told as a result.
    """
    clock = SystemClock()
    async with contextlib.AsyncExitStack() as stack:
        kube = await kubernetes.connected(wish.kubeconfig, clock=clock, component="drain")
        stack.push_async_callback(kube.close)
        cluster = await kube.cluster_uid()
        wish = msgspec.structs.replace(wish, config=msgspec.structs.replace(wish.config, cluster=cluster))
        aws, no_aws = await _aws(wish, stack, clock=clock) if wish.config.asks_aws else (None, "")
        outside = Outside(
            standing=Standing(kube, namespace=wish.namespace),
            departures=Departures(kube, clock=clock),
            evictions=Evictions(kube),
            clock=clock,
            aws=aws,
            no_aws=no_aws,
        )
        yield Leaving(outside, wish, tell=tell)


async def _aws(wish: Wish, stack: contextlib.AsyncExitStack, *, clock: Clock) -> tuple[Aws | None, str]:
    try:
        connection = await AwsConnection.open(
            ConnectionConfig(region=wish.region, threads=4, launch_threads=1)
        )
    except PortFailure as failure:
        return None, str(failure)
    stack.callback(connection.close)
    quotas = Quotas.of_region(connection.region)
    limiter = Limiter(quotas, clock=clock, metrics=AwsMetrics(CollectorRegistry()))
    placement = TaskPlacement(cluster=wish.ecs_cluster, subnets=())
    prefix = f"spillway/{wish.config.cluster}/"
    return Aws(
        tasks=EcsTasks(connection, limiter=limiter, placement=placement),
        vault=SecretsManagerVault(connection, limiter=limiter, prefix=prefix),
    ), ""
