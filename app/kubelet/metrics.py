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
        self.reviews = Counter(
            "spillway_kubelet_reviews",
            "Callers' tokens and rights, by how they were judged: remembered (from memory), asked (the API "
            "server answered), failed (it did not).",
            ["kind", "outcome"],
            registry=registry,
        )
        self.denied = Counter(
            "spillway_kubelet_denied",
            "Requests that were answered 401 (unauthorized), 403 (forbidden) or, since nobody could say, 500 "
            "(undecided).",
            ["reason"],
            registry=registry,
        )
