"""$(NAME) in variables and words: as the bridge, and so a kubelet, expands it."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.bridge.translation.environment.expansion import expanded, plain, text_of
from tests.helper.fakes import Stage, b64

PRINTS = ["env", "-0"]

TEXTS = st.lists(
    st.sampled_from(["$", "(", ")", "$(A)", "$(B)", "$$", "A", "B", "=", " ", "\n", "é", "$(A=x)", "$()"]),
    max_size=12,
).map("".join)


def as_the_bridge(text: str, value: str) -> str:
    """What the bridge makes of the text where only A is known."""
    return plain(expanded(text, {"A": text_of(value)}.get))


def variables_of(output: str) -> dict[str, str]:
    """What `env -0` printed."""
    return dict(entry.split("=", 1) for entry in output.split("\0") if entry)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(texts=st.lists(TEXTS, min_size=20, max_size=40), value=TEXTS)
def test_expands_any_text_as_the_bridge_does(texts: list[str], value: str, stage: Stage) -> None:
    plan = ["known A", *(f"env T{index} {b64(text)}" for index, text in enumerate(texts))]
    result = stage.run(*plan, command=PRINTS, A=value, B="not known")
    expected = {f"T{index}": as_the_bridge(text, value) for index, text in enumerate(texts)}
    found = variables_of(result.stdout)
    assert {name: found[name] for name in expected} == expected


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(words=st.lists(TEXTS, max_size=30), value=TEXTS)
def test_expands_any_word_as_the_bridge_does(words: list[str], value: str, stage: Stage) -> None:
    result = stage.run(
        "known A", "words", command=["printf", r"%s\0", "first", *words], A=value, B="not known"
    )
    expected = ["first", *(as_the_bridge(word, value) for word in words)]
    assert result.stdout.split("\0")[:-1] == expected


def test_leaves_words_alone_unless_told(stage: Stage) -> None:
    assert stage.run(command=["echo", "$(A) $$"], A="a").stdout == "$(A) $$\n"


def test_a_variable_sees_those_before_it_and_not_those_after(stage: Stage) -> None:
    plan = [f"env A {b64('1')}", f"env B {b64('$(A)2$(C)')}", f"env C {b64('3')}", f"env A {b64('[$(A)]')}"]
    found = variables_of(stage.run("known -", *plan, command=PRINTS, C="early").stdout)
    assert (found["A"], found["B"], found["C"]) == ("[1]", "12$(C)", "3")


def test_without_known_every_variable_that_is_set_expands(stage: Stage) -> None:
    assert stage.run(f"env B {b64('<$(A)>')}", command=["printenv", "B"], A="image").stdout == "<image>\n"


def test_with_known_a_variable_of_the_image_stays_unexpanded(stage: Stage) -> None:
    plan = ["known A", f"env B {b64('$(A) $(PATH)')}"]
    assert stage.run(*plan, command=["printenv", "B"], A="a").stdout == "a $(PATH)\n"


@pytest.mark.parametrize(
    "name", ["SPILLWAY_RUN", "SPILLWAY_RUN_OWN", "SPILLWAY_RUN_SECOND", "SPILLWAY_RUNNER"]
)
def test_the_command_does_not_see_our_variables(name: str, stage: Stage) -> None:
    result = stage.run(
        f"env SEEN {b64(f'$({name})')}", command=PRINTS, **{name: "5"} if "SECOND" in name else {}
    )
    found = variables_of(result.stdout)
    assert name not in found
    assert found["SEEN"] == f"$({name})"


def test_values_that_are_only_carried_expand_and_are_gone_when_the_command_starts(stage: Stage) -> None:
    plan = [f"env A {b64('<$(SPILLWAY_RUN_VALUE_1)>')}", "words"]
    command = ["sh", "-c", 'echo "$A $1"; env', "sh", "$(SPILLWAY_RUN_VALUE_1)"]
    printed = stage.run(*plan, command=command, SPILLWAY_RUN_VALUE_1="secret").stdout.splitlines()
    assert printed[0] == "<secret> secret"
    assert not [line for line in printed if line.startswith("SPILLWAY_RUN")]


def test_an_empty_text_is_an_empty_variable(stage: Stage) -> None:
    assert variables_of(stage.run("env A -", command=PRINTS, A="set").stdout)["A"] == ""


def test_a_value_may_hold_any_bytes(stage: Stage) -> None:
    result = stage.run(f"env A {b64(bytes([255, 10, 61, 128]))}", command=["printenv", "A"])
    assert result.stdout.encode(errors="surrogateescape") == bytes([255, 10, 61, 128, 10])
