"""Amounts, times and mends as the commands for people write them."""

from datetime import timedelta

import pytest

from app.cli import words
from app.ports.failures import NotFound, PortFailure, Refused, Unavailable
from app.wiring.stopping import StartError
from tests.builders import NOON


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        pytest.param(0, "0s", id="nothing"),
        pytest.param(-5, "0s", id="a-clock-behind"),
        pytest.param(59.6, "1m", id="rounded"),
        pytest.param(90, "1m30s", id="two-units"),
        pytest.param(3600, "1h", id="one-unit"),
        pytest.param(90061, "1d1h", id="the-two-largest"),
    ],
)
def test_a_length_is_written_in_its_two_largest_units(seconds: float, said: str) -> None:
    assert words.length(timedelta(seconds=seconds)) == said


def test_moments_are_written_with_their_distance() -> None:
    minute = timedelta(minutes=1)
    assert words.ago(NOON, NOON + minute) == "2026-01-01T12:00:00Z (1m ago)"
    assert words.ahead(NOON + minute, NOON) == "2026-01-01T12:01:00Z (in 1m)"


@pytest.mark.parametrize(
    ("amount", "said"),
    [(0.0247, "$0.0247"), (1.0, "$1.00"), (1234.567, "$1234.57"), (0, "$0.0000")],
)
def test_small_amounts_have_four_places(amount: float, said: str) -> None:
    assert words.dollars(amount) == said


@pytest.mark.parametrize(
    ("error", "mend"),
    [
        pytest.param(StartError("do this"), "do this", id="start"),
        pytest.param(NotFound("404"), "`kubectl get pods`", id="not-found"),
        pytest.param(Refused("403"), "your account needs get and list", id="refused"),
        pytest.param(Unavailable("no answer"), "--kubeconfig or KUBECONFIG", id="unavailable"),
    ],
)
def test_every_failure_names_a_mend(error: StartError | PortFailure, mend: str) -> None:
    assert mend in words.mended(error)
