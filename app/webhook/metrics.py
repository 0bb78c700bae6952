"""What the webhook counts."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

MUTATED: Final = "mutated"
MARKED: Final = "marked"
UNTOUCHED: Final = "untouched"
REFUSED: Final = "refused"
FAILED: Final = "failed"
BAD_REQUEST: Final = "bad_request"

_SECONDS: Final = (0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0)


class WebhookMetrics:
    """Counters of one webhook, in the registry that its `/metrics` shows."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.admissions = Counter(
            "spillway_webhook_admissions",
            "Reviews by outcome: mutated, marked (not opted in, but asked about, since it bears the taint), "
            "untouched, refused (opted in, not runnable), failed, bad_request.",
            ["outcome"],
            registry=registry,
        )
        self.refusals = Counter(
            "spillway_webhook_refusals",
            "Reasons why opted-in pods got no overflow, by code.",
            ["code"],
            registry=registry,
        )
        self.unread_keys = Counter(
            "spillway_webhook_unread_keys",
            "Labels and annotations `spillway.dev/*` of pods that nobody reads, since they are misspelt.",
            registry=registry,
        )
        self.seconds = Histogram(
            "spillway_webhook_review_seconds",
            "Time from the whole body to the answer.",
            buckets=_SECONDS,
            registry=registry,
        )
        for outcome in (MUTATED, MARKED, UNTOUCHED, REFUSED, FAILED, BAD_REQUEST):
            self.admissions.labels(outcome)
