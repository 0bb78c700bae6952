import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kubelet.sessions.frames import (
    LONGEST_LINE,
    BadFrame,
    Ended,
    Frame,
    Frames,
    Lacking,
    Over,
    Printed,
    Taken,
)

KEY = "5ecre7"
SAID = b"\r\n:5ecre7b3V0\r\n!5ecre7 ZXJy bW9yZQ==\r\n^5ecre7\r\n.5ecre7 7\r\n$5ecre7\r\n?5ecre7 dd\r\n"
MEANT = [
    Printed(b"out"),
    Printed(b"errmore", is_stderr=True),
    Taken(),
    Ended(7),
    Over(),
    Lacking("dd"),
]


def test_every_line_is_a_frame() -> None:
    assert Frames(KEY).feed(SAID) == MEANT


def test_a_raw_terminal_says_the_same_without_carriage_returns() -> None:
    assert Frames(KEY).feed(SAID.replace(b"\r", b"")) == MEANT


@given(st.lists(st.integers(min_value=0, max_value=len(SAID)), max_size=6))
def test_frames_do_not_depend_on_how_they_are_cut(cuts: list[int]) -> None:
    frames = Frames(KEY)
    edges = [0, *sorted(cuts), len(SAID)]
    found: list[Frame] = []
    for start, end in itertools.pairwise(edges):
        found += frames.feed(SAID[start:end])
    assert found == MEANT


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"a wall message\n", id="words"),
        pytest.param(b":5ecre7b3V\n", id="half a base64"),
        pytest.param(b".5ecre7x\n", id="no code"),
        pytest.param(b".5ecre7\n", id="an empty code"),
        pytest.param(b"5ecre7\n", id="the key alone"),
        pytest.param(b"+5ecre7\n", id="no such mark"),
        pytest.param(b".0\n", id="a code without the key"),
        pytest.param(b"$\n", id="an end without the key"),
        pytest.param(b"b3V0\n", id="base64 without a mark"),
        pytest.param(b".5ecre8 0\n", id="another key"),
        pytest.param(b"\xff\xff\n", id="no text"),
        pytest.param(b"a" * (LONGEST_LINE + 1), id="no end"),
    ],
)
def test_what_is_no_frame_is_refused(line: bytes) -> None:
    with pytest.raises(BadFrame):
        Frames(KEY).feed(line)


@given(st.binary(max_size=200))
def test_whatever_a_terminal_shows_is_taken_or_refused(data: bytes) -> None:
    with contextlib.suppress(BadFrame):
        Frames(KEY).feed(data)


def test_a_helper_that_was_told_no_key_says_the_same_without_it() -> None:
    assert Frames().feed(b":b3V0\n^\n.7\n$\n") == [Printed(b"out"), Taken(), Ended(7), Over()]
