import pytest

from app.kubelet.messages import Answer
from app.kubelet.sessions.options import (
    BAD_WORD,
    NO_COMMAND,
    NO_STREAM,
    SessionOptions,
    attach_options,
    exec_options,
)


@pytest.mark.parametrize(
    ("query", "options"),
    [
        pytest.param(
            "command=ls&command=-l&output=1&error=1",
            SessionOptions(command=(b"ls", b"-l"), stdout=True, stderr=True),
            id="two words",
        ),
        pytest.param(
            "command=cat&input=1&output=1&tty=1",
            SessionOptions(command=(b"cat",), stdin=True, stdout=True, tty=True),
            id="a terminal",
        ),
        pytest.param(
            "command=cat&output=1&error=1&tty=1",
            SessionOptions(command=(b"cat",), stdout=True, tty=True),
            id="a terminal leaves stderr out",
        ),
        pytest.param(
            "command=&command=a%20b%0A%26&output=1",
            SessionOptions(command=(b"", b"a b\n&"), stdout=True),
            id="empty and odd words",
        ),
        pytest.param(
            "command=%ff%00x&output=1".replace("%00", "%fe"),
            SessionOptions(command=(b"\xff\xfex",), stdout=True),
            id="words that are no UTF-8",
        ),
        pytest.param(
            "command=a&output=1&input=true&error=0",
            SessionOptions(command=(b"a",), stdout=True),
            id="only 1 is yes",
        ),
    ],
)
def test_a_query_is_read_as_the_kubelet_does(query: str, options: SessionOptions) -> None:
    assert exec_options(query) == options


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        pytest.param("", NO_COMMAND, id="nothing"),
        pytest.param("output=1", NO_COMMAND, id="no command"),
        pytest.param("command=ls", NO_STREAM, id="no stream"),
        pytest.param("command=ls&tty=1&error=1", NO_STREAM, id="only stderr of a terminal"),
        pytest.param("command=a%00b&output=1", BAD_WORD, id="a NUL"),
    ],
)
def test_a_bad_query_has_its_answer(query: str, answer: Answer) -> None:
    assert exec_options(query) == answer


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param("output=1&error=1", SessionOptions(stdout=True, stderr=True), id="both outputs"),
        pytest.param("output=1&tty=1", SessionOptions(stdout=True, tty=True), id="a terminal"),
        pytest.param("input=1&output=1", SessionOptions(stdin=True, stdout=True), id="stdin"),
        pytest.param("", NO_STREAM, id="nothing"),
    ],
)
def test_attach_has_no_command(query: str, found: object) -> None:
    assert attach_options(query) == found
