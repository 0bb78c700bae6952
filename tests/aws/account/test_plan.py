"""What is wanted against what was found."""

from typing import Any

import pytest

from app.aws.account.documents import canonical
from app.aws.account.plan import Absent, Change, Create, Delete, Found, Keep, Refuse, plan, plan_removal
from app.aws.account.wanted import POLICY, Key, Kind, Resource

KEY = Key(Kind.ROLE, "spillway-task")
OTHER = Key(Kind.QUEUE, "spillway-task-events")


def a_policy(*actions: str) -> dict[str, Any]:
    return {"Statement": [{"Sid": "A", "Effect": "Allow", "Action": list(actions), "Resource": ["*"]}]}


def a_found(owner: str = "spillway", **aspects: Any) -> Found:
    return Found(key=KEY, owner=owner, aspects=aspects)


WANTED = Resource(key=KEY, aspects={"size": 1, "colour": "red"})


def test_what_is_not_there_is_created() -> None:
    assert plan([WANTED], {}, owner="spillway") == (Create(WANTED),)


def test_what_is_as_wanted_is_kept_whatever_else_it_has() -> None:
    found = a_found(size=1, colour="red", more="something")

    assert plan([WANTED], {KEY: found}, owner="spillway") == (Keep(found),)


def test_only_what_differs_is_changed() -> None:
    found = a_found(size=2, colour="red")

    assert plan([WANTED], {KEY: found}, owner="spillway") == (Change(WANTED, found, ("size",)),)


@pytest.mark.parametrize(
    ("owner", "words"),
    [
        pytest.param("", "it has no tag spillway.dev/name", id="nobody's"),
        pytest.param("batch", "it has the tag spillway.dev/name=batch", id="another installation's"),
        pytest.param("spillway of us-east-1", "in all regions", id="another region's"),
    ],
)
def test_what_is_not_ours_is_refused_even_where_it_is_as_wanted(owner: str, words: str) -> None:
    found = a_found(owner, size=1, colour="red")

    [step] = plan([WANTED], {KEY: found}, owner="spillway")

    assert isinstance(step, Refuse)
    assert words in step.reason


def test_the_removal_goes_backwards_and_leaves_what_is_not_ours() -> None:
    ours, theirs = a_found(), Found(key=OTHER, owner="batch")
    gone = Key(Kind.RULE, "spillway-task-events")

    steps = plan_removal([KEY, OTHER, gone], {KEY: ours, OTHER: theirs}, owner="spillway")

    assert [type(each) for each in steps] == [Absent, Refuse, Delete]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(a_policy("b:B", "a:A"), id="order of actions"),
        pytest.param({"Version": "2012-10-17", **a_policy("a:A", "b:B")}, id="version"),
    ],
)
def test_policies_that_say_the_same_are_the_same(other: dict[str, Any]) -> None:
    resource = Resource(key=KEY, aspects={POLICY: a_policy("a:A", "b:B")})

    [step] = plan(
        [resource], {KEY: Found(key=KEY, owner="spillway", aspects={POLICY: other})}, owner="spillway"
    )

    assert isinstance(step, Keep)


def test_a_list_of_one_is_the_bare_text() -> None:
    bare = {"Sid": "A", "Effect": "Allow", "Action": "a:A", "Resource": "*"}

    assert canonical({"Statement": bare}) == canonical(a_policy("a:A"))


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(a_policy("a:A", "c:C"), id="another action"),
        pytest.param({"Statement": []}, id="nothing"),
        pytest.param(None, id="no policy"),
        pytest.param(
            {"Statement": [{**a_policy("a:A", "b:B")["Statement"][0], "Effect": "Deny"}]}, id="a denial"
        ),
        pytest.param(
            {"Statement": [{**a_policy("a:A", "b:B")["Statement"][0], "Condition": {"Bool": {"x": "true"}}}]},
            id="a condition",
        ),
    ],
)
def test_policies_that_say_something_else_differ(other: Any) -> None:
    resource = Resource(key=KEY, aspects={POLICY: a_policy("a:A", "b:B")})

    [step] = plan(
        [resource], {KEY: Found(key=KEY, owner="spillway", aspects={POLICY: other})}, owner="spillway"
    )

    assert isinstance(step, Change)
