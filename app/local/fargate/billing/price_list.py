"""AWS's price list of Fargate in one region.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_pricing_GetProducts.html
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from app.local.fargate.config import FargateConfig
from app.local.fargate.protocol.errors import AwsError
from app.local.fargate.protocol.wire import Json

_DOLLARS: Final = {
    "Fargate-vCPU-Hours:perCPU": "0.0404800000",
    "Fargate-GB-Hours": "0.0044450000",
    "Fargate-ARM-vCPU-Hours:perCPU": "0.0323800000",
    "Fargate-ARM-GB-Hours": "0.0035600000",
    "Fargate-EphemeralStorage-GB-Hours": "0.0001110000",
    "Fargate-Windows-vCPU-Hours:perCPU": "0.0465520000",
    "ECS-EC2-GB-Hours": "0.0000000000",
}
"""us-east-1, 2026-09-11, with products beside Fargate's own, as the list has them."""

_REGION_CODES: Final = {"us-east-1": "USE1", "eu-central-1": "EUC1", "eu-west-1": "EU"}
_PAGE: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """The products that one region sells."""

    config: FargateConfig

    def operations(self) -> Mapping[str, Callable[[Json], Json]]:
        """The operations that this part answers."""
        return {"GetProducts": self.get}

    def get(self, params: Json) -> Json:
        """Products that meet all filters; an unknown field meets none, as at AWS."""
        if params["ServiceCode"] != "AmazonECS":
            raise AwsError("NotFoundException", f"Invalid Service Code: {params['ServiceCode']}")
        wanted = {each["Field"]: each["Value"] for each in params.get("Filters", ())}
        found = [
            _product(kind, attributes, dollars)
            for kind, dollars in _DOLLARS.items()
            if wanted.items() <= (attributes := self._attributes(kind)).items()
        ]
        start = int(params.get("NextToken", "0"))
        page: Json = {"FormatVersion": "aws_v1", "PriceList": found[start : start + _PAGE]}
        if start + _PAGE < len(found):
            page["NextToken"] = str(start + _PAGE)
        return page

    def _attributes(self, kind: str) -> dict[str, str]:
        code = _REGION_CODES.get(self.config.region)
        return {
            "regionCode": self.config.region,
            "servicecode": "AmazonECS",
            "usagetype": f"{code}-{kind}" if code else kind,
        }


def _product(kind: str, attributes: Mapping[str, str], dollars: str) -> str:
    """One element of PriceList: JSON in a string."""
    sku = f"SKU{sum(kind.encode()):08d}"
    dimension = {"unit": "hours", "pricePerUnit": {"USD": dollars}}
    term = {"sku": sku, "priceDimensions": {f"{sku}.JRTCKXETXF.6YS6EN2CT7": dimension}}
    product = {
        "product": {"productFamily": "Compute", "sku": sku, "attributes": dict(attributes)},
        "serviceCode": "AmazonECS",
        "terms": {"OnDemand": {f"{sku}.JRTCKXETXF": term}},
    }
    return msgspec.json.encode(product).decode()
