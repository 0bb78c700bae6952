"""A pod's word counts only where its namespace has the label; durations are read or refused."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.model.names import MAX_WAIT, OVERFLOW
from app.model.policy import Overflow, PolicyError, duration, max_wait, overflow_of
from tests.builders import NOON


def labels(word: str | None) -> dict[str, str]:
    return {} if word is None else {OVERFLOW: word}


@pytest.mark.parametrize(
    ("namespace", "pod", "answer"),
    [
        (None, None, Overflow.NO),
        (None, "enabled", Overflow.NO),
        (None, "required", Overflow.NO),
        (None, "nonsense", Overflow.NO),
        ("disabled", "enabled", Overflow.NO),
        ("Enabled", None, Overflow.NO),
        ("enabled", None, Overflow.ALLOWED),
        ("enabled", "enabled", Overflow.ALLOWED),
        ("enabled", "disabled", Overflow.NO),
        ("enabled", "required", Overflow.REQUIRED),
        ("permitted", None, Overflow.NO),
        ("permitted", "enabled", Overflow.ALLOWED),
        ("permitted", "disabled", Overflow.NO),
        ("permitted", "required", Overflow.REQUIRED),
    ],
)
def test_namespace_and_pod_decide_together(namespace: str | None, pod: str | None, answer: Overflow) -> None:
    assert overflow_of(namespace=labels(namespace), pod=labels(pod)) is answer


@pytest.mark.parametrize("word", ["", "true", "permitted", "ENABLED"])
def test_an_unknown_word_is_refused_with_the_known_ones(word: str) -> None:
    with pytest.raises(PolicyError, match="write enabled, disabled or required"):
        overflow_of(namespace=labels("enabled"), pod=labels(word))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("90", 90),
        ("90s", 90),
        ("2m", 120),
        ("1h30m", 5400),
        ("1h1m1s", 3661),
        ("1m30", 90),
        ("8760h", 31_536_000),
    ],
)
def test_a_duration_is_read(text: str, seconds: int) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "soon", "-5", "5 m", "1d", "m", "1m1h", "1.5h", "90s\n", "٣", "8761h", "9" * 30, "9" * 5000]
)
def test_what_is_no_duration_is_refused_with_the_mend(text: str) -> None:
    with pytest.raises(PolicyError, match="write"):
        duration(text)


@given(
    st.text(max_size=12) | st.from_regex(r"([0-9]{1,12}h)?([0-9]{1,12}m)?([0-9]{1,12}s?)?", fullmatch=True)
)
def test_no_duration_leaves_the_calendar(text: str) -> None:
    try:
        wait = duration(text)
    except PolicyError:
        wait = timedelta()
    assert NOON + wait >= NOON


def test_a_pod_that_says_nothing_waits_as_long_as_the_default() -> None:
    assert max_wait({}, default=timedelta(seconds=7)) == timedelta(seconds=7)


def test_a_pods_own_wait_wins() -> None:
    assert max_wait({MAX_WAIT: "2m"}, default=timedelta(seconds=7)) == timedelta(minutes=2)


def test_a_wait_that_is_no_duration_names_its_annotation() -> None:
    with pytest.raises(PolicyError, match=f"annotation {MAX_WAIT}"):
        max_wait({MAX_WAIT: "soon"}, default=timedelta())
