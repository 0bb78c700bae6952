"""Leases as coordination.k8s.io/v1 writes them.

https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/lease-v1/
"""

from app.model.meta import ObjectMeta
from app.model.wire import Wire
from app.ports.kubernetes import Lease


class LeaseSpec(Wire, frozen=True):
    """A Lease's spec. Times stay text: they are another machine's clock, good only to tell records apart."""

    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: str | None = None
    renew_time: str | None = None
    lease_transitions: int | None = None


class WireLease(Wire, frozen=True):
    """A Lease."""

    metadata: ObjectMeta = ObjectMeta()
    spec: LeaseSpec = LeaseSpec()


def judged(lease: WireLease) -> Lease:
    """The Lease as the port has it.

    The record leaves the resource version out: a label set by somebody else is no renewal.
    """
    spec = lease.spec
    holder = spec.holder_identity or ""
    return Lease(
        holder=holder,
        duration=float(spec.lease_duration_seconds or 0),
        record=f"{holder} {spec.acquire_time} {spec.renew_time} {spec.lease_transitions}",
    )
