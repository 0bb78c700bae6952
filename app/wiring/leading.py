"""The extender's second process: what leads, so that no answer to kube-scheduler waits for a decision.

`app.wiring.extender` starts it (`python -m app.wiring.leading`) and hands it the settings.
"""

import asyncio
import gc
import os
import pickle
import socket
import sys
from collections.abc import Callable
from datetime import timedelta

from prometheus_client import CollectorRegistry

from app.extender.chores import Chore
from app.extender.cluster.outlook import Autoscalers
from app.extender.cluster.reduction import Reduction
from app.extender.cluster.watermark import WatermarkConfig
from app.extender.controllers import Controllers
from app.extender.decision.budget import Limits
from app.extender.decision.hindrance import GateConfig
from app.extender.decision.preference import preferences_of
from app.extender.handover import Handover, HandoverShellConfig
from app.extender.homecoming import Homecoming, HomecomingConfig
from app.extender.homing.config import ReturnConfig
from app.extender.homing.handovers import HandoverConfig
from app.extender.homing.node_shape import room_of
from app.extender.homing.placeholders import PlaceholderConfig
from app.extender.insight.policy import Policy
from app.extender.leader import Cluster, Leader, LeaderConfig
from app.extender.metrics import GateMetrics, HandoverMetrics, HomingMetrics
from app.extender.publisher import Publisher
from app.extender.tolerator import Tolerator
from app.fargate.eligibility import refusals
from app.kube.evictions import Evictions
from app.kube.leadership import Leadership
from app.kube.placeholders import Placeholders
from app.lifeline.parent import Parent
from app.model.actuator import SCHEDULER
from app.model.names import GATE_LEASE
from app.settings import ExtenderSettings
from app.telemetry import families, logs
from app.wiring import kubernetes
from app.wiring.clock import SystemClock
from app.wiring.lookouts import lookouts
from app.wiring.stopping import StartError, leaves, run_until_stopped

COMPONENT = "spillway-extender"
_COULD_NOT_START = 2


def main() -> None:
    """Lead until the parent is gone, or until SIGINT or SIGTERM; then clean up and end."""
    faults: list[str] = []
    try:
        run_until_stopped(_with_parent(), serves=True)
    except* (StartError, OSError) as several:
        faults += map(str, leaves(several))
    if faults:
        sys.stderr.write("; ".join(faults) + "\n")
        sys.exit(_COULD_NOT_START)


async def _with_parent() -> None:
    parent = await Parent.at()
    greeting = await parent.greeting()
    if greeting is None:
        return
    settings: ExtenderSettings = pickle.loads(greeting)  # noqa: S301  (our own parent wrote it)
    logs.configure(level=settings.log_level, as_json=settings.log_format == "json")
    registry = CollectorRegistry()
    leading = asyncio.create_task(lead(settings, registry=registry))
    answering = asyncio.create_task(parent.answer(lambda others: families.page(registry, others=others)))
    try:
        await asyncio.wait({leading, answering}, return_when=asyncio.FIRST_COMPLETED)
        if leading.done():
            leading.result()
    finally:
        leading.cancel()
        answering.cancel()
        await asyncio.wait({leading, answering})
        parent.close()


async def lead(settings: ExtenderSettings, *, registry: CollectorRegistry) -> None:
    """Lead when elected, until cancelled; the Lease is released on the way out."""
    clock = SystemClock()
    connection = await kubernetes.connected(settings.kubeconfig, clock=clock, component="extender")
    try:
        parts = kubernetes.parts(connection, clock=clock, component=COMPONENT, registry=registry)
        nodes = parts.watch_nodes()
        cluster = Cluster(
            pods=parts.watch_pods(keep=Reduction(nodes)), nodes=nodes, namespaces=parts.watch_namespaces()
        )
        leadership = _leadership(settings, parts)
        claims, status = parts.watch_node_claims(), parts.watch_autoscaler_status()
        leader = _leader(
            settings,
            parts,
            cluster,
            autoscalers=Autoscalers(claims=claims, status=status),
            registry=registry,
            leads=leadership.is_leader,
        )
        async with asyncio.TaskGroup() as tasks:
            for watched in (cluster.nodes, cluster.namespaces, claims, status):
                tasks.create_task(watched.run())
            tasks.create_task(_watch_pods(cluster))
            tasks.create_task(_unburden(cluster))
            tasks.create_task(leadership.lead(leader.run))
    finally:
        await connection.close()


async def _watch_pods(cluster: Cluster) -> None:
    """Once the nodes are known, so that pods on real ones are reduced as they are listed."""
    await cluster.nodes.synced()
    await cluster.pods.run()


async def _unburden(cluster: Cluster) -> None:
    """Take what is there now, above all our modules, from the garbage collector's rounds: it stays.

    Without this each full round takes 50 ms.
    """
    await cluster.pods.synced()
    gc.collect()
    gc.freeze()


