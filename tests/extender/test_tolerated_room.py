"""How far the gate stands open where the leader adds tolerations."""

import pytest

from app.extender.decision.budget import Limits
from app.model.names import MAX_WAIT
from app.model.node import allocatable
from tests.builders import VIRTUAL, a_pod, opted_in_toleration, owned_by
from tests.extender.fake_pods import ToleratingGate, a_tolerating_gate, an_awaiting_pod
from tests.extender.fakes import pin, uids_on


@pytest.fixture
def gate() -> ToleratingGate:
    return a_tolerating_gate()


async def test_a_node_on_which_nobody_is_awaited_offers_no_slot(gate: ToleratingGate) -> None:
    async with gate.leading():
        pod = an_awaiting_pod()
        gate.pending.put(pod)
        await gate.pass_by()
        assert allocatable(gate.virtual()).pods == 1
        gate.land(gate.pending.stored[pod.key], VIRTUAL)
        await gate.pass_by(2)
        closed = allocatable(gate.virtual())
        assert (closed.pods, closed.cpu_milli) == (0, 500)


async def test_the_next_grant_opens_as_many_slots_as_there_are_pods(gate: ToleratingGate) -> None:
    async with gate.leading():
        for name in ("web-1", "web-2"):
            gate.pending.put(an_awaiting_pod(name))
            await gate.pass_by()
            gate.land(gate.pending.stored[f"shop/{name}"], VIRTUAL)
            await gate.pass_by(2)
        gate.pending.put(an_awaiting_pod("web-3"))
        await gate.pass_by()
        assert allocatable(gate.virtual()).pods == 3


async def test_a_daemon_sets_pod_is_let_in_and_then_the_node_is_closed_again(gate: ToleratingGate) -> None:
    daemon = a_pod(
        "ds", metadata=owned_by("DaemonSet"), affinity=pin(VIRTUAL), tolerations=[{"operator": "Exists"}]
    )
    async with gate.leading():
        gate.pods.put(daemon)
        await gate.pass_by()
        assert allocatable(gate.virtual()).pods == 1
        gate.land(daemon, VIRTUAL)
        await gate.pass_by(2)
        assert allocatable(gate.virtual()).pods == 0


async def test_who_took_anothers_room_leaves_that_one_its_grant_and_new_room(gate: ToleratingGate) -> None:
    lapsed = an_awaiting_pod("lapsed", tolerations=[opted_in_toleration()], annotations={MAX_WAIT: "1h"})
    async with gate.leading():
        victim = an_awaiting_pod("web-1")
        gate.pending.put(lapsed, victim)
        await gate.pass_by()
        assert uids_on(gate.virtual()) == {victim.uid}
        gate.land(lapsed, VIRTUAL)
        await gate.pass_by(1)
        assert uids_on(gate.virtual()) == {victim.uid}
        room = allocatable(gate.virtual())
        assert (room.pods, room.cpu_milli) == (2, 1000)


async def test_who_took_anothers_room_takes_its_place_in_the_budget() -> None:
    gate = a_tolerating_gate(budget=Limits(pods=1))
    lapsed = an_awaiting_pod("lapsed", tolerations=[opted_in_toleration()], annotations={MAX_WAIT: "1h"})
    async with gate.leading():
        victim = an_awaiting_pod("web-1")
        gate.pending.put(lapsed, victim)
        await gate.pass_by()
        gate.land(lapsed, VIRTUAL)
        await gate.pass_by(1)
        assert uids_on(gate.virtual()) == set()
        assert allocatable(gate.virtual()).cpu_milli == 500
        gate.pods.drop(lapsed.key)
        await gate.pass_by(2)
        assert uids_on(gate.virtual()) == {victim.uid}
        assert allocatable(gate.virtual()).cpu_milli == 500
