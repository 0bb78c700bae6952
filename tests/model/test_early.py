import pytest

from app.model import names
from app.model.early import EarlyRoom, owner_of, read_early, written_early
from app.model.resources import Resources
from tests.builders import NOON, a_pod, owned_by

ROOM = EarlyRoom(
    seats=2, owners={"shop/uid-web": Resources(cpu_milli=500, memory=2**29, pods=1)}, expires=NOON
)


def test_what_is_written_is_read() -> None:
    assert read_early({names.EARLY_ROOM: written_early(ROOM)}) == ROOM


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("yes", id="no JSON"),
        pytest.param('{"x":' + "[" * 50_000 + "]" * 50_000 + "}", id="nested deep"),
        pytest.param('{"seats": 2, "owners": "all", "expires": "2026-01-01T12:00:00Z"}', id="another shape"),
        pytest.param('{"seats": 2, "owners": [], "expires": "2026-01-01T12:00:00"}', id="no time zone"),
    ],
)
def test_what_the_gate_did_not_write_opens_nothing(text: str) -> None:
    assert read_early({names.EARLY_ROOM: text}) is None


def test_a_pod_is_one_of_its_controllers_and_of_its_namespace() -> None:
    owned = a_pod(namespace="shop", metadata=owned_by("ReplicaSet", "web"))
    assert (owner_of(owned), owner_of(a_pod())) == ("shop/uid-web", "")
