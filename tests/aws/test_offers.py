"""Prices and quotas, asked of AWS."""

import pytest

from app.aws.connection import Connection
from app.aws.offers import AwsOffers
from app.model.offer import Rate, VcpuQuota
from app.ports.failures import Refused, Unavailable
from tests.aws.fakes import HANG_UP, Answer, AwsStub, an_error
from tests.aws.test_price_list import FRANKFURT

PRODUCTS = "GetProducts"
QUOTA = "GetServiceQuota"
DEFAULT = "GetAWSDefaultServiceQuota"


@pytest.fixture
def offers(connection: Connection) -> AwsOffers:
    return AwsOffers(connection)


def a_quota(value: float) -> Answer:
    return Answer({"Quota": {"ServiceCode": "fargate", "Value": value}})


async def test_the_price_list_is_read_to_its_last_page(aws: AwsStub, offers: AwsOffers) -> None:
    first = Answer({"FormatVersion": "aws_v1", "PriceList": FRANKFURT[:1], "NextToken": "t-1"})
    aws.script(PRODUCTS, first, Answer({"FormatVersion": "aws_v1", "PriceList": FRANKFURT[1:]}))

    assert (await offers.rates()).on_demand["arm64"] == Rate(0.03725, 0.00409)
    asked = aws.asked(PRODUCTS)
    assert [each.get("NextToken") for each in asked] == [None, "t-1"]
    assert asked[0]["Filters"] == [{"Type": "TERM_MATCH", "Field": "regionCode", "Value": "eu-west-3"}]


async def test_a_list_without_an_end_is_given_up(aws: AwsStub, offers: AwsOffers) -> None:
    endless = Answer({"FormatVersion": "aws_v1", "PriceList": [], "NextToken": "again"})
    aws.script(PRODUCTS, *[endless] * 20)

    with pytest.raises(Unavailable, match="more than 20 pages"):
        await offers.rates()


async def test_quotas_are_those_that_were_raised(aws: AwsStub, offers: AwsOffers) -> None:
    aws.script(QUOTA, a_quota(500), a_quota(1000))

    assert await offers.quota() == VcpuQuota(on_demand=500, spot=1000)


async def test_a_quota_that_nobody_raised_is_the_default(aws: AwsStub, offers: AwsOffers) -> None:
    aws.script(QUOTA, an_error("NoSuchResourceException"), a_quota(64))
    aws.script(DEFAULT, a_quota(6))

    assert await offers.quota() == VcpuQuota(on_demand=6, spot=64)


async def test_a_role_without_the_right_is_refused(aws: AwsStub, offers: AwsOffers) -> None:
    aws.script(QUOTA, an_error("AccessDeniedException", "not authorized to perform"))

    with pytest.raises(Refused, match="policy of the bridge's role"):
        await offers.quota()


async def test_no_answer_is_no_answer(aws: AwsStub, offers: AwsOffers) -> None:
    aws.script(PRODUCTS, HANG_UP)

    with pytest.raises(Unavailable):
        await offers.rates()
