"""`SPILLWAY_*` of the user's on their way to the programs of a local stack."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from app.local.fargate.config import FargateConfig
from app.wiring.local import programs
from app.wiring.local.options import LocalOptions, LocalStackError
from app.wiring.local.variables import require_sound
from tests.wiring.test_local_programs import PLACES


def passed_on(**variables: str) -> tuple[dict[str, str], tuple[str, ...]]:
    return programs.passed_on(dataclasses.replace(PLACES, variables=variables))


def options(**changes: Any) -> LocalOptions:
    return dataclasses.replace(
        LocalOptions(directory=Path("x"), nodes=(), fargate=FargateConfig()), **changes
    )


@pytest.mark.parametrize(
    "name",
    [
        "SPILLWAY_MAX_PODS",
        "SPILLWAY_MAX_WAIT",
        "SPILLWAY_RETURN_AFTER",
        "SPILLWAY_OBSERVE_FILE",
        "SPILLWAY_GATE",
        "SPILLWAY_HANDOVER",
        "SPILLWAY_EXEC",
        "SPILLWAY_LOG_FORMAT",
    ],
)
def test_a_setting_that_the_stack_leaves_alone_is_passed_on(name: str) -> None:
    assert passed_on(**{name: "1"}) == ({name: "1"}, ())


@pytest.mark.parametrize(
    "name",
    ["SPILLWAY_PORT", "SPILLWAY_SUBNETS", "SPILLWAY_ACTUATOR", "SPILLWAY_EARLY_BURST", "SPILLWAY_NODES_FILE"],
)
def test_a_setting_that_the_stack_makes_itself_is_not(name: str) -> None:
    assert passed_on(**{name: "1"}) == ({}, (name,))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("SPILLWAY_MAX_POD", "1", id="no setting"),
        pytest.param("SPILLWAY_LEAF_VALIDITY", "1d", id="of a program that does not run here"),
        pytest.param("SPILLWAY_MAX_PODS", "", id="empty"),
        pytest.param("SPILLWAY_PORT", "tcp://10.0.0.1:443", id="a service link"),
        pytest.param("MAX_PODS", "1", id="not ours"),
    ],
)
def test_anything_else_stays_outside_without_a_word(name: str, value: str) -> None:
    assert passed_on(**{name: value}) == ({}, ())


def test_the_programs_see_what_is_passed_on() -> None:
    places = dataclasses.replace(PLACES, variables={"SPILLWAY_MAX_PODS": "1", "SPILLWAY_PORT": "1"})
    seen = programs.environment(places, inherited={})
    assert seen["SPILLWAY_MAX_PODS"] == "1"
    assert "SPILLWAY_PORT" not in seen


def test_flags_that_exclude_each_other_are_refused_before_anything_starts() -> None:
    with pytest.raises(LocalStackError, match="works through the scheduler"):
        require_sound(options(actuator="toleration", early_burst=True))


def test_a_variable_that_cannot_work_is_refused_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SPILLWAY_MAX_WAIT", "2 minutes")
    with pytest.raises(LocalStackError, match=r"SPILLWAY_MAX_WAIT, extender\.settings\.maxWait.*1h30m"):
        require_sound(options())


def test_a_setting_of_the_bridge_is_looked_at_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPILLWAY_EXEC", "perhaps")
    with pytest.raises(LocalStackError, match="SPILLWAY_EXEC"):
        require_sound(options())


def test_what_is_sound_is_let_pass() -> None:
    require_sound(options(early_burst=True))
