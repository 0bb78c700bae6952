from typing import Any

import msgspec
import pytest

from app.bridge.translation.network import policy_refusals, security_groups, selects
from app.model.names import NETWORK_POLICIES, SECURITY_GROUPS
from app.model.objects import NetworkPolicy
from app.model.reason import Reason
from tests.builders import a_pod

FIRST, SECOND = "sg-0123456789abcdef0", "sg-12345678"


def a_policy(selector: Any, *, name: str = "p", namespace: str = "shop") -> NetworkPolicy:
    body = {"metadata": {"name": name, "namespace": namespace}, "spec": {"podSelector": selector}}
    return msgspec.convert(body, NetworkPolicy)


def expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", (), id="none"),
        pytest.param(FIRST, (FIRST,), id="one"),
        pytest.param(f" {FIRST},{SECOND}, ", (FIRST, SECOND), id="several"),
        pytest.param(f"{SECOND},{FIRST},{SECOND}", (SECOND, FIRST), id="each-once-in-order"),
    ],
)
def test_the_namespace_names_security_groups(text: str, expected: tuple[str, ...]) -> None:
    assert security_groups({SECURITY_GROUPS: text}) == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("web", id="a-name"),
        pytest.param(f"{FIRST} {SECOND}", id="no-comma"),
        pytest.param(",".join(f"sg-0000000{number}" for number in range(6)), id="six"),
    ],
)
def test_what_ecs_would_not_take_as_groups_is_refused(text: str) -> None:
    answer = security_groups({SECURITY_GROUPS: text})
    assert isinstance(answer, Reason)
    assert answer.code == "InvalidSecurityGroups"


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        pytest.param({}, True, id="empty"),
        pytest.param(None, True, id="absent"),
        pytest.param({"matchLabels": {"app": "web"}}, True, id="label"),
        pytest.param({"matchLabels": {"app": "db"}}, False, id="another-value"),
        pytest.param({"matchLabels": {"app": "web", "tier": "x"}}, False, id="every-label"),
        pytest.param(expression("app", "In", "web", "db"), True, id="in"),
        pytest.param(expression("app", "In", "db"), False, id="not-among"),
        pytest.param(expression("tier", "In", "x"), False, id="in-without-the-label"),
        pytest.param(expression("app", "NotIn", "db"), True, id="not-in"),
        pytest.param(expression("app", "NotIn", "web"), False, id="among-those-not"),
        pytest.param(expression("tier", "NotIn", "x"), True, id="not-in-without-the-label"),
        pytest.param(expression("app", "Exists"), True, id="exists"),
        pytest.param(expression("tier", "Exists"), False, id="does-not-exist-though-asked"),
        pytest.param(expression("tier", "DoesNotExist"), True, id="does-not-exist"),
        pytest.param(expression("app", "DoesNotExist"), False, id="exists-though-not-asked"),
        pytest.param({"matchLabels": {"app": "web"}, **expression("tier", "Exists")}, False, id="both"),
        pytest.param(expression("app", "Like", "w"), True, id="an-operator-to-come"),
        pytest.param({"matchLabels": ["app"]}, True, id="unreadable"),
    ],
)
def test_a_policy_selects_by_labels(selector: Any, *, expected: bool) -> None:
    assert selects(a_policy(selector), pod=a_pod(labels={"app": "web"})) is expected


def test_a_policy_of_another_namespace_selects_nothing() -> None:
    assert not selects(a_policy({}, namespace="other"), pod=a_pod())


def test_a_selected_pod_is_refused_with_every_policys_name() -> None:
    policies = [a_policy({}, name="b"), a_policy({}, name="a")]
    [reason] = policy_refusals(a_pod(), policies=policies, namespace={})
    assert (reason.code, "NetworkPolicy a, b selects" in reason.message) == ("NetworkPolicy", True)


@pytest.mark.parametrize(
    ("word", "count"),
    [pytest.param("ignored", 0, id="ignored"), pytest.param("yes", 1, id="another-word")],
)
def test_the_namespace_may_let_policies_be_ignored(word: str, count: int) -> None:
    refusals = policy_refusals(a_pod(), policies=[a_policy({})], namespace={NETWORK_POLICIES: word})
    assert len(refusals) == count
