"""The embedded Price List and Service Quotas, asked as AWS's are."""

import json
from collections.abc import AsyncIterator

import pytest
from botocore.exceptions import ClientError

from app.local.fargate.running.processes import host_has
from tests.local.fargate.clients import Far

IN_REGION = [{"Type": "TERM_MATCH", "Field": "regionCode", "Value": "us-east-1"}]


@pytest.fixture
async def far() -> AsyncIterator[Far]:
    made = Far(can_execute=host_has)
    await made.start()
    yield made
    await made.stop()


async def test_products_come_in_pages(far: Far) -> None:
    first = await far.ask("pricing", "get_products", ServiceCode="AmazonECS", Filters=IN_REGION)
    rest = await far.ask(
        "pricing", "get_products", ServiceCode="AmazonECS", Filters=IN_REGION, NextToken=first["NextToken"]
    )
    products = [json.loads(each) for each in (*first["PriceList"], *rest["PriceList"])]
    usages = {each["product"]["attributes"]["usagetype"] for each in products}
    assert "USE1-Fargate-vCPU-Hours:perCPU" in usages
    assert "NextToken" not in rest


async def test_another_regions_products_are_not_here(far: Far) -> None:
    elsewhere = [{"Type": "TERM_MATCH", "Field": "regionCode", "Value": "mars-1"}]
    answer = await far.ask("pricing", "get_products", ServiceCode="AmazonECS", Filters=elsewhere)
    assert answer["PriceList"] == []


async def test_an_account_starts_with_six_vcpus(far: Far) -> None:
    answer = await far.ask(
        "service-quotas", "get_aws_default_service_quota", ServiceCode="fargate", QuotaCode="L-3032A538"
    )
    assert answer["Quota"]["Value"] == 6


async def test_an_unknown_quota_is_not_found(far: Far) -> None:
    with pytest.raises(ClientError, match="NoSuchResourceException"):
        await far.ask("service-quotas", "get_service_quota", ServiceCode="fargate", QuotaCode="L-00000000")
