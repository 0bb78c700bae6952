"""What is counted of the node's HTTPS API, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter


class KubeletMetrics:
    """Instruments, in the registry that the caller serves."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "spillway_kubelet_requests",
            "Requests of the API server to the node, by route and HTTP status.",
            ["route", "status"],
            registry=registry,
        )