def _leader(
    settings: ExtenderSettings,
    parts: kubernetes.Parts,
    cluster: Cluster,
    *,
    autoscalers: Autoscalers,
    registry: CollectorRegistry,
    leads: Callable[[], bool],
) -> Leader:
    metrics = GateMetrics(registry)
    return Leader(
        LeaderConfig(
            gate=gate_config(settings),
            observe_file=settings.observe_file,
            watermarks=_watermarks(settings),
        ),
        cluster=cluster,
        nodes=parts.nodes,
        events=parts.events,
        clock=parts.clock,
        metrics=metrics,
        refusals=refusals,
        leads=leads,
        autoscalers=autoscalers,
        chores=_chores(settings, parts, cluster, registry=registry, leads=leads),
        tolerator=_tolerator(settings, parts, metrics=metrics, leads=leads),
        apart=asyncio.to_thread,
    )


def _tolerator(
    settings: ExtenderSettings, parts: kubernetes.Parts, *, metrics: GateMetrics, leads: Callable[[], bool]
) -> Tolerator | None:
    if settings.actuator == SCHEDULER:
        return None
    return Tolerator(parts.pods, clock=parts.clock, metrics=metrics, leads=leads)


def _chores(
    settings: ExtenderSettings,
    parts: kubernetes.Parts,
    cluster: Cluster,
    *,
    registry: CollectorRegistry,
    leads: Callable[[], bool],
) -> tuple[Chore, ...]:
    evictions = Evictions(parts.connection)
    returns = _returns(settings)
    handover = Handover(
        _handovers(settings),
        pods=cluster.pods,
        placeholders=Placeholders(parts.connection),
        controllers=Controllers(evictions, config=returns.policy, clock=parts.clock),
        events=parts.events,
        clock=parts.clock,
        metrics=HandoverMetrics(registry),
        leads=leads,
        apart=asyncio.to_thread,
    )
    publisher = Publisher(
        _policy(settings), watched=cluster.nodes, nodes=parts.nodes, clock=parts.clock, leads=leads
    )
    watching = lookouts(parts, cluster, settings, registry=registry, leads=leads)
    if not settings.return_home:
        return (publisher, handover, *watching)
    homecoming = Homecoming(
        returns,
        evictions=evictions,
        nodes=parts.nodes,
        events=parts.events,
        clock=parts.clock,
        metrics=HomingMetrics(registry),
        leads=leads,
        urged=handover.ready,
        apart=asyncio.to_thread,
    )
    return (publisher, homecoming, handover, *watching)


def _handovers(settings: ExtenderSettings) -> HandoverShellConfig:
    """Looks are as far apart as the shortest stay allows. `observe` spends nothing, on nodes neither."""
    policy = HandoverConfig(
        stay=settings.node_stay,
        look=min(timedelta(seconds=15), max(timedelta(seconds=0.5), settings.node_stay / 60)),
        timeout=settings.handover_timeout,
        most_nodes=settings.handover_max_nodes,
        lanes=settings.return_batch,
        jobs=settings.return_jobs,
        room=room_of(settings.node_shape) if settings.node_shape else None,
        hourly=settings.node_hourly_price,
    )
    placeholders = PlaceholderConfig(
        namespace=settings.namespace,
        image=settings.placeholder_image,
        priority_class=settings.placeholder_priority_class,
        life=settings.handover_timeout + settings.node_stay,
    )
    return HandoverShellConfig(
        enabled=settings.handover and settings.gate != "observe", policy=policy, placeholders=placeholders
    )


def _policy(settings: ExtenderSettings) -> Policy:
    """What is decided by, for `spillway explain` and `spillway status`."""
    return Policy(
        gate=gate_config(settings),
        watermarks=_watermarks(settings),
        returns=_returns(settings).policy if settings.return_home else None,
        handover=settings.handover and settings.gate != "observe",
        namespace=settings.namespace,
    )


def _watermarks(settings: ExtenderSettings) -> WatermarkConfig:
    return WatermarkConfig(high=settings.high_watermark, low=settings.low_watermark, dwell=settings.dwell)


def _returns(settings: ExtenderSettings) -> HomecomingConfig:
    policy = ReturnConfig(
        after=settings.return_after,
        batch=settings.return_batch,
        jobs=settings.return_jobs,
        early=settings.early_burst,
        hold_off=settings.return_hold_off,
    )
    return HomecomingConfig(policy=policy, every=min(10.0, max(0.5, policy.after.total_seconds() / 5)))


def gate_config(settings: ExtenderSettings) -> GateConfig:
    """When pods burst."""
    return GateConfig(
        max_wait=settings.max_wait,
        grant_ttl=settings.grant_ttl,
        preferences=preferences_of(settings.priority_classes),
        gate=settings.gate,
        budget=Limits(pods=settings.max_pods, vcpu=settings.max_vcpu, hourly=settings.max_hourly_cost),
        actuator=settings.actuator,
        fargate_start=settings.fargate_start,
        arrival_margin=settings.arrival_margin,
        settling=settings.settling,
        early_seats=settings.early_room if settings.early_burst else 0,
    )


def _leadership(settings: ExtenderSettings, parts: kubernetes.Parts) -> Leadership:
    """The Lease is also what the bridge looks at: when it goes stale, the bridge closes the node."""
    seconds = settings.lease_duration.total_seconds()
    return Leadership(
        parts.connection,
        namespace=settings.namespace,
        name=GATE_LEASE,
        identity=settings.identity or f"{socket.gethostname()}-{os.getpid()}",
        clock=parts.clock,
        lease_seconds=seconds,
        renew_deadline=seconds * 2 / 3,
        retry_period=seconds * 2 / 15,
    )


if __name__ == "__main__":
    main()
