"""Warnings survive the HTTP headers that they travel in."""

from hypothesis import given
from hypothesis import strategies as st

from app.model.reason import Reason
from app.webhook.warning import DIFFERENT, MOST_EACH, MOST_IN_ALL, warnings_of

texts = st.text(max_size=300)
reasons = st.lists(st.builds(Reason, st.just("Code"), texts, texts), max_size=80)


def test_a_warning_names_field_and_mend() -> None:
    assert warnings_of([Reason("HostPID", "remove hostPID", "spec.hostPID")]) == (
        "not for Fargate: spec.hostPID: remove hostPID",
    )


def test_what_runs_differently_is_no_refusal() -> None:
    assert warnings_of([Reason("Code", "the grace is cut", "spec.x")], prefix=DIFFERENT) == (
        "on Fargate: spec.x: the grace is cut",
    )


def test_a_long_warning_is_cut_with_a_mark() -> None:
    (line,) = warnings_of([Reason("Code", "word " * 100)])
    assert line.startswith("not for Fargate: word word")
    assert line.endswith(" wo…")
    assert len(line) <= MOST_EACH


def test_a_long_path_gives_way_to_the_mend() -> None:
    field = f"metadata.annotations[{'x' * 100}/capacity]"
    (line,) = warnings_of([Reason("Code", "no such capacity; write spot", field)])
    assert line.startswith("not for Fargate: …xxx")
    assert line.endswith("x/capacity]: no such capacity; write spot")
    assert len(line) == MOST_EACH


def test_a_control_character_becomes_a_space() -> None:
    assert warnings_of([Reason("Code", 'label is "a\r\nb\x7f"')]) == ('not for Fargate: label is "a  b "',)


def test_what_no_longer_fits_is_counted() -> None:
    lines = warnings_of([Reason("Code", "x" * 200)] * 50)
    assert lines[-1] == "not for Fargate: 17 more reasons; mend these first"
    assert len(lines) == 34


@given(reasons)
def test_warnings_stay_within_the_api_servers_limits(found: list[Reason]) -> None:
    lines = warnings_of(found)
    assert sum(map(len, lines)) <= MOST_IN_ALL
    assert [line for line in lines if len(line) > MOST_EACH or not line.isprintable()] == []
