"""What AWS lets us have, as far as the bridge published it; all else is `spillway aws check`'s."""

from collections.abc import Iterator
from typing import Final

from app.doctor.finding import Finding, ok, skip, unread, warn
from app.doctor.seen import Seen, Unread
from app.model.node import Node
from app.model.offer import Offer, OfferError, read_offer

QUOTA: Final = "quota"
DEFAULT: Final = 6.0
"""Fargate vCPUs of a new account, on-demand and Spot each (L-3032A538, L-36FBB829)."""

_CHECK: Final = "spillway aws check, which asks AWS for all that the bridge needs"


def check(seen: Seen) -> Iterator[Finding]:
    """Each virtual node."""
    if isinstance(seen.nodes, Unread):
        yield unread(QUOTA, "what the bridge published of the account", seen.nodes)
    for node in seen.virtual:
        yield _of(node)


def _of(node: Node) -> Finding:
    try:
        offer = read_offer(node.metadata.annotations)
    except OfferError as error:
        return skip(QUOTA, f"{node.name}: {error}", "the bridge's logs, where it does not come back")
    if offer is None:
        return skip(QUOTA, f"{node.name} has no prices and quotas of the bridge yet", _CHECK)
    quotas = dict(_used(offer))
    known = {name: figure for name, figure in quotas.items() if figure is not None}
    if not known:
        return skip(QUOTA, f"{node.name}: the bridge may not ask for the account's Fargate quota", _CHECK)
    told = ", ".join(f"{figure:g} vCPU {name}" for name, figure in known.items())
    if min(known.values()) <= DEFAULT:
        codes = {"on-demand": "L-3032A538", "spot": "L-36FBB829"}
        name = min(known, key=lambda each: known[each])
        return warn(
            QUOTA,
            f"{node.name}: the account may run {told} on Fargate at once, a new account's quota: a burst "
            "soon ends there",
            "aws service-quotas request-service-quota-increase --service-code fargate --quota-code "
            f"{codes[name]} --desired-value 100; then spillway aws check",
        )
    return ok(QUOTA, f"{node.name}: {told} on Fargate; spillway aws check asks for the rest")


def _used(offer: Offer) -> Iterator[tuple[str, float | None]]:
    """The quotas of what pods run on where they do not say."""
    if offer.capacity in {"on-demand", "spot-first"}:
        yield "on-demand", offer.quota.on_demand
    if offer.capacity in {"spot", "spot-first"}:
        yield "spot", offer.quota.spot
