from datetime import timedelta

import pytest

from app.model.names import HOMING_MANAGER
from app.model.replicas import Replicas
from app.ports.failures import Conflict, DisruptionBudget, NotFound, PortFailure, Refused, Unavailable
from tests.builders import NOON, a_node, a_pod, unschedulable
from tests.extender.homing.returns import MINUTE, WHOLE, a_trial, an_overflow_pod, owner, ready_since
from tests.extender.homing.shell import Home

EARLIER = NOON - 60 * MINUTE
TOO_FEW = Replicas(wanted=2, ready=1)
BUDGET = DisruptionBudget("Cannot evict pod as it would violate the pod's disruption budget.")


def overflowing(name: str = "web-1", *, of: str = "web") -> object:
    return an_overflow_pod(name, of=of, created=EARLIER, status=ready_since(EARLIER))


def a_home(*names: str) -> Home:
    """A cluster with room, and one overflow pod for each `CONTROLLER-N`."""
    pods = [overflowing(name, of=name.partition("-")[0]) for name in names]
    return Home(*pods)  # type: ignore[arg-type]  # pods


async def test_a_pod_goes_home_once_the_room_has_lasted() -> None:
    home = a_home("web-1")
    async with home.leading():
        await home.pass_by(minutes=5)
        assert home.evictions.evicted == []
        await home.pass_by(minutes=0.5)
    assert home.evictions.evicted == ["web-1"]


async def test_people_read_why_a_pod_was_evicted() -> None:
    home = a_home("web-1")
    async with home.leading():
        await home.pass_by(minutes=6)
    [(pod, reason, message)] = home.events.said
    assert (pod, reason) == ("shop/web-1", "ReturningHome")
    assert message.startswith("real nodes have had room for it for 300 s; ReplicaSet web makes it anew")


async def test_two_go_at_once_and_no_more_until_they_are_ready_again() -> None:
    home = a_home("a-1", "b-1", "c-1")
    async with home.leading():
        home.evictions.replicas_of = {"a": WHOLE, "b": WHOLE, "c": WHOLE}
        await home.pass_by(minutes=5.2)
        assert home.evictions.evicted == ["a-1", "b-1"]
        home.evictions.replicas_of |= dict.fromkeys("ab", Replicas(wanted=3, ready=2))
        await home.pass_by(minutes=5)
        assert home.evictions.evicted == ["a-1", "b-1"]
        home.evictions.replicas_of |= dict.fromkeys("ab", WHOLE)
        await home.pass_by(minutes=1)
    assert home.evictions.evicted == ["a-1", "b-1", "c-1"]
    assert home.metric("spillway_returns_total", outcome="home") == 3


async def test_the_last_ready_replica_stays() -> None:
    home = a_home("web-1")
    home.evictions.replicas_of["web"] = TOO_FEW
    async with home.leading():
        await home.pass_by(minutes=60)
    assert home.evictions.evicted == []
    assert [reason.code for reason in home.homecoming.stays.values()] in (
        ["TooFewReady"],
        ["RoomNotSustained"],
    )


async def test_those_who_may_not_go_do_not_keep_others() -> None:
    home = a_home(*(f"c{n:02}-1" for n in range(15)), "web-1")
    home.evictions.replicas_of = {f"c{n:02}": TOO_FEW for n in range(15)}
    async with home.leading():
        await home.pass_by(minutes=6)
    assert home.evictions.evicted == ["web-1"]


async def test_many_pods_of_controllers_that_spare_none_take_few_questions() -> None:
    home = a_home(*(f"c{n:02}-{pod}" for n in range(15) for pod in range(6)))
    home.evictions.replicas_of = {f"c{n:02}": TOO_FEW for n in range(15)}
    home.real = a_node(cpu="500", memory="500Gi")
    async with home.leading():
        await home.pass_by(minutes=0.2)
        home.pods.put(overflowing())  # type: ignore[arg-type]  # a pod
        await home.pass_by(minutes=5.6)
    assert home.evictions.evicted == ["web-1"]


async def test_room_goes_first_to_pods_that_can_be_spared() -> None:
    home = a_home(*(f"c{n:02}-1" for n in range(15)), "web-1")
    home.evictions.replicas_of = {f"c{n:02}": TOO_FEW for n in range(15)}
    home.real = a_node(cpu="500m")
    async with home.leading():
        await home.pass_by(minutes=200)
    assert home.evictions.evicted == ["web-1"]


async def test_an_eviction_is_written_down_before_it_is_made() -> None:
    home = a_home("web-1")
    home.evictions.hangs = True
    async with home.leading():
        await home.pass_by(minutes=5.2)
        [trial] = home.trials()
    assert (trial.state, trial.pod) == ("open", "uid-web-1")
    assert home.notebook.managers == {HOMING_MANAGER}


async def test_what_cannot_be_written_down_is_not_done() -> None:
    home = a_home("web-1")
    async with home.leading():
        home.notebook.failures = [Unavailable("down")]
        await home.pass_by(minutes=5.2)
        assert home.evictions.before == []
        await home.pass_by(minutes=0.5)
    assert home.evictions.evicted == ["web-1"]


