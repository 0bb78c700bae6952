"""Quantities are read as Kubernetes reads them, and written in its canonical form."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.model.quantity import GIB, QuantityError, bytes_text, exact, milli, milli_text, whole

amounts = st.integers(min_value=0, max_value=2**62)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("0", "0", id="zero"),
        pytest.param("500m", "0.5", id="milli"),
        pytest.param("1.5Gi", str(GIB * 3 // 2), id="fraction-of-a-binary-unit"),
        pytest.param("2e3", "2000", id="exponent"),
        pytest.param("2E3", "2000", id="capital-exponent"),
        pytest.param("2E", "2000000000000000000", id="exa-is-no-exponent"),
        pytest.param("1k", "1000", id="lower-case-k"),
        pytest.param("100n", "1e-7", id="nano"),
        pytest.param(".5", "0.5", id="no-digit-before-the-point"),
        pytest.param("5.", "5", id="no-digit-after-the-point"),
        pytest.param("+3", "3", id="plus"),
        pytest.param("-3Ki", "-3072", id="minus"),
        pytest.param("1e99999", "9223372036854775807", id="capped-as-in-kubernetes"),
        pytest.param("9E", "9000000000000000000", id="below-the-cap"),
        pytest.param("-16Ei", "-9223372036854775807", id="capped-below-zero"),
    ],
)
def test_a_quantity_has_an_exact_value(text: str, value: str) -> None:
    assert exact(text) == Decimal(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "half",
        "1K",
        "1GiB",
        "1e",
        "1e2.5",
        "1 Gi",
        " 1",
        "1\n",
        "0x10",
        "--1",
        ".",
        "Gi",
        "nan",
        "٣",
        "1" * 65,
        "1e9999999999",
    ],
)
def test_what_is_no_quantity_is_refused_with_examples(text: str) -> None:
    with pytest.raises(QuantityError, match="write for instance 500m"):
        exact(text)


@pytest.mark.parametrize(
    ("text", "millis", "integer"),
    [
        pytest.param("1", 1000, 1, id="whole"),
        pytest.param("1m", 1, 1, id="a-thousandth-is-rounded-up-to-one"),
        pytest.param("100u", 1, 1, id="less-than-a-thousandth-too"),
        pytest.param("1001m", 1001, 2, id="just-above"),
        pytest.param("0", 0, 0, id="zero-stays"),
    ],
)
def test_fractions_are_rounded_up(text: str, millis: int, integer: int) -> None:
    assert (milli(text), whole(text)) == (millis, integer)


@given(amounts)
def test_bytes_survive_writing_and_reading(value: int) -> None:
    assert whole(bytes_text(value)) == value


@given(st.integers(min_value=0, max_value=2**53))
def test_millicores_survive_writing_and_reading(value: int) -> None:
    assert milli(milli_text(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(GIB, "1Gi", id="largest-exact-unit"),
        pytest.param(GIB + 1024, "1048577Ki", id="smaller-unit"),
        pytest.param(1000, "1000", id="plain"),
        pytest.param(0, "0", id="zero"),
    ],
)
def test_bytes_are_written_in_the_largest_exact_unit(value: int, text: str) -> None:
    assert bytes_text(value) == text


@given(st.text(max_size=80))
def test_any_text_is_a_bounded_number_or_refused(text: str) -> None:
    try:
        value = abs(exact(text))
    except QuantityError:
        value = Decimal(0)
    assert value < 2**63
