"""What is read from AWS's price list."""

import json
from typing import Any

import pytest

from app.aws.price_list import rates_of
from app.model.offer import TABLE, Rate
from app.ports.failures import Unavailable


def a_product(usage: str, dollars: str, *, currency: str = "USD") -> str:
    """One element of `PriceList`, as AWS writes it."""
    dimension = {"unit": "hours", "pricePerUnit": {currency: dollars}}
    return json.dumps(
        {
            "product": {"attributes": {"usagetype": usage, "regionCode": "eu-central-1"}},
            "terms": {"OnDemand": {"SKU.TERM": {"priceDimensions": {"SKU.TERM.DIM": dimension}}}},
        }
    )


FRANKFURT = (
    a_product("EUC1-Fargate-vCPU-Hours:perCPU", "0.0465600000"),
    a_product("EUC1-Fargate-GB-Hours", "0.0051100000"),
    a_product("EUC1-Fargate-ARM-vCPU-Hours:perCPU", "0.0372500000"),
    a_product("EUC1-Fargate-ARM-GB-Hours", "0.0040900000"),
    a_product("EUC1-Fargate-EphemeralStorage-GB-Hours", "0.0001320000"),
)


def test_each_kind_of_hour_has_its_rate() -> None:
    rates = rates_of(FRANKFURT, region="eu-central-1")
    assert rates.on_demand == {"amd64": Rate(0.04656, 0.00511), "arm64": Rate(0.03725, 0.00409)}
    assert (rates.storage_gib_hour, rates.region, rates.source) == (0.000132, "eu-central-1", "live")


def test_spot_is_as_much_cheaper_as_in_the_table() -> None:
    spot = rates_of(FRANKFURT, region="eu-central-1").spot["amd64"]
    table, cheap = TABLE.on_demand["amd64"], TABLE.spot["amd64"]
    assert spot.vcpu_hour / 0.04656 == pytest.approx(cheap.vcpu_hour / table.vcpu_hour)
    assert spot.gib_hour / 0.00511 == pytest.approx(cheap.gib_hour / table.gib_hour)


@pytest.mark.parametrize(
    "beside",
    [
        pytest.param(a_product("EUC1-Fargate-Windows-vCPU-Hours:perCPU", "0.09"), id="Windows"),
        pytest.param(a_product("EUC1-ECS-EC2-GB-Hours", "0.0000000000"), id="ECS on EC2, free"),
        pytest.param(a_product("EUC1-Fargate-vCPU-Hours:perCPU", "0.0000000000"), id="a free tier"),
        pytest.param(a_product("EUC1-Fargate-GB-Hours", "0.04", currency="CNY"), id="another currency"),
    ],
)
def test_products_beside_those_change_nothing(beside: str) -> None:
    assert rates_of((*FRANKFURT, beside), region="eu-central-1") == rates_of(FRANKFURT, region="eu-central-1")


def test_the_first_regions_usage_types_have_no_prefix() -> None:
    products = (a_product("Fargate-vCPU-Hours:perCPU", "0.04"), a_product("Fargate-GB-Hours", "0.004"))
    assert rates_of(products, region="us-east-1").on_demand["amd64"] == Rate(0.04, 0.004)


def test_where_arm64_is_not_sold_it_costs_as_amd64() -> None:
    assert rates_of(FRANKFURT[:2], region="eu-central-1").on_demand["arm64"] == Rate(0.04656, 0.00511)


@pytest.mark.parametrize(
    ("products", "said"),
    [
        pytest.param((), "names no Fargate-vCPU-Hours:perCPU in mars-1", id="none"),
        pytest.param(FRANKFURT[:1], "names no Fargate-GB-Hours in mars-1", id="half of them"),
        pytest.param(("{",), "cannot be understood", id="no JSON"),
        pytest.param(("{}",), "cannot be understood", id="another shape"),
        pytest.param(("[]",), "cannot be understood", id="no object"),
        pytest.param((a_product("Fargate-GB-Hours", "much"),), "cannot be understood", id="no number"),
    ],
)
def test_a_list_that_does_not_tell_is_no_answer(products: tuple[Any, ...], said: str) -> None:
    with pytest.raises(Unavailable, match=said):
        rates_of(products, region="mars-1")
