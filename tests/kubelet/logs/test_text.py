from app.kubelet.logs import text
from app.kubelet.logs.options import LogOptions
from tests.builders import NOON
from tests.kubelet.fakes import a_line


def test_a_line_ends_with_a_line_end() -> None:
    assert text.formatted(a_line("häm"), timestamps=False) == "häm\n".encode()


def test_a_timestamp_has_nine_digits_of_fraction() -> None:
    line = a_line("one", second=0.123)
    assert text.formatted(line, timestamps=True) == b"2026-01-01T12:00:00.123000000Z one\n"


def test_lines_that_are_too_old_are_left_out() -> None:
    lines = [a_line("old", second=-1), a_line("at once", second=0), a_line("new", second=1)]
    assert b"".join(text.pieces(lines, LogOptions(since=NOON))) == b"at once\nnew\n"


def test_many_lines_come_in_several_pieces_and_whole() -> None:
    lines = [a_line("x" * 999) for _ in range(100)]
    pieces = list(text.pieces(lines, LogOptions()))
    assert len(pieces) == 4
    assert b"".join(pieces) == (b"x" * 999 + b"\n") * 100


def test_a_lone_surrogate_does_not_stop_the_log() -> None:
    assert text.formatted(a_line("a\ud800b"), timestamps=False) == b"a?b\n"
