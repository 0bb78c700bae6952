"""Offers as the extender reads them: what nobody can reckon with is no offer."""

import math

import msgspec
import pytest

from app.model.names import OFFER
from app.model.offer import TABLE, Offer, OfferError, Rate, Rates, VcpuQuota, read_offer, written_offer

SOUND = Offer(rates=TABLE, quota=VcpuQuota(on_demand=6, spot=0))


def with_rates(**fields: object) -> Offer:
    rates: Rates = msgspec.structs.replace(TABLE, **fields)
    return Offer(rates=rates)


def test_what_the_bridge_writes_is_read_again() -> None:
    assert read_offer({OFFER: written_offer(SOUND)}) == SOUND


def test_without_the_annotation_there_is_none() -> None:
    assert read_offer({}) is None


@pytest.mark.parametrize(
    "offer",
    [
        pytest.param(with_rates(spot={}), id="no price for Spot"),
        pytest.param(with_rates(on_demand={"amd64": Rate(1, 1)}), id="no price for arm64"),
        pytest.param(with_rates(storage_gib_hour=-0.1), id="a price below zero"),
        pytest.param(with_rates(storage_gib_hour=1e300), id="a price that no sum holds"),
        pytest.param(
            with_rates(on_demand={**TABLE.on_demand, "amd64": Rate(1e308, 1)}), id="a rate as large"
        ),
        pytest.param(Offer(rates=TABLE, quota=VcpuQuota(on_demand=-1)), id="a quota below zero"),
        pytest.param(Offer(rates=TABLE, quota=VcpuQuota(spot=1e308)), id="a quota that no sum holds"),
    ],
)
def test_an_offer_that_nobody_can_reckon_with_is_none_and_names_the_mend(offer: Offer) -> None:
    with pytest.raises(OfferError, match="remove it"):
        read_offer({OFFER: written_offer(offer)})


@pytest.mark.parametrize("text", ["cheap!", "{}", "[" * 100_000])
def test_text_that_is_no_offer_is_said_to_be_none(text: str) -> None:
    with pytest.raises(OfferError, match="remove it"):
        read_offer({OFFER: text})


def test_a_figure_beyond_all_floats_is_no_price() -> None:
    text = written_offer(SOUND).replace("0.000111", "1e999")
    assert not math.isfinite(float("1e999"))
    with pytest.raises(OfferError, match="remove it"):
        read_offer({OFFER: text})
