"""Fargate's rates as AWS's price list writes them: one product per kind of hour, each a text of JSON. Pure.

https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-price-list-query-api.html
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from app.model.offer import TABLE, Arch, Rate, Rates
from app.model.wire import Json
from app.ports.failures import Unavailable

_USAGE: Final = re.compile(r"(?:[A-Z0-9]+-)?(Fargate-[A-Za-z:-]+)")
"""A usage type without its region, which most regions put before it: `EUC1-Fargate-GB-Hours`."""

VCPU: Final = "Fargate-vCPU-Hours:perCPU"
MEMORY: Final = "Fargate-GB-Hours"
ARM_VCPU: Final = "Fargate-ARM-vCPU-Hours:perCPU"
ARM_MEMORY: Final = "Fargate-ARM-GB-Hours"
STORAGE: Final = "Fargate-EphemeralStorage-GB-Hours"

_DOLLARS: Final = "USD"


def rates_of(products: Iterable[str], *, region: str) -> Rates:
    """The region's rates from its products. Where ARM64 is not sold, its rates are those of amd64.

    Spot is not in the list: it is taken to be as much below on-demand as in the table that ships.

    Raises:
        Unavailable: the list has no Fargate in that region, or is not what it used to be.
    """
    found = _by_usage(products)
    try:
        amd64 = Rate(found[VCPU], found[MEMORY])
    except KeyError as missing:
        raise Unavailable(f"the price list names no {missing.args[0]} in {region}") from missing
    arm64 = Rate(found.get(ARM_VCPU, amd64.vcpu_hour), found.get(ARM_MEMORY, amd64.gib_hour))
    on_demand: dict[Arch, Rate] = {"amd64": amd64, "arm64": arm64}
    return Rates(
        on_demand=on_demand,
        spot={arch: _spot(rate, arch) for arch, rate in on_demand.items()},
        storage_gib_hour=found.get(STORAGE, TABLE.storage_gib_hour),
        region=region,
        source="live",
    )


def _spot(rate: Rate, arch: Arch) -> Rate:
    dear, cheap = TABLE.on_demand[arch], TABLE.spot[arch]
    return Rate(
        rate.vcpu_hour * cheap.vcpu_hour / dear.vcpu_hour, rate.gib_hour * cheap.gib_hour / dear.gib_hour
    )


def _by_usage(products: Iterable[str]) -> dict[str, float]:
    """US dollars for an hour, by kind of hour; what is free, of Windows or not of Fargate is left out."""
    found: dict[str, float] = {}
    for text in products:
        try:
            product = msgspec.json.decode(text)
            usage = _USAGE.fullmatch(str(product["product"]["attributes"]["usagetype"]))
            price = _price(product["terms"]["OnDemand"]) if usage else 0.0
        except (msgspec.MsgspecError, KeyError, TypeError, AttributeError, ValueError) as error:
            raise Unavailable(f"a product of the price list cannot be understood: {error!r}") from error
        if usage and price > 0:
            found[usage.group(1)] = price
    return found


def _price(terms: Mapping[str, Json]) -> float:
    prices = (
        float(dimension["pricePerUnit"][_DOLLARS])
        for term in terms.values()
        for dimension in term["priceDimensions"].values()
        if _DOLLARS in dimension["pricePerUnit"]
    )
    return max(prices, default=0.0)
