import pytest

from app.extender.homing.node_prices import estimated, listed
from app.extender.homing.node_shape import Load, packed, room_of, shape_of
from app.model.names import ARCH_LABEL, INSTANCE_TYPE_LABEL
from app.model.node import Node
from app.model.resources import Resources
from tests.builders import a_node
from tests.extender.homing.returns import an_overflow_pod

GIB = 2**30
ROOM = Resources(cpu_milli=2000, memory=8 * GIB, storage=100 * GIB, pods=110)


def of_type(name: str, kind: str, *, cpu: str = "2", memory: str = "8Gi") -> Node:
    return a_node(name, cpu=cpu, memory=memory, labels={INSTANCE_TYPE_LABEL: kind})


def a_load(name: str, *, cpu: str = "500m", memory: str = "1Gi", hourly: float = 0.02) -> Load:
    return Load(an_overflow_pod(name, cpu=cpu, memory=memory), hourly)


@pytest.mark.parametrize(
    ("kind", "hourly"),
    [
        pytest.param("m7i.large", 0.1008, id="a large"),
        pytest.param("m7g.large", 0.0816, id="an ARM one"),
        pytest.param("c5.4xlarge", 0.68, id="eight times the large"),
        pytest.param("m7i.24xlarge", 4.8384, id="the largest"),
        pytest.param("t3.medium", 0.0416, id="half the large"),
        pytest.param("m7i-flex.xlarge", 0.19152, id="a family with a dash"),
        pytest.param("p5.48xlarge", None, id="a family that is not in the table"),
        pytest.param("m7i.metal-24xl", None, id="a size that follows no rule"),
        pytest.param("", None, id="no type at all"),
    ],
)
def test_list_prices(kind: str, hourly: float | None) -> None:
    assert listed(kind) == hourly


@pytest.mark.parametrize(
    ("cpu", "gib", "arch", "listed_price"),
    [
        pytest.param(2000, 4, "amd64", 0.08925, id="c7i.large"),
        pytest.param(2000, 8, "amd64", 0.1008, id="m7i.large"),
        pytest.param(2000, 16, "amd64", 0.1323, id="r7i.large"),
        pytest.param(4000, 16, "arm64", 0.1632, id="m7g.xlarge"),
    ],
)
def test_the_estimate_is_within_four_per_cent_of_the_list(
    cpu: int, gib: int, arch: str, listed_price: float
) -> None:
    room = Resources(cpu_milli=cpu, memory=gib * GIB)
    price = estimated(room, "arm64" if arch == "arm64" else "amd64")
    assert price == pytest.approx(listed_price, rel=0.04)


def test_the_shape_is_the_commonest_among_the_nodes_and_its_price_the_lists() -> None:
    nodes = [of_type("a", "r7i.large"), of_type("b", "m7i.large"), of_type("c", "m7i.large")]
    shape = shape_of(nodes, given=None, hourly=None)
    assert shape is not None
    assert (shape.name, shape.hourly, shape.source) == ("m7i.large", 0.1008, "table")
    assert shape.room == ROOM


def test_a_type_that_is_not_listed_is_priced_by_its_cpu_and_memory() -> None:
    shape = shape_of([of_type("a", "x9.large")], given=None, hourly=None)
    assert shape is not None
    assert shape.source == "estimate"
    assert shape.hourly == pytest.approx(0.1036)


def test_an_arm_node_is_priced_as_one() -> None:
    shape = shape_of([a_node(cpu="2", memory="8Gi", labels={ARCH_LABEL: "arm64"})], given=None, hourly=None)
    assert shape is not None
    assert shape.hourly == pytest.approx(0.084, abs=0.001)


def test_a_price_that_is_set_counts_for_every_shape() -> None:
    shape = shape_of([of_type("a", "m7i.large")], given=None, hourly=0.03)
    assert shape is not None
    assert (shape.hourly, shape.source) == (0.03, "setting")


def test_a_shape_that_is_set_needs_no_node_and_has_slots_and_disk_enough() -> None:
    shape = shape_of([], given=room_of("cpu=3900m,memory=14Gi"), hourly=None)
    assert shape is not None
    assert (shape.room.cpu_milli, shape.room.memory, shape.room.pods) == (3900, 14 * GIB, 110)
    assert shape.room.storage > 1000 * GIB
    assert shape.source == "estimate"


def test_without_nodes_and_settings_there_is_no_shape() -> None:
    assert shape_of([], given=None, hourly=0.1) is None


def test_a_node_that_says_nothing_of_its_room_is_no_example() -> None:
    nodes = [a_node("a", cpu="0", memory="0"), a_node("b", cpu="many"), of_type("c", "m7i.large")]
    shape = shape_of(nodes, given=None, hourly=None)
    assert shape is not None
    assert shape.name == "m7i.large"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("cpu=4", id="no memory"),
        pytest.param("memory=4Gi", id="no cpu"),
        pytest.param("cpu=4,memory=lots", id="no quantity"),
        pytest.param("cpu=4,memory=4Gi,gpu=1", id="something else"),
        pytest.param("m7i.large", id="a type"),
    ],
)
def test_a_shape_that_means_nothing_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="cpu=3900m,memory=14Gi"):
        room_of(text)


def test_pods_fill_nodes_first_fit_the_dearest_node_first() -> None:
    loads = [a_load(f"small-{n}") for n in range(3)] + [a_load("large", cpu="1500m", hourly=0.06)]
    bins = packed(loads, ROOM)
    assert [[each.pod.metadata.name for each in one.loads] for one in bins] == [
        ["large", "small-0"],
        ["small-1", "small-2"],
    ]
    assert [one.hourly for one in bins] == [pytest.approx(0.08), pytest.approx(0.04)]


def test_a_pod_that_fits_on_no_node_is_left_out() -> None:
    assert packed([a_load("huge", memory="9Gi")], ROOM) == ()


def test_pod_slots_fill_up_too() -> None:
    room = Resources(cpu_milli=2000, memory=8 * GIB, pods=2, storage=GIB)
    assert len(packed([a_load(f"tiny-{n}", cpu="10m", memory="1Mi") for n in range(5)], room)) == 3
