import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kubelet.streaming.sizes import MOST_CHARACTERS, Sizes


def test_sizes_are_read_whatever_pieces_they_come_in() -> None:
    sizes = Sizes()
    assert sizes.feed(b'{"Width":80,"Hei') is None
    assert sizes.feed(b'ght":24}\n{') == (80, 24)
    assert sizes.feed(b'"Height":1,"Width":2}') == (2, 1)


def test_of_several_sizes_the_last_counts() -> None:
    assert Sizes().feed(b'{"Width":80,"Height":24}\n{"Width":100,"Height":40}{') == (100, 40)


def test_a_flood_of_objects_costs_no_more_than_its_bytes() -> None:
    sizes = Sizes()
    assert sizes.feed(b"{}" * 4_000_000) is None
    assert sizes.feed(b'{"Width":80,"Height":24}') == (80, 24)


@pytest.mark.parametrize(
    "nonsense",
    [
        pytest.param(b"[1]", id="no object"),
        pytest.param(b"{}", id="empty"),
        pytest.param(b'{"Width":0,"Height":24}', id="no width"),
        pytest.param(b'{"Width":80,"Height":-1}', id="negative"),
        pytest.param(b'{"Width":70000,"Height":24}', id="too wide"),
        pytest.param(b'{"Width":"80","Height":"24"}', id="texts"),
    ],
)
def test_what_makes_no_sense_is_passed_over(nonsense: bytes) -> None:
    assert Sizes().feed(nonsense + b'{"Width":80,"Height":24}') == (80, 24)


def test_what_never_ends_is_forgotten() -> None:
    sizes = Sizes()
    sizes.feed(b"[" * (MOST_CHARACTERS + 1))
    assert sizes.feed(b'{"Width":80,"Height":24}') == (80, 24)


@given(noise=st.binary(max_size=200))
def test_noise_is_no_size(noise: bytes) -> None:
    assert all(0 < side <= 0xFFFF for side in Sizes().feed(noise) or ())
