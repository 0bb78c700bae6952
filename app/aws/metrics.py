"""What is counted of AWS's answers, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter


class AwsMetrics:
    """Instruments, in the registry that the caller serves."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.throttled = Counter(
            "spillway_aws_throttled", "Calls that AWS throttled, by lane.", ["lane"], registry=registry
        )
