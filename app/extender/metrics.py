"""What the extender counts: https://prometheus.io/docs/practices/naming/."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_FAST = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class ServerMetrics:
    """What the scheduler asked, and how it was answered."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "spillway_extender_requests",
            "Requests of the scheduler, by verb and outcome.",
            ["verb", "outcome"],
            registry=registry,
        )
        self.seconds = Histogram(
            "spillway_extender_request_seconds",
            "Time to answer the scheduler, by verb.",
            ["verb"],
            buckets=_FAST,
            registry=registry,
        )
        self.lookups = Counter(
            "spillway_extender_lookups",
            "Consistent reads of a node that the cache could not answer for, by outcome.",
            ["outcome"],
            registry=registry,
        )
        self.tampered = Counter(
            "spillway_extender_tampered_grants",
            "Grants annotations that the gate did not write.",
            registry=registry,
        )


class GateMetrics:
    """What the leader decided and wrote."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.leader = Gauge("spillway_gate_leader", "1 where this replica leads.", registry=registry)
        self.open = Gauge("spillway_gate_grants_open", "Grants that stand.", ["node"], registry=registry)
        self.decisions = Counter(
            "spillway_gate_decisions",
            "New decisions on pods, by kind (burst, wait, refuse) and reason.",
            ["kind", "reason"],
            registry=registry,
        )
        self.applies = Counter(
            "spillway_gate_applies",
            "Writes of grants and room to a virtual node, by outcome.",
            ["outcome"],
            registry=registry,
        )
        self.seconds = Histogram(
            "spillway_gate_decision_seconds", "Time to decide on all pods.", buckets=_FAST, registry=registry
        )
        self.tampered = Counter(
            "spillway_gate_tampered_grants",
            "Grants annotations that the gate did not write, and wrote anew.",
            registry=registry,
        )
