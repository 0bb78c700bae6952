"""All checks together."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.doctor import certificates, node_api, reach
from app.doctor.diagnosis import CHECKS, diagnose
from app.doctor.finding import Level
from app.doctor.seen import Gate, Trial, Unread
from app.model.reason import Reason
from tests.builders import a_node
from tests.doctor.look import SCHEDULER_LEASE, a_look, a_workload, configured, webhooks

OF_PLACES = (certificates.check, node_api.check, reach.check)
"""They have a line for each place that was looked at, and these looks have none."""

NOTHING = Unread("GET /x: 403 forbidden", "ask for more")
HIDDEN = {
    "gate": NOTHING,
    "workloads": NOTHING,
    "webhooks": NOTHING,
    "config_maps": {"spillway": NOTHING, "kube-system": NOTHING},
    "nodes": NOTHING,
    "hosts": NOTHING,
    "answers": NOTHING,
    "namespaces": NOTHING,
    "services": NOTHING,
    "policies": NOTHING,
    "karpenter": NOTHING,
    "waiting": NOTHING,
    "healths": {
        "fargate": Unread('GET /x: 403 forbidden: cannot get resource "nodes/proxy"', "ask for more")
    },
    "services_reached": {"spillway/spillway-webhook": NOTHING},
    "scheduler_leases": {SCHEDULER_LEASE: NOTHING},
    "trials": (Trial(namespace="shop", word="enabled", pod=NOTHING),),
}
"""What each right that is missing hides."""


def test_nothing_fails_where_all_is_well() -> None:
    found = diagnose(a_look())
    assert [each for each in found.findings if each.level in {Level.FAIL, Level.WARN}] == []
    assert found.is_well


def test_what_fails_is_counted_and_is_not_well() -> None:
    found = diagnose(a_look(gate=Gate(troubles=(Reason("NoLeader", "nobody leads; look there"),))))
    assert (found.levels[Level.FAIL], found.is_well) == (1, False)


@pytest.mark.parametrize("field", HIDDEN)
def test_what_may_not_be_read_is_skipped_with_the_answer(field: str) -> None:
    found = diagnose(a_look(**{field: HIDDEN[field]})).findings
    assert [each for each in found if each.level == Level.SKIP and "403 forbidden" in each.seen]


def test_whoever_may_read_nothing_still_gets_a_line_of_each_check() -> None:
    seen = a_look(**HIDDEN)
    assert [check.__module__ for check in CHECKS if not any(check(seen))] == []


@given(fields=st.sets(st.sampled_from(sorted(HIDDEN))))
@settings(max_examples=200)
def test_whichever_rights_are_missing_each_check_has_its_line_and_each_line_its_mend(
    fields: set[str],
) -> None:
    seen = a_look(**{field: HIDDEN[field] for field in fields})
    assert [check.__module__ for check in CHECKS if not any(check(seen)) and check not in OF_PLACES] == []
    assert [each for each in diagnose(seen).findings if each.level != Level.OK and not each.mend] == []


@pytest.mark.parametrize(
    "nothing",
    [
        pytest.param({}, id="nothing-installed"),
        pytest.param({"nodes": (a_node(),)}, id="no-virtual-node"),
        pytest.param({"webhooks": webhooks()}, id="the-webhook-alone"),
        pytest.param({"workloads": (a_workload("bridge", ready=0),)}, id="a-bridge-alone"),
    ],
)
def test_where_little_is_there_each_line_names_a_mend(nothing: dict[str, Any]) -> None:
    empty: dict[str, Any] = dict.fromkeys(("webhooks", "trials", "nodes", "namespaces", "workloads"), ())
    found = diagnose(a_look(config_maps=configured(), scheduler_leases={}, **{**empty, **nothing}))
    assert [each for each in found.findings if each.level != Level.OK and not each.mend] == []


def test_each_check_is_called_once() -> None:
    assert len(set(CHECKS)) == len(CHECKS) == 13
