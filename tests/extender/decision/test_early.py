from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.extender.cluster.facts import SHIPPED_OFFER, Facts
from app.extender.cluster.pressure import Pressure
from app.extender.cluster.watermark import Watermark
from app.extender.decision.budget import Limits
from app.extender.decision.decisions import Burst, Plan, Wait
from app.extender.decision.gate import IN_FLIGHT, plan
from app.extender.decision.hindrance import GateConfig
from app.extender.decision.memory import Memory
from app.extender.decision.preference import Preference, Preferences
from app.fargate.prices import cost_of
from app.model import names
from app.model.early import EarlyRoom, owner_of, written_early
from app.model.grant import Grant
from app.model.namespace import Namespace
from app.model.node import Node
from app.model.pod import Pod
from app.model.resources import Resources
from tests.builders import NOON, VIRTUAL, a_node, a_pod, a_virtual_node, opted_in_toleration, owned_by
from tests.extender.fakes import a_grant, a_namespace, a_pressing_pod
from tests.extender.plans import CLOSED, ONE, facts_of, not_runnable, runnable

SECOND = timedelta(seconds=1)
GIB = 2**30
CONFIG = GateConfig(early_seats=2)
HIGH, LOW = (Pressure(mark=Watermark(mark, NOON)) for mark in ("high", "low"))
CALM = Pressure()
UNTIL = NOON + 60 * SECOND


def willing(owner: str = "web", **fields: Any) -> Pod:
    """A pod of a ReplicaSet that allows early burst."""
    annotations = {names.EARLY: "allowed", **fields.pop("annotations", {})}
    defaults = {
        "metadata": owned_by("ReplicaSet", owner),
        "tolerations": [opted_in_toleration()],
        "uid": f"uid-{owner}",
        "node": "ec2-0",
    }
    return a_pod(f"{owner}-1", annotations=annotations, **{**defaults, **fields})


def shown(
    *early: Pod,
    pressing: tuple[Pod, ...] = (),
    pressure: Pressure = HIGH,
    node: Node | None = None,
    nodes: tuple[Node, ...] = (),
    namespaces: Mapping[str, Namespace] | None = None,
    grants: Mapping[str, tuple[Grant, ...]] | None = None,
) -> Facts:
    """A cluster with such pods that allow early burst, and others that find no node."""
    facts = facts_of(
        pressing,
        nodes=nodes or (node or a_virtual_node(), a_node()),
        namespaces=namespaces or {"shop": a_namespace()},
        grants=grants,
    )
    return msgspec.structs.replace(facts, early=early, pressure={pod.uid: pressure for pod in early})


def decided(
    facts: Facts,
    *,
    config: GateConfig = CONFIG,
    now: datetime = NOON,
    refusals: Any = runnable,
    memory: Memory | None = None,
) -> Plan:
    return plan(facts, memory or Memory(), now=now, config=config, refusals=refusals)


def room_of(found: Plan) -> tuple[EarlyRoom | None, Resources]:
    (opening,) = found.openings
    return opening.early, opening.room


def test_above_the_high_mark_a_few_seats_stand_open() -> None:
    early, room = room_of(decided(shown(willing())))
    assert early == EarlyRoom(seats=2, owners={"shop/uid-web": ONE}, expires=UNTIL)
    assert room == Resources(cpu_milli=1000, memory=GIB, pods=2)


def test_every_seat_is_large_enough_for_any_of_the_pods() -> None:
    wide, tall = willing("wide", cpu="2", memory="512Mi"), willing("tall", cpu="250m", memory="4Gi")
    early, room = room_of(decided(shown(wide, tall)))
    assert early is not None
    assert [*early.owners] == ["shop/uid-tall", "shop/uid-wide"]
    assert room == Resources(cpu_milli=4000, memory=8 * GIB, pods=2)


@pytest.mark.parametrize(
    ("facts", "changes"),
    [
        pytest.param(shown(willing()), {"config": GateConfig()}, id="early burst is off"),
        pytest.param(
            shown(willing()),
            {"config": GateConfig(early_seats=2, actuator="toleration")},
            id="no extender is asked",
        ),
        pytest.param(
            shown(willing()),
            {"config": GateConfig(early_seats=2, gate="observe")},
            id="the gate only observes",
        ),
        pytest.param(
            shown(willing()), {"config": GateConfig(early_seats=2, gate="closed")}, id="the gate is closed"
        ),
        pytest.param(shown(willing(), pressure=LOW), {}, id="the pressure is low"),
        pytest.param(shown(willing(), pressure=CALM), {}, id="nobody knows the pressure"),
        pytest.param(shown(), {}, id="nobody allows it"),
        pytest.param(shown(willing(), namespaces={"shop": a_namespace(labels={})}), {}, id="not opted in"),
        pytest.param(shown(willing(labels={names.OVERFLOW: "disabled"})), {}, id="opted out"),
        pytest.param(shown(willing(labels={names.OVERFLOW: "required"})), {}, id="bursts anyway"),
        pytest.param(shown(willing(tolerations=[])), {}, id="does not bear the taint"),
        pytest.param(shown(willing(annotations={names.MAX_WAIT: "soon"})), {}, id="invalid words"),
        pytest.param(shown(willing()), {"refusals": not_runnable}, id="Fargate cannot run it"),
        pytest.param(
            shown(willing(annotations={"scheduling.k8s.io/group-name": "gang"})), {}, id="one of a gang"
        ),
        pytest.param(
            shown(willing()),
            {"config": GateConfig(early_seats=2, preferences=Preferences(otherwise=Preference.WAIT))},
            id="its class waits",
        ),
        pytest.param(shown(willing(), node=a_virtual_node(ready=False)), {}, id="no virtual node is ready"),
        pytest.param(
            shown(
                willing(),
                namespaces={
                    "shop": Namespace(
                        metadata=msgspec.structs.replace(
                            a_namespace().metadata, annotations={names.MAX_PODS: "many"}
                        )
                    )
                },
            ),
            {},
            id="a budget that means nothing",
        ),
    ],
)
def test_nothing_stands_open(facts: Facts, changes: dict[str, Any]) -> None:
    assert room_of(decided(facts, **changes)) == (None, CLOSED)


