"""The policy that is published is the policy that is read."""

from datetime import timedelta

import pytest

from app.extender.cluster.watermark import WatermarkConfig
from app.extender.decision.budget import Limits
from app.extender.decision.hindrance import GateConfig
from app.extender.decision.preference import preferences_of
from app.extender.insight.policy import DEFAULTS, Policy, published, read_policy, written_policy
from app.model.names import POLICY
from tests.builders import a_virtual_node

FULL = Policy(
    gate=GateConfig(
        max_wait=timedelta(seconds=90),
        preferences=preferences_of(["batch=wait", "web=preempt", "*=burst"]),
        gate="observe",
        budget=Limits(pods=3, vcpu=1.5, hourly=0.1),
        actuator="toleration",
        early_seats=2,
    ),
    watermarks=WatermarkConfig(high=0.8, low=0.5),
    returns=None,
    handover=True,
    namespace="overflow",
)


@pytest.mark.parametrize("policy", [pytest.param(DEFAULTS, id="defaults"), pytest.param(FULL, id="full")])
def test_what_is_written_is_read(policy: Policy) -> None:
    assert read_policy({POLICY: written_policy(policy)}) == policy


def test_equal_policies_are_equal_text() -> None:
    one, other = (
        Policy(gate=GateConfig(preferences=preferences_of(entries)))
        for entries in (["a=wait", "b=burst"], ["b=burst", "a=wait"])
    )
    assert written_policy(one) == written_policy(other)


@pytest.mark.parametrize(
    "text", [pytest.param("", id="nothing"), pytest.param("{", id="no-json"), pytest.param("[]", id="other")]
)
def test_what_is_none_is_not_taken_for_one(text: str) -> None:
    assert read_policy({POLICY: text}) is None


def test_a_policy_of_a_newer_version_is_read_as_far_as_it_is_known() -> None:
    assert read_policy({POLICY: '{"handover":true,"tomorrow":1}'}) == Policy(handover=True)


def test_the_first_node_that_has_one_is_believed() -> None:
    nodes = (a_virtual_node("a"), a_virtual_node("b", annotations={POLICY: written_policy(FULL)}))
    assert published(nodes) == FULL
    assert published(nodes[:1]) is None
