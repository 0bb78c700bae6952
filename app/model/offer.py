"""What Fargate charges and how much of it the account may have: written by the bridge, read by the extender.

The bridge alone has AWS credentials. It puts what it learned on its virtual node, so that the extender needs
no rights of its own. Prices are US dollars; Fargate bills per second from image pull to stop, at least one
minute: https://aws.amazon.com/fargate/pricing/.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal

import msgspec

from app.model.names import OFFER

Arch = Literal["amd64", "arm64"]
Purchase = Literal["on-demand", "spot"]
"""What a task runs on in the end; `spot-first` is a wish, not a purchase."""


class Rate(msgspec.Struct, frozen=True):
    """US dollars for a vCPU and for a GiB of memory, each for an hour."""

    vcpu_hour: float
    gib_hour: float


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """What a region charges. `storage_gib_hour` counts beyond the 20 GiB that are free.

    Attributes:
        region: as `eu-west-1`; empty for a table that fits none in particular.
        source: `live` from AWS's price list, or `table` from the figures that Spillway ships.
    """

    on_demand: Mapping[Arch, Rate]
    spot: Mapping[Arch, Rate]
    storage_gib_hour: float
    region: str = ""
    source: Literal["live", "table"] = "table"


class VcpuQuota(msgspec.Struct, frozen=True, kw_only=True):
    """Fargate vCPUs that the account may run at once in the region; None where nobody could ask.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html (L-3032A538, L-36FBB829)
    """

    on_demand: float | None = None
    spot: float | None = None


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """Prices and quotas as the bridge last saw them, and what its pods run on where they do not say."""

    rates: Rates
    quota: VcpuQuota = VcpuQuota()
    capacity: Literal["on-demand", "spot", "spot-first"] = "on-demand"
    at: datetime | None = None


class OfferError(ValueError):
    """The annotation is not one that the bridge wrote."""


TABLE: Final = Rates(
    on_demand={"amd64": Rate(0.04048, 0.004445), "arm64": Rate(0.03238, 0.00356)},
    spot={"amd64": Rate(0.01288871, 0.00141527), "arm64": Rate(0.01030969, 0.00113349)},
    storage_gib_hour=0.000111,
    region="us-east-1",
)
"""us-east-1: price list of 2026-09-11, Spot prices of 2026-09-28. Other regions charge more."""


_ARCHITECTURES: Final = frozenset({"amd64", "arm64"})
_DEAREST: Final = 1000.0
"""US dollars for an hour of a vCPU or a GiB; no price comes near."""
_LARGEST_QUOTA: Final = 1e9
"""In vCPUs."""


def read_offer(annotations: Mapping[str, str]) -> Offer | None:
    """The offer on a virtual node; None where it has none.

    Raises:
        OfferError: the annotation was written by someone else: it is none, or has figures that no price or
            quota has.
    """
    text = annotations.get(OFFER, "")
    if not text:
        return None
    try:
        offer = msgspec.json.decode(text, type=Offer)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise _unreadable(str(error)) from error
    if not _is_sound(offer):
        raise _unreadable("a price or a quota is missing, below zero or beyond all bounds")
    return offer


def _unreadable(why: str) -> OfferError:
    return OfferError(f"annotation {OFFER} holds no offer ({why}); remove it, the bridge writes it anew")


def _is_sound(offer: Offer) -> bool:
    """Whether every price is there and every figure can be reckoned with."""
    rates, quota = offer.rates, offer.quota
    tables = (rates.on_demand, rates.spot)
    if any(table.keys() != _ARCHITECTURES for table in tables):
        return False
    prices = [
        figure for table in tables for rate in table.values() for figure in (rate.vcpu_hour, rate.gib_hour)
    ]
    quotas = [figure for figure in (quota.on_demand, quota.spot) if figure is not None]
    return all(0 <= figure <= _DEAREST for figure in (*prices, rates.storage_gib_hour)) and all(
        0 <= figure <= _LARGEST_QUOTA for figure in quotas
    )


def written_offer(offer: Offer) -> str:
    """The annotation's value; equal offers are equal text."""
    return msgspec.json.encode(offer, order="deterministic").decode()