def test_a_wait_that_is_over_by_the_clock_keeps_nobody_from_bursting_early() -> None:
    early, _ = room_of(decided(shown(willing(annotations={names.MAX_WAIT: "1h"}))))
    assert early is not None


def test_a_pod_that_finds_no_node_comes_first() -> None:
    found = decided(shown(willing(), pressing=(a_pressing_pod(),)))
    assert [type(each) for each in found.decisions] == [Burst]
    assert room_of(found)[0] is None


def test_early_room_waits_until_grants_have_landed() -> None:
    pod = a_pressing_pod()
    facts = shown(willing(), pressing=(pod,), grants={VIRTUAL: (a_grant(pod),)})
    assert room_of(decided(facts))[0] is None


def test_who_only_waits_for_time_does_not_hold_it_up() -> None:
    patient = a_pressing_pod(annotations={names.MAX_WAIT: "1h"})
    found = decided(shown(willing(), pressing=(patient,)))
    assert [type(each) for each in found.decisions] == [Wait]
    assert room_of(found)[0] is not None


def test_seats_that_a_budget_has_no_room_for_are_not_opened() -> None:
    config = GateConfig(early_seats=2, budget=Limits(pods=1))
    assert room_of(decided(shown(willing()), config=config)) == (None, CLOSED)


def test_a_namespace_without_budget_is_left_out_and_others_are_not() -> None:
    poor = Namespace(
        metadata=msgspec.structs.replace(a_namespace("poor").metadata, annotations={names.MAX_PODS: "1"})
    )
    early, _ = room_of(
        decided(
            shown(
                willing(),
                willing("other", namespace="poor"),
                namespaces={"shop": a_namespace(), "poor": poor},
            )
        )
    )
    assert early is not None
    assert [*early.owners] == ["shop/uid-web"]


def test_what_is_open_is_written_anew_when_half_of_its_time_is_over() -> None:
    standing = EarlyRoom(seats=2, owners={"shop/uid-web": ONE}, expires=UNTIL)
    node = a_virtual_node(annotations={names.EARLY_ROOM: written_early(standing)})
    facts = shown(willing(), node=node)
    assert room_of(decided(facts, now=NOON + 29 * SECOND))[0] == standing
    later, _ = room_of(decided(facts, now=NOON + 30 * SECOND))
    assert later is not None
    assert later.expires == UNTIL + 30 * SECOND
    assert decided(facts, now=NOON).due == NOON + 30 * SECOND


def with_room(early: EarlyRoom | None) -> Node:
    """A virtual node that shows this early room."""
    return a_virtual_node(annotations={names.EARLY_ROOM: written_early(early)} if early else {})


def test_who_may_be_landing_counts_until_a_moment_after_the_seats_were_closed() -> None:
    config = GateConfig(early_seats=2, budget=Limits(pods=2))
    before = decided(shown(willing()), config=config)
    still_open = with_room(room_of(before)[0])
    pressing = shown(willing(), pressing=(a_pressing_pod(),), node=still_open)
    closing = decided(pressing, config=config, memory=before.memory, now=NOON + 10 * SECOND)
    assert [type(each) for each in closing.decisions] == [Wait]
    assert room_of(closing) == (None, CLOSED)
    assert closing.balances[0].spent.pods == 0
    pressing = shown(willing(), pressing=(a_pressing_pod(),))
    closed = decided(pressing, config=config, memory=closing.memory, now=NOON + 11 * SECOND)
    assert [type(each) for each in closed.decisions] == [Wait]
    assert closed.due == NOON + 11 * SECOND + IN_FLIGHT
    after = decided(pressing, config=config, memory=closed.memory, now=closed.due)
    assert [type(each) for each in after.decisions] == [Burst]


def test_a_new_leader_counts_what_an_earlier_one_left_open() -> None:
    config = GateConfig(early_seats=1, budget=Limits(pods=1))
    still_open = with_room(room_of(decided(shown(willing()), config=config))[0])
    pressing = shown(willing(), pressing=(a_pressing_pod(),), node=still_open)
    found = decided(pressing, config=config, now=NOON + 10 * SECOND)
    assert [type(each) for each in found.decisions] == [Wait]


