"""The size table, and that the size found is the smallest one that covers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.fargate.sizes import SIZES, Size, ephemeral_gib_for, size_for
from app.model.quantity import GIB, MIB
from app.model.reason import Reason

millicores = st.integers(min_value=0, max_value=32_000)
byte_counts = st.integers(min_value=0, max_value=244 * GIB)


def covers(size: Size, cpu_milli: int, memory: int) -> bool:
    return size.cpu_units * 1000 >= cpu_milli * 1024 and size.memory_mib * MIB >= memory


@pytest.mark.parametrize(
    ("cpu_milli", "memory", "size"),
    [
        pytest.param(0, 0, Size(256, 512), id="nothing-asked-takes-the-smallest"),
        pytest.param(250, 512 * MIB, Size(256, 512), id="exactly-the-smallest"),
        pytest.param(251, 512 * MIB, Size(512, 1024), id="one-millicore-more"),
        pytest.param(250, 512 * MIB + 1, Size(256, 1024), id="one-byte-more"),
        pytest.param(1000, 2 * GIB, Size(1024, 2048), id="a-thousand-millicores-are-1024-units"),
        pytest.param(500, 5 * GIB, Size(1024, 5120), id="memory-raises-the-cpu"),
        pytest.param(8000, 17 * GIB, Size(8192, 20480), id="steps-of-four"),
        pytest.param(16000, 33 * GIB, Size(16384, 40960), id="steps-of-eight"),
        pytest.param(17000, 61 * GIB, Size(32768, 122880), id="only-three-memories-at-32"),
        pytest.param(32000, 244 * GIB, Size(32768, 249856), id="exactly-the-largest"),
    ],
)
def test_size_is_the_cheapest_that_covers(cpu_milli: int, memory: int, size: Size) -> None:
    assert size_for(cpu_milli, memory) == size


@pytest.mark.parametrize(
    ("cpu_milli", "memory"),
    [
        pytest.param(32_001, 0, id="cpu"),
        pytest.param(0, 244 * GIB + 1, id="memory"),
    ],
)
def test_more_than_the_largest_size_is_refused_with_the_mend(cpu_milli: int, memory: int) -> None:
    answer = size_for(cpu_milli, memory)
    assert isinstance(answer, Reason)
    assert answer.code == "TooLarge"
    assert "32 vCPU, 244Gi); request less" in answer.message


@given(millicores, byte_counts)
def test_size_is_a_row_that_covers(cpu_milli: int, memory: int) -> None:
    size = size_for(cpu_milli, memory)
    assert size in SIZES
    assert isinstance(size, Size)
    assert covers(size, cpu_milli, memory)


@given(millicores, byte_counts)
def test_nothing_smaller_covers(cpu_milli: int, memory: int) -> None:
    size = size_for(cpu_milli, memory)
    assert isinstance(size, Size)
    assert not [each for each in SIZES if each < size and covers(each, cpu_milli, memory)]


def test_table_has_every_size_in_order_of_price() -> None:
    assert list(SIZES) == sorted(set(SIZES))
    assert len(SIZES) == 3 + 4 + 7 + 13 + 23 + 12 + 12 + 3


@pytest.mark.parametrize(
    ("storage", "gib"),
    [
        pytest.param(0, None, id="nothing-asked"),
        pytest.param(20 * GIB, None, id="the-default-covers"),
        pytest.param(20 * GIB + 1, 21, id="one-byte-more"),
        pytest.param(200 * GIB, 200, id="the-most"),
    ],
)
def test_ephemeral_storage_is_named_only_above_the_default(storage: int, gib: int | None) -> None:
    assert ephemeral_gib_for(storage) == gib


def test_ephemeral_storage_above_the_most_is_refused() -> None:
    answer = ephemeral_gib_for(200 * GIB + 1)
    assert isinstance(answer, Reason)
    assert answer.code == "TooMuchEphemeralStorage"
