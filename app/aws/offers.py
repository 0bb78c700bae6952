"""Fargate's prices and the account's vCPU quotas (app.ports.offers.Offers).

Asked a few times a day, so the clients are built for the question and given back: kept, they would cost the
bridge megabytes.
"""

from typing import Final

from app.aws.connection import Channel, Connection
from app.aws.price_list import rates_of
from app.model.offer import Rates, VcpuQuota
from app.model.wire import Json
from app.ports.failures import NotFound, Unavailable
from app.ports.offers import Offers

PRICING_REGION: Final = "us-east-1"
"""The price list of all regions is asked in a few of them:
https://docs.aws.amazon.com/general/latest/gr/billing.html#billing-pricing"""

_ON_DEMAND: Final = "L-3032A538"
_SPOT: Final = "L-36FBB829"
_MOST_PAGES: Final = 20


class AwsOffers(Offers):
    """One region of the account."""

    def __init__(self, connection: Connection) -> None:
        """Nothing is asked yet."""
        self._connection = connection

    async def rates(self) -> Rates:
        """The region's rates.

        Raises:
            Refused: the bridge's role lacks pricing:GetProducts.
            Unavailable: no answer, or none that can be understood.
        """
        region = self._connection.region
        async with self._connection.borrowed("pricing", region=PRICING_REGION) as channel:
            return rates_of(await _products(channel, region), region=region)

    async def quota(self) -> VcpuQuota:
        """The account's vCPU quotas in the region.

        Raises:
            Refused: the bridge's role lacks servicequotas:GetServiceQuota.
        """
        async with self._connection.borrowed("service-quotas") as channel:
            on_demand = await _quota(channel, _ON_DEMAND)
            return VcpuQuota(on_demand=on_demand, spot=await _quota(channel, _SPOT))


async def _products(channel: Channel, region: str) -> list[str]:
    asked: dict[str, Json] = {
        "ServiceCode": "AmazonECS",
        "FormatVersion": "aws_v1",
        "Filters": [{"Type": "TERM_MATCH", "Field": "regionCode", "Value": region}],
    }
    found: list[str] = []
    for _ in range(_MOST_PAGES):
        page = await channel.call("get_products", **asked)
        found += page.get("PriceList", ())
        if not page.get("NextToken"):
            return found
        asked["NextToken"] = page["NextToken"]
    raise Unavailable(f"the price list of {region} has more than {_MOST_PAGES} pages")


async def _quota(channel: Channel, code: str) -> float | None:
    """The quota as it was raised, or AWS's default where nobody raised it; None where it has no number."""
    try:
        answer = await channel.call("get_service_quota", ServiceCode="fargate", QuotaCode=code)
    except NotFound:
        answer = await channel.call("get_aws_default_service_quota", ServiceCode="fargate", QuotaCode=code)
    value = answer.get("Quota", {}).get("Value")
    return None if value is None else float(value)
