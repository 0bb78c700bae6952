"""What the issuer counts."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class IssuerMetrics:
    """Instruments, in the registry that its `/metrics` shows."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.writes = Counter(
            "spillway_issuer_writes",
            "Writes, by what was written: MakeCa, MakeNext, Promote, IssueLeaf, Publish, Inject, …",
            ["command"],
            registry=registry,
        )
        self.failures = Counter(
            "spillway_issuer_failures",
            "Looks that came to nothing, since the API server did not answer or refused.",
            registry=registry,
        )
        self.flaws = Gauge(
            "spillway_issuer_flaws",
            "What was wrong with Secrets and webhook configuration at the last look; the log says what.",
            registry=registry,
        )
