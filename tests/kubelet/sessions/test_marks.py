import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kubelet.sessions.marks import Marks

NONCE = "c0ffee"


def shown(pieces: list[bytes]) -> tuple[bytes, int | None]:
    """All the text before the mark, and its code, of what comes in these pieces."""
    marks, text = Marks(NONCE), b""
    for piece in pieces:
        before, code, _ = marks.cut(piece)
        text += before
        if code is not None:
            return text, code
    return text + marks.rest(), None


@pytest.mark.parametrize(
    ("data", "text", "code"),
    [
        pytest.param(b"before c0ffee:7. after", b"before ", 7, id="a mark"),
        pytest.param(b"c0ffee:255.", b"", 255, id="nothing else"),
        pytest.param(b"c0c0ffee:0.", b"c0", 0, id="a false beginning"),
        pytest.param(b"c0ffee:$?.c0ffee:1.", b"c0ffee:$?.", 1, id="the nonce, as it was typed"),
        pytest.param(b"c0ffee:7", b"c0ffee:7", None, id="no end"),
        pytest.param(b"c0ffee:1234.", b"c0ffee:1234.", None, id="no exit code"),
        pytest.param(b"no mark", b"no mark", None, id="none"),
    ],
)
def test_a_mark_is_found_however_it_is_cut(data: bytes, text: bytes, code: int | None) -> None:
    assert shown([data]) == (text, code)
    assert shown([bytes([byte]) for byte in data]) == (text, code)


def test_what_follows_a_mark_can_be_cut_again() -> None:
    marks = Marks(NONCE)
    _, _, rest = marks.cut(b"c0ffee:0.all of itc0ffee:9.")
    assert marks.cut(rest) == (b"all of it", 9, b"")


def test_text_is_not_held_back_longer_than_it_may_be_a_mark() -> None:
    marks = Marks(NONCE)
    assert marks.cut(b"prompt$ c0ff")[0] == b"prompt$ "
    assert marks.cut(b"x")[0] == b"c0ffx"


@given(st.lists(st.sampled_from([b"c0ffee", b"c0", b":", b"1", b"$", b"f", b"e"]), max_size=12))
def test_no_text_is_lost(pieces: list[bytes]) -> None:
    assert shown(pieces) == (b"".join(pieces), None)