def test_seats_are_not_opened_for_others_while_pods_may_be_landing_in_those_just_closed() -> None:
    config = GateConfig(early_seats=1, budget=Limits(pods=1))
    still_open = with_room(room_of(decided(shown(willing("web")), config=config))[0])
    both = shown(willing("web"), willing("db"), node=still_open)
    both = msgspec.structs.replace(both, pressure={both.early[0].uid: LOW, both.early[1].uid: HIGH})
    assert room_of(decided(both, config=config, now=NOON + 10 * SECOND)) == (None, CLOSED)


def test_a_time_that_nobody_reaches_breaks_nothing() -> None:
    far = EarlyRoom(seats=2, owners={"shop/uid-web": ONE}, expires=NOON.replace(year=9999, month=12, day=31))
    early, _ = room_of(decided(shown(willing(), node=with_room(far))))
    assert early is not None
    assert early.expires == UNTIL


def test_a_controller_that_fails_at_its_second_seat_takes_nothing_from_others() -> None:
    dear, cheap = willing("aaa", cpu="3", memory="8Gi"), willing("zzz", cpu="250m", memory="512Mi")
    config = GateConfig(early_seats=2, budget=Limits(vcpu=4))
    early, _ = room_of(decided(shown(dear, cheap), config=config))
    assert early is not None
    assert [*early.owners] == ["shop/uid-zzz"]


@pytest.mark.parametrize(
    ("pod", "config"),
    [
        pytest.param(
            a_pressing_pod(priorityClassName="batch"),
            GateConfig(early_seats=2, preferences=Preferences(by_class={"batch": Preference.WAIT})),
            id="its class waits",
        ),
        pytest.param(
            a_pressing_pod(cpu="8", memory="16Gi"),
            GateConfig(early_seats=2, budget=Limits(vcpu=4)),
            id="it is beyond the budget even so",
        ),
    ],
)
def test_a_pod_that_closing_would_not_help_closes_nothing(pod: Pod, config: GateConfig) -> None:
    found = decided(shown(willing(), pressing=(pod,)), config=config)
    assert [type(each) for each in found.decisions] == [Wait]
    assert room_of(found)[0] is not None


_SIZES = st.sampled_from(["250m", "500m", "1", "3"])
_BUDGET = st.one_of(st.none(), st.integers(0, 6))


@given(
    kinds=st.lists(st.tuples(st.sampled_from("abc"), _SIZES), min_size=1, max_size=5),
    pods=st.tuples(_BUDGET, _BUDGET, _BUDGET),
    vcpu=st.one_of(st.none(), st.floats(0, 12)),
    seats=st.integers(1, 3),
    taken=st.lists(st.integers(0, 9), max_size=3),
    presses=st.integers(0, 4),
    after=st.sampled_from([1, 10, 45]),
)
def test_whoever_takes_the_seats_no_budget_is_exceeded(
    kinds: list[tuple[str, str]],
    pods: tuple[int | None, int | None, int | None],
    vcpu: float | None,
    seats: int,
    taken: list[int],
    presses: int,
    after: int,
) -> None:
    limits = dict(zip("abc", pods, strict=True))
    spaces = {name: _space(name, most) for name, most in limits.items()}
    early = [willing(f"w{number}", namespace=name, cpu=cpu) for number, (name, cpu) in enumerate(kinds)]
    config = GateConfig(early_seats=seats, budget=Limits(vcpu=vcpu, pods=pods[0]))
    found = decided(shown(*early, namespaces=spaces), config=config)
    room, _ = room_of(found)
    allowed = [pod for pod in early if room is not None and owner_of(pod) in room.owners]
    landing = [allowed[each % len(allowed)] for each in taken[:seats]] if allowed else []
    waiting = tuple(a_pressing_pod(f"p{each}", uid=f"p{each}", namespace="a") for each in range(presses))
    facts = shown(*early, pressing=waiting, namespaces=spaces, node=with_room(room))
    later = decided(facts, config=config, memory=found.memory, now=NOON + after * SECOND)
    landing += [each.pod for each in later.decisions if isinstance(each, Burst)]
    _within(landing, limits, config.budget)


def _space(name: str, most: int | None) -> Namespace:
    annotations = {} if most is None else {names.MAX_PODS: str(most)}
    return Namespace(metadata=msgspec.structs.replace(a_namespace(name).metadata, annotations=annotations))


def _within(landed: list[Pod], limits: Mapping[str, int | None], cluster: Limits) -> None:
    for name, most in limits.items():
        assert most is None or sum(1 for pod in landed if pod.metadata.namespace == name) <= most
    costs = [cost_of(pod, SHIPPED_OFFER) for pod in landed]
    assert cluster.pods is None or len(landed) <= cluster.pods
    assert cluster.vcpu is None or sum(cost.vcpu for cost in costs if cost) <= cluster.vcpu + 1e-9
