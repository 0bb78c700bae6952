"""The leader's lookouts, composed."""

import asyncio
from collections.abc import Callable

from prometheus_client import CollectorRegistry

from app.extender.chores import Chore
from app.extender.leader import Cluster
from app.extender.lookouts import LookoutMetrics, SpellingLookout, WebhookLookout
from app.settings import ExtenderSettings
from app.wiring.kubernetes import Parts


def lookouts(
    parts: Parts,
    cluster: Cluster,
    settings: ExtenderSettings,
    *,
    registry: CollectorRegistry,
    leads: Callable[[], bool],
) -> tuple[Chore, ...]:
    """What the leader does beside the gate so that nothing goes wrong in silence."""
    metrics = LookoutMetrics(registry)
    return (
        WebhookLookout(
            cluster.pods,
            cluster.namespaces,
            own=settings.namespace,
            actuator=settings.actuator,
            clock=parts.clock,
            metrics=metrics,
            apart=asyncio.to_thread,
        ),
        SpellingLookout(
            cluster.namespaces, events=parts.events, clock=parts.clock, metrics=metrics, leads=leads
        ),
    )
