import pytest

from app.kubelet.forwarding.ports import MOST_PORTS, port_of, ports_of
from app.kubelet.messages import Answer


@pytest.mark.parametrize(
    ("text", "port"),
    [
        pytest.param("80", 80, id="a port"),
        pytest.param("65535", 65535, id="the last"),
        pytest.param("0", None, id="zero"),
        pytest.param("65536", None, id="too large"),
        pytest.param("-1", None, id="negative"),
        pytest.param("http", None, id="a name"),
        pytest.param("", None, id="nothing"),
        pytest.param("\u0664", None, id="a digit of another script"),
        pytest.param("9" * 5000, None, id="very long"),
    ],
)
def test_a_text_names_a_port_or_none(text: str, port: int | None) -> None:
    assert port_of(text) == port


def test_ports_are_separated_by_commas_or_come_one_by_one() -> None:
    assert ports_of("port=80,81&other=1&port=82") == (80, 81, 82)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        pytest.param("", "required", id="none"),
        pytest.param("port=", "parse", id="empty"),
        pytest.param("port=80,", "parse", id="empty after a comma"),
        pytest.param("port=80&port=x", "parse", id="a name"),
        pytest.param("port=" + ",".join(["80"] * (MOST_PORTS + 1)), "several commands", id="too many"),
    ],
)
def test_a_query_without_ports_is_answered_with_its_reason(query: str, text: str) -> None:
    answer = ports_of(query)
    assert isinstance(answer, Answer)
    assert answer.status == 400
    assert text in answer.text
