import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bridge.translation.environment.expansion import (
    MOST_TEXT,
    Slot,
    TextTooLongError,
    escape,
    expanded,
    is_late,
    is_own,
    joined,
    plain,
    references,
    rendered,
    text_of,
)
from tests.bridge.translation.environment.kubelet import expand_by_hand

KNOWN = {"HOST": "db", "PORT": "5432", "EMPTY": ""}
NAME = Slot("own", "metadata.name", "web-1")
PASSWORD = Slot("secret", "arn:password")


def expand(text: str) -> str:
    return plain(expanded(text, {name: text_of(value) for name, value in KNOWN.items()}.get))


@pytest.mark.parametrize(
    ("text", "result"),
    [
        pytest.param("plain", "plain", id="no-reference"),
        pytest.param("$(HOST):$(PORT)", "db:5432", id="two-references"),
        pytest.param("$(UNKNOWN)", "$(UNKNOWN)", id="unknown-stays"),
        pytest.param("$$(HOST)", "$(HOST)", id="escaped"),
        pytest.param("$$$(HOST)", "$db", id="escape-then-reference"),
        pytest.param("$$$$(HOST)", "$$(HOST)", id="two-escapes"),
        pytest.param("$(HOST", "$(HOST", id="unclosed"),
        pytest.param("$(HOST$(PORT)", "$(HOST$(PORT)", id="opened-twice-is-one-name"),
        pytest.param("cost: 5$", "cost: 5$", id="trailing-dollar"),
        pytest.param("$HOST", "$HOST", id="shell-style"),
        pytest.param("$é(HOST)", "$é(HOST)", id="dollar-before-a-letter-takes-it-along"),
        pytest.param("a$(EMPTY)b", "ab", id="empty-value"),
        pytest.param("$()", "$()", id="no-name"),
    ],
)
def test_references_expand_as_a_kubelet_expands_them(text: str, result: str) -> None:
    assert expand(text) == result


@given(st.text(alphabet="$()HOSTEMPTY é"))
def test_any_text_expands_as_it_does_by_hand(text: str) -> None:
    assert expand(text) == expand_by_hand(text, KNOWN)


@given(st.text(alphabet="$()HOST x\n"))
def test_an_escaped_value_expands_to_itself(value: str) -> None:
    assert expand(escape(value)) == value


def test_a_slot_is_rendered_as_a_reference_and_the_rest_as_it_stands() -> None:
    text = expanded("$$5 $(P)@$(N)", {"P": (PASSWORD,), "N": (NAME,)}.get)
    assert rendered(text, {PASSWORD: "P", NAME: "N"}) == "$$5 $(P)@$(N)"


def test_a_text_knows_what_is_late_and_what_is_the_pods_own() -> None:
    assert (is_late((PASSWORD,)), is_own((PASSWORD,))) == (True, False)
    assert (is_late(("x", NAME)), is_own(("x", NAME))) == (False, True)


def test_neighbouring_words_become_one_part() -> None:
    assert joined(["a", "", "b", NAME, "c"]) == ("ab", NAME, "c")


def test_the_names_in_a_text_are_found() -> None:
    assert references("$(A)$$(B)/$(C)") == {"A", "C"}


def test_a_value_that_doubles_too_often_is_no_text() -> None:
    half = text_of("x" * (MOST_TEXT // 2 + 1))
    with pytest.raises(TextTooLongError, match="expands to more than 65536 characters"):
        expanded("$(A)$(A)", {"A": half}.get)
