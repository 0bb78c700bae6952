"""A Lease as people look at it: who holds it, and when it was last renewed by its holder's own clock.

Programs must not trust that time (`app.kube.election`, `app.bridge.node.lease_age`): they watch the record.
Whoever looks only once has nothing else.

https://kubernetes.io/docs/concepts/architecture/leases/
"""

from datetime import datetime

from app.model.meta import ObjectMeta
from app.model.wire import Wire


class LeaseHolding(Wire, frozen=True):
    """A Lease's spec."""

    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    renew_time: datetime | None = None


class LeaseObject(Wire, frozen=True):
    """A Lease."""

    metadata: ObjectMeta = ObjectMeta()
    spec: LeaseHolding = LeaseHolding()

    @property
    def holder(self) -> str:
        """Who holds it; empty where nobody does."""
        return self.spec.holder_identity or ""
