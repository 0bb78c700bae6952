from datetime import timedelta
from typing import Any

import pytest

from app.extender.homing.node_shape import Bin, Load
from app.extender.homing.pace import Queue, turns_in, turns_of
from app.model.pod import Pod
from tests.extender.homing.returns import an_overflow_pod

HOUR = timedelta(hours=1)


def pods(of: str, count: int, **fields: Any) -> list[Pod]:
    return [an_overflow_pod(f"{of}-{n}", of=of, **fields) for n in range(count)]


def a_bin(*found: Pod, hourly: float = 1.0) -> Bin:
    return Bin(tuple(Load(pod, hourly / len(found)) for pod in found), hourly)


def admitted(*bins: Bin, promised: list[Pod] | None = None, lanes: int = 2) -> list[int]:
    """How many pods of each bin would go home in time, where a node costs half of a bin's worth."""
    queue = Queue(promised or (), stay=HOUR, lanes=lanes)
    return [len(each.loads) for each in queue.admitted(bins, hourly=0.5)]


@pytest.mark.parametrize(
    ("stay", "turns"),
    [
        pytest.param(HOUR, 40, id="an hour"),
        pytest.param(timedelta(minutes=1), 10, id="a stay of a minute still has some"),
    ],
)
def test_a_stay_has_so_many_turns(stay: timedelta, turns: int) -> None:
    assert turns_in(stay) == turns


def test_a_pod_that_takes_long_to_end_takes_more_turns() -> None:
    assert turns_of(an_overflow_pod()) == 1
    assert turns_of(an_overflow_pod(terminationGracePeriodSeconds=120)) == 2


def test_pods_of_one_controller_beyond_its_turns_wait() -> None:
    assert admitted(a_bin(*pods("web", 30)), a_bin(*pods("web", 30))) == [30]


def test_another_controller_has_turns_of_its_own() -> None:
    assert admitted(a_bin(*pods("web", 30)), a_bin(*pods("api", 30))) == [30, 30]


def test_controllers_of_two_namespaces_that_claim_one_uid_are_two() -> None:
    elsewhere = pods("web", 30, namespace="other")
    assert admitted(a_bin(*pods("web", 30)), a_bin(*elsewhere)) == [30, 30]


def test_all_controllers_together_have_as_many_turns_as_go_home_at_once() -> None:
    bins = [a_bin(*pods(of, 30)) for of in ("web", "api", "job")]
    assert admitted(*bins) == [30, 30]
    assert admitted(*bins, lanes=3) == [30, 30, 30]


def test_turns_that_are_promised_are_taken() -> None:
    assert admitted(a_bin(*pods("web", 30)), promised=pods("web", 20)) == []


def test_of_a_node_of_many_small_pods_as_many_are_asked_for_as_go_home() -> None:
    assert admitted(a_bin(*pods("web", 100))) == [40]


def test_behind_a_node_that_waits_those_come_that_are_worth_one_by_themselves() -> None:
    first, second = a_bin(*pods("web", 30)), a_bin(*pods("web", 30))
    assert admitted(first, second, a_bin(*pods("api", 5)), a_bin(*pods("job", 5), hourly=0.1)) == [30, 5]
