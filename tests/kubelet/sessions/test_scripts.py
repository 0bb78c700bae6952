import base64
import shlex

import pytest

from app.kubelet.sessions import scripts

NONCE = "c0ffee"


def test_ecs_takes_the_longest_command_line() -> None:
    assert len(scripts.shell_start("f" * 32)) < 4096


def test_the_shells_command_line_has_three_words() -> None:
    assert shlex.split(scripts.shell_start(NONCE))[:2] == ["sh", "-c"]
    assert len(shlex.split(scripts.shell_start(NONCE))) == 3


@pytest.mark.parametrize(
    ("key", "said"),
    [
        pytest.param("5ecre7", b"5ecre7\x00600\0printf\0\0a b\0", id="that takes a key"),
        pytest.param("", b"printf\0\0a b\0", id="from before there was a key"),
    ],
)
def test_a_helper_is_told_words_with_nuls(key: str, said: bytes) -> None:
    *lines, end = scripts.helper_document([b"printf", b"", b"a b"], key=key, silence_seconds=600.0)
    assert base64.b64decode(b"".join(lines)) == said
    assert end == b".\n"


def test_lines_of_stdin_are_base64_on_their_own() -> None:
    lines = list(scripts.data_lines(b"x" * 7000))
    assert b"".join(base64.b64decode(line, validate=False) for line in lines) == b"x" * 7000
    assert all(line.endswith(b"\n") and len(line) <= 4096 for line in lines)


def test_no_line_of_a_program_is_the_end_of_it() -> None:
    *lines, end = scripts.shell_document([b"." * 9000], key=NONCE, tty=False)
    assert b"." not in b"".join(lines)
    assert end == b".\n"