@pytest.mark.parametrize(
    "failure", [pytest.param(BUDGET, id="budget"), pytest.param(Refused("403"), id="no right")]
)
async def test_a_refused_eviction_is_told_and_held_off(failure: PortFailure) -> None:
    home = a_home("web-1")
    async with home.leading():
        home.evictions.failures = [failure] * 9
        await home.pass_by(minutes=6)
        assert home.events.said == [("shop/web-1", "ReturnRefused", str(failure))]
        await home.pass_by(minutes=8)
        assert len(home.evictions.before) == 1
        await home.pass_by(minutes=2)
        assert len(home.evictions.before) == 2
        await home.pass_by(minutes=24 * 60)
    assert 6 <= len(home.evictions.before) <= 9
    [trial] = home.trials()
    assert trial.strikes == len(home.evictions.before)


@pytest.mark.parametrize("failure", [NotFound("gone"), Conflict("another")])
async def test_a_pod_that_went_by_itself_is_no_strike(failure: PortFailure) -> None:
    home = a_home("web-1")
    async with home.leading():
        home.evictions.failures = [failure]
        await home.pass_by(minutes=5.2)
        await home.pass_by(minutes=0.5)
    assert [trial.strikes for trial in home.trials()] == [0]


async def test_an_eviction_that_was_never_answered_nor_made_is_a_strike() -> None:
    home = a_home("web-1")
    async with home.leading():
        home.evictions.failures = [Unavailable("timeout")]
        await home.pass_by(minutes=7)
    assert [(trial.state, trial.strikes) for trial in home.trials()] == [("struck", 1)]
    assert home.evictions.before == ["web-1"]


async def test_a_pod_that_came_back_to_fargate_holds_its_controller_off() -> None:
    home = a_home("web-1", "web-2")
    async with home.leading():
        await home.pass_by(minutes=5.2)
        now = home.clock.now()
        home.pods.put(an_overflow_pod("web-3", created=now, status=ready_since(now)))
        await home.pass_by(minutes=9)
        assert len(home.evictions.evicted) == 1
        assert [trial.strikes for trial in home.trials()] == [1]
    assert home.metric("spillway_returns_total", outcome="struck") == 1


async def test_a_new_term_waits_its_full_time_and_remembers_what_failed() -> None:
    home = a_home("web-1")
    async with home.leading():
        home.evictions.failures = [BUDGET]
        await home.pass_by(minutes=5.2)
    async with home.leading():
        await home.pass_by(minutes=9)
        assert home.evictions.before == ["web-1"]
        await home.pass_by(minutes=2)
    assert home.evictions.evicted == ["web-1"]


async def test_who_lost_the_lease_evicts_nobody() -> None:
    home = a_home("web-1")
    async with home.leading():
        await home.pass_by(minutes=4.9)
        home.leads = False
        await home.pass_by(minutes=10)
    assert (home.evictions.evicted, home.written()) == ([], "")


async def test_a_controller_that_nobody_can_ask_keeps_its_pods() -> None:
    home = a_home("web-1")
    home.evictions.replicas_of["web"] = Unavailable("down")
    async with home.leading():
        await home.pass_by(minutes=30)
    assert home.evictions.before == []


async def test_the_room_is_left_to_pods_that_wait() -> None:
    home = a_home("web-1")
    home.pods.put(a_pod("first", cpu="7800m", status=unschedulable()))
    async with home.leading():
        await home.pass_by(minutes=30)
    assert home.evictions.before == []
    assert home.metric("spillway_overflow_staying", reason="NoRoom") == 1


async def test_records_go_when_they_no_longer_matter() -> None:
    home = a_home("web-1")
    async with home.leading():
        await home.pass_by(minutes=6)
        assert len(home.trials()) == 1
        await home.pass_by(minutes=24 * 60)
        assert home.written() == "[]"
    assert home.notebook.writes == 3


async def test_one_that_never_comes_back_leaves_a_place_for_others() -> None:
    home = a_home("a-1", "b-1", "c-1")
    async with home.leading():
        await home.pass_by(minutes=5.1)
        home.evictions.replicas_of["b"] = Replicas(wanted=3, ready=2)
        await home.pass_by(minutes=1)
    assert home.evictions.evicted == ["a-1", "b-1", "c-1"]


async def test_forged_records_take_no_more_questions_than_there_are_places() -> None:
    home = a_home()
    forged = [a_trial(owner=owner(f"o{n}"), until=NOON + 600 * MINUTE) for n in range(9)]
    home.evictions.replicas_of = {f"o{n}": Refused("no such kind") for n in range(9)}
    home.note(*forged)
    async with home.leading():
        await home.pass_by(minutes=0.4)
        assert len(home.evictions.asked) == 2
        await home.pass_by(minutes=1)
    assert {f"o{n}" for n in range(9)} == set(home.evictions.asked)


async def test_idle_looks_write_nothing() -> None:
    home = a_home()
    async with home.leading():
        await home.clock.advance(timedelta(hours=1).total_seconds())
    assert home.notebook.writes == 0
