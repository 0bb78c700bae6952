import pytest

from app.model.address import is_loopback


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        pytest.param("127.0.0.1", True, id="IPv4"),
        pytest.param("127.8.8.8", True, id="anywhere in the loopback range"),
        pytest.param("::1", True, id="IPv6"),
        pytest.param("localhost", True, id="by name"),
        pytest.param("LOCALHOST", True, id="names have no case"),
        pytest.param("0.0.0.0", False, id="all addresses"),
        pytest.param("10.0.0.1", False, id="another machine"),
        pytest.param("localhost.example.com", False, id="a name that only begins so"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_loopback_is_this_machine_only(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
