import msgspec
import pytest

from app.kubelet.forwarding.pairs import MOST_WAITING, Pairs


class Labels(msgspec.Struct, frozen=True):
    """A stream as far as pairs look at it."""

    number: int
    kind: str
    port: str = "80"
    request: str = ""

    def header(self, name: str) -> str:
        return {"streamtype": self.kind, "port": self.port, "requestid": self.request}[name]


def test_two_streams_of_one_request_are_a_pair_in_either_order() -> None:
    pairs: Pairs[Labels] = Pairs()
    error, other, data = (
        Labels(1, "error", request="7"),
        Labels(3, "error", request="8"),
        Labels(5, "data", request="7"),
    )
    first = pairs.add(error)
    assert pairs.add(other) is not first
    assert first is not None
    assert pairs.add(data) is first
    assert (first.data, first.error, first.port) == (data, error, 80)


def test_old_clients_open_the_streams_of_a_pair_one_behind_the_other() -> None:
    pairs: Pairs[Labels] = Pairs()
    assert pairs.add(Labels(1, "error")) is pairs.add(Labels(3, "data"))
    assert pairs.add(Labels(5, "error")) is not pairs.add(Labels(9, "data"))


def test_no_more_than_so_many_wait_for_their_other_stream() -> None:
    pairs: Pairs[Labels] = Pairs()
    for number in range(MOST_WAITING):
        assert pairs.add(Labels(2 * number + 1, "error", request=str(number)))
    assert pairs.add(Labels(9001, "error", request="late")) is None
    assert pairs.add(Labels(9003, "data", request="7"))
    assert pairs.add(Labels(9005, "error", request="late"))


def test_a_request_may_come_again_once_its_pair_is_complete() -> None:
    pairs: Pairs[Labels] = Pairs()
    first = pairs.add(Labels(1, "error", request="7"))
    pairs.add(Labels(3, "data", request="7"))
    assert pairs.add(Labels(5, "error", request="7")) is not first


def test_a_pair_that_is_given_up_is_not_waited_for() -> None:
    pairs: Pairs[Labels] = Pairs()
    first = pairs.add(Labels(1, "error", request="7"))
    assert first is not None
    pairs.give_up(first)
    assert pairs.add(Labels(3, "data", request="7")) is not first


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param(Labels(3, "error", request="7"), id="the same again"),
        pytest.param(Labels(3, "stdin", request="7"), id="another kind"),
        pytest.param(Labels(3, "data", port="http", request="7"), id="no port"),
    ],
)
def test_a_stream_that_fits_nowhere_belongs_to_no_pair(stream: Labels) -> None:
    pairs: Pairs[Labels] = Pairs()
    pairs.add(Labels(1, "error", request="7"))
    assert pairs.add(stream) is None
