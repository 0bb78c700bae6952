"""The virtual node's room: closed without grants, and never wider than what is granted."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.model.grant import Grant
from app.model.pod import Pod
from app.model.requests import requests_of
from app.model.resources import Resources, total
from app.model.virtual_node import FLOOR, is_overflow, room
from tests.builders import NOON, VIRTUAL, a_pod, owned_by

NOTHING = Resources()
ROOM = Resources(cpu_milli=500, memory=512 * 2**20, pods=1)
FULL = Resources(cpu_milli=500, memory=512 * 2**20)
"""What a pod takes of a closed node, which offers no slot."""


def bound(name: str, **fields: Any) -> Pod:
    return a_pod(name, node=VIRTUAL, **fields)


def granted_to(pod: Pod) -> Grant:
    return Grant(uid=pod.uid, pod=pod.key, room=requests_of(pod), expires=NOON + timedelta(minutes=1))


def test_an_empty_node_is_closed_but_for_the_floor() -> None:
    assert room(bound=[], granted=[], daemons=NOTHING) == Resources(cpu_milli=1)


def test_a_node_with_pods_and_no_grant_is_full_and_offers_no_slot() -> None:
    assert room(bound=[bound("a"), bound("b")], granted=[], daemons=NOTHING) == FULL + FULL


def test_a_grant_opens_room_for_its_pod() -> None:
    assert room(bound=[], granted=[granted_to(a_pod())], daemons=NOTHING) == ROOM


def test_a_granted_pod_that_arrived_counts_once() -> None:
    pod = bound("a")
    assert room(bound=[pod], granted=[granted_to(pod)], daemons=NOTHING) == FULL


def test_the_slot_of_a_pod_that_ended_is_nobodys_though_no_gate_is_there_to_close_it() -> None:
    before = room(bound=[bound("a"), bound("b")], granted=[], daemons=NOTHING)
    assert not requests_of(a_pod()).fits(before - requests_of(bound("a")))


def test_a_pod_that_ended_takes_no_room() -> None:
    assert room(bound=[bound("a", phase="Failed")], granted=[], daemons=NOTHING) == FLOOR


def test_a_grant_is_spent_even_if_its_pod_ended_before_it_expired() -> None:
    pod = bound("a", phase="Succeeded")
    assert room(bound=[pod], granted=[granted_to(pod)], daemons=NOTHING) == FLOOR


@pytest.mark.parametrize(
    ("granted", "daemons"),
    [
        pytest.param([granted_to(a_pod())], NOTHING, id="a granted pod"),
        pytest.param([], ROOM, id="a DaemonSet's pod"),
    ],
)
def test_a_slot_for_each_pod_opens_for_whoever_is_awaited(granted: list[Grant], daemons: Resources) -> None:
    assert room(bound=[bound("a")], granted=granted, daemons=daemons) == ROOM + ROOM


def test_daemon_set_pods_that_insist_get_room() -> None:
    waiting = Resources(cpu_milli=100, pods=1)
    assert room(bound=[bound("a")], granted=[], daemons=waiting) == ROOM + waiting


@given(st.integers(0, 5), st.integers(0, 5))
def test_what_is_free_is_what_is_granted(running: int, waiting: int) -> None:
    here = [bound(f"here-{number}") for number in range(running)]
    coming = [a_pod(f"coming-{number}") for number in range(waiting)]
    free = room(bound=here, granted=map(granted_to, coming), daemons=NOTHING) - total(map(requests_of, here))
    wanted = total(map(requests_of, coming))
    assert (free.memory, max(free.pods, 0)) == (wanted.memory, waiting)
    assert wanted.fits(free)


def test_only_pods_that_no_daemon_set_made_become_tasks() -> None:
    assert is_overflow(bound("a"))
    assert not is_overflow(bound("b", metadata=owned_by("DaemonSet")))
