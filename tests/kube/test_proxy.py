import pytest

from app.kube.proxy import proxy_for

PROXY = "http://proxy:3128"


@pytest.mark.parametrize(
    ("url", "environ", "expected"),
    [
        pytest.param("https://api", {}, None, id="none set"),
        pytest.param("https://api", {"HTTPS_PROXY": PROXY}, PROXY, id="https"),
        pytest.param("https://api", {"https_proxy": PROXY, "HTTPS_PROXY": "x"}, PROXY, id="lower case first"),
        pytest.param("https://api", {"HTTP_PROXY": PROXY}, None, id="another scheme's"),
        pytest.param("https://127.0.0.1:6443", {"HTTPS_PROXY": PROXY}, None, id="loopback"),
        pytest.param("https://[::1]:6443", {"HTTPS_PROXY": PROXY}, None, id="loopback of IPv6"),
        pytest.param("https://localhost:6443", {"HTTPS_PROXY": PROXY}, None, id="localhost"),
        pytest.param(
            "https://localhost.example.com", {"HTTPS_PROXY": PROXY}, PROXY, id="a name that only begins so"
        ),
    ],
)
def test_a_server_is_asked_through_its_schemes_proxy(
    url: str, environ: dict[str, str], expected: str | None
) -> None:
    assert proxy_for(url, environ) == expected


@pytest.mark.parametrize(
    ("rules", "url", "expected"),
    [
        pytest.param("*", "https://api", None, id="all"),
        pytest.param("", "https://api", PROXY, id="empty"),
        pytest.param("10.0.0.0/8", "https://10.1.2.3", None, id="in a range"),
        pytest.param("10.0.0.0/8", "https://11.1.2.3", PROXY, id="outside a range"),
        pytest.param("a.example, 10.0.0.1", "https://10.0.0.1:443", None, id="an address, behind a blank"),
        pytest.param(".svc,.cluster.local", "https://kubernetes.default.svc", None, id="below a domain"),
        pytest.param("*.example.com", "https://api.example.com", None, id="below a domain, with a star"),
        pytest.param("example.com", "https://api.example.com", None, id="a domain means all below"),
        pytest.param("example.com", "https://notexample.com", PROXY, id="not another domain's end"),
        pytest.param("api.example.com:443", "https://api.example.com", None, id="with a port"),
    ],
)
def test_exceptions_go_straight(rules: str, url: str, expected: str | None) -> None:
    assert proxy_for(url, {"HTTPS_PROXY": PROXY, "NO_PROXY": rules}) == expected
