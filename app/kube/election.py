"""Whose Lease it is: the rules of leader election, as functions of what was seen and when.

A candidate takes a Lease over only after it watched the same record for the Lease's whole duration on its own
steady clock; nobody's wall clock is compared with another's. The holder counts its own time from before it
sent the renewal, so it knows of the end no later than anybody else, as long as steady clocks run at about the
same rate.
"""

import msgspec

from app.kube.lease_wire import LeaseSpec, WireLease, judged
from app.model.wire import Json


class Sighting(msgspec.Struct, frozen=True):
    """A holder's record, and when we first saw it (steady seconds)."""

    record: str
    at: float


class Create(msgspec.Struct, frozen=True):
    """There is no Lease: make one."""


class Claim(msgspec.Struct, frozen=True):
    """The Lease is ours, free or expired: write our name on exactly the version that we saw."""


class Follow(msgspec.Struct, frozen=True):
    """Somebody else holds it."""

    sighting: Sighting


Move = Create | Claim | Follow


def move(
    lease: WireLease | None, *, identity: str, sighting: Sighting | None, now: float, seconds: float
) -> Move:
    """What a candidate does about the Lease that it read.

    Args:
        lease: the Lease, or None where there is none.
        identity: ours.
        sighting: what we saw last time.
        now: steady seconds, taken after the Lease was read.
        seconds: our own duration, for a Lease that does not tell its holder's.
    """
    if lease is None:
        return Create()
    seen = judged(lease)
    if seen.holder in {"", identity}:
        return Claim()
    if sighting is None or sighting.record != seen.record:
        return Follow(Sighting(seen.record, now))
    if now < sighting.at + (seen.duration or seconds):
        return Follow(sighting)
    return Claim()


def claimed(spec: LeaseSpec | None, *, identity: str, seconds: int, now: str) -> dict[str, Json]:
    """The spec that says "ours"; `spec` is the one before, `now` a MicroTime."""
    ours = spec is not None and spec.holder_identity == identity
    transitions = 0 if spec is None else (spec.lease_transitions or 0) + (0 if ours else 1)
    return {
        "holderIdentity": identity,
        "leaseDurationSeconds": seconds,
        "acquireTime": (spec.acquire_time or now) if ours and spec is not None else now,
        "renewTime": now,
        "leaseTransitions": transitions,
    }


def released(*, now: str) -> dict[str, Json]:
    """The fields that say "free": an empty holder and the shortest duration, as client-go leaves them."""
    return {"holderIdentity": "", "leaseDurationSeconds": 1, "acquireTime": now, "renewTime": now}


def document(
    before: dict[str, Json] | None, *, namespace: str, name: str, spec: dict[str, Json]
) -> dict[str, Json]:
    """The whole Lease to write; what others put on it stays, its resource version is the precondition."""
    if before is None:
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"namespace": namespace, "name": name},
            "spec": spec,
        }
    return {**before, "spec": {**before.get("spec", {}), **spec}}
