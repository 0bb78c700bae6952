"""What the watches count, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter


class WatchMetrics:
    """The instruments of all watches of a program, in the registry that the caller serves."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.failures = Counter(
            "spillway_watch_failures",
            "Times that a list or watch broke and was begun again.",
            ["path"],
            registry=registry,
        )
        self.unreadable = Counter(
            "spillway_watch_unreadable",
            "Objects from the API server that could not be read and were passed over.",
            ["path"],
            registry=registry,
        )
