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


def test_a_long_warning_keeps_its_beginning_and_its_mend() -> None:
    (line,) = warnings_of([Reason("Code", "word " * 100 + "; write for instance 90, 90s, 2m or 1h30m")])
    assert line.startswith("not for Fargate: word word")
    assert line.endswith("; write for instance 90, 90s, 2m or 1h30m")
    assert "..." in line
    assert len(line) <= MOST_EACH


def test_a_cut_is_marked_in_ascii() -> None:
    lines = warnings_of([Reason("Code", "word " * 100), Reason("Code", "mend", "x" * 300)])
    assert all(line.isascii() and "..." in line for line in lines)


def test_what_an_annotation_should_say_is_told_in_whole() -> None:
    said = 'annotation spillway.dev/max-wait: "2 minutes" is not a duration; write for instance 90s or 2m'
    assert warnings_of([Reason("InvalidMaxWait", said)]) == (f"not for Fargate: {said}",)


def test_a_long_path_gives_way_to_the_mend() -> None:
    field = f"metadata.annotations[{'x' * 250}/capacity]"
    (line,) = warnings_of([Reason("Code", "no such capacity; write spot", field)])
    assert line.startswith("not for Fargate: ...xxx")
    assert line.endswith("x/capacity]: no such capacity; write spot")
    assert len(line) == MOST_EACH


def test_a_control_character_becomes_a_space() -> None:
    assert warnings_of([Reason("Code", 'label is "a\r\nb\x7f"')]) == ('not for Fargate: label is "a  b "',)


def test_what_no_longer_fits_is_counted() -> None:
    lines = warnings_of([Reason("Code", "x" * 200)] * 50)
    assert lines[-1] == "not for Fargate: 32 more reasons; mend these first"
    assert len(lines) == 19


@given(reasons)
def test_warnings_stay_within_the_api_servers_limits(found: list[Reason]) -> None:
    lines = warnings_of(found)
    assert sum(map(len, lines)) <= MOST_IN_ALL
    assert [line for line in lines if len(line) > MOST_EACH or not line.isprintable()] == []
