import pytest

from app.local.fargate.logs.lines import LONGEST, LineSplitter


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        pytest.param([b"a\nb\n"], ["a", "b"], id="whole lines"),
        pytest.param([b"a", b"b\nc", b"\n"], ["ab", "c"], id="pieces of lines"),
        pytest.param([b"a\r\n"], ["a"], id="carriage return"),
        pytest.param([b"\n\n"], ["", ""], id="empty lines"),
        pytest.param(["ä\n".encode()[:1], "ä\n".encode()[1:]], ["ä"], id="a character in two pieces"),
        pytest.param([b"\xff\n"], ["\ufffd"], id="no UTF-8"),
        pytest.param([b"x" * LONGEST + b"y\n"], ["x" * LONGEST, "y"], id="too long"),
    ],
)
def test_lines(chunks: list[bytes], lines: list[str]) -> None:
    splitter = LineSplitter()
    assert [line for chunk in chunks for line in splitter.feed(chunk)] == lines


def test_a_long_line_does_not_wait_for_its_end() -> None:
    assert [len(each) for each in LineSplitter().feed(b"x" * (2 * LONGEST + 1))] == [LONGEST, LONGEST]


def test_the_last_line_needs_no_end() -> None:
    splitter = LineSplitter()
    assert list(splitter.feed(b"a\nb")) == ["a"]
    assert list(splitter.rest()) == ["b"]
    assert list(splitter.rest()) == []
