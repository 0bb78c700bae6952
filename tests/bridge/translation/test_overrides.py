import json

import pytest

from app.bridge.translation.overrides import OVERRIDES_LIMIT, Words, too_large, travelling

LONG = "x" * OVERRIDES_LIMIT


def pairs(**variables: str) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in variables.items()]


def test_what_may_differ_between_pods_travels_in_the_overrides() -> None:
    words = Words(container="a", fixed={"F": "1"}, own={"O": "2"}, command=("x",))
    travels = travelling([words], role="")
    assert travels.overrides == {
        "containerOverrides": [{"name": "a", "environment": pairs(F="1", O="2"), "command": ["x"]}]
    }
    assert travels.written == {"a": {}}


def test_what_is_shared_stands_in_the_definition_however_short_it_is() -> None:
    travels = travelling([Words(container="a", shared={"S": "1"})], role="")
    assert travels.written == {"a": {"environment": pairs(S="1")}}
    assert travels.overrides == {"containerOverrides": []}


def test_where_it_is_too_much_the_templates_words_stand_in_the_definition() -> None:
    words = Words(container="a", shared={"S": "3"}, fixed={"F": LONG}, own={"O": "2"}, command=("x",))
    travels = travelling([words, Words(container="b", fixed={"G": "1"})], role="")
    assert travels.overrides == {"containerOverrides": [{"name": "a", "environment": pairs(O="2")}]}
    assert travels.written == {
        "a": {"environment": pairs(F=LONG, S="3"), "command": ["x"]},
        "b": {"environment": pairs(G="1")},
    }


def test_a_command_of_the_pods_own_never_stands_in_the_definition() -> None:
    words = Words(container="a", fixed={"F": LONG}, command=("x",), own_command=True)
    travels = travelling([words], role="")
    assert travels.overrides == {"containerOverrides": [{"name": "a", "command": ["x"]}]}
    assert travels.written["a"] == {"environment": pairs(F=LONG)}


def test_the_role_travels_in_the_overrides() -> None:
    assert travelling([], role="arn:role").overrides == {"containerOverrides": [], "taskRoleArn": "arn:role"}


def test_variables_stand_in_the_order_of_their_names() -> None:
    travels = travelling([Words(container="a", fixed={"B": "1", "A": "2"})], role="")
    assert travels.overrides["containerOverrides"][0]["environment"] == pairs(A="2", B="1")


@pytest.mark.parametrize(
    ("spare", "codes"),
    [pytest.param(0, [], id="fits"), pytest.param(-1, ["OverridesTooLarge"], id="one-more")],
)
def test_the_limit_counts_the_characters_that_are_sent(spare: int, codes: list[str]) -> None:
    empty = {"a": ""}
    overrides = {"a": "x" * (OVERRIDES_LIMIT - len(json.dumps(empty)) - spare)}
    assert [each.code for each in too_large({}, overrides)] == codes


def test_a_definition_above_its_limit_is_refused() -> None:
    assert [each.code for each in too_large({"a": "x" * 65_536}, {})] == ["DefinitionTooLarge"]
