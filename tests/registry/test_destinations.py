import pytest
from yarl import URL

from app.registry.destinations import base_of, refusal_of

FAR = URL("https://registry.example")
NEAR = URL("http://127.0.0.1:5000")


@pytest.mark.parametrize(
    ("registry", "url"),
    [
        pytest.param("docker.io", "https://registry-1.docker.io", id="Docker Hub"),
        pytest.param("registry.example", "https://registry.example", id="a host"),
        pytest.param("registry.example:8443", "https://registry.example:8443", id="a port"),
        pytest.param("registry.example:80", "https://registry.example:80", id="a port that HTTP has"),
        pytest.param("10.0.0.5:5000", "https://10.0.0.5:5000", id="an address"),
        pytest.param("[2001:db8::1]:5000", "https://[2001:db8::1]:5000", id="an IPv6 address"),
        pytest.param("localhost", "http://localhost", id="loopback by name"),
        pytest.param("127.0.0.1:5000", "http://127.0.0.1:5000", id="loopback"),
        pytest.param("[::1]:443", "http://[::1]:443", id="loopback on the port that HTTPS has"),
        pytest.param("localhost.example:5000", "https://localhost.example:5000", id="not loopback"),
    ],
)
def test_a_registry_has_a_url(registry: str, url: str) -> None:
    assert str(base_of(registry)) == url


@pytest.mark.parametrize(
    ("target", "base"),
    [
        pytest.param("https://storage.example/x", FAR, id="HTTPS anywhere"),
        pytest.param("https://10.0.0.5:8443/x", FAR, id="HTTPS in the VPC"),
        pytest.param("https://storage.example/x", NEAR, id="out of this machine"),
        pytest.param("http://localhost:6000/x", NEAR, id="within this machine"),
    ],
)
def test_a_registry_may_send_us_to(target: str, base: URL) -> None:
    assert refusal_of(URL(target), base=base) == ""


@pytest.mark.parametrize(
    ("target", "base"),
    [
        pytest.param("http://storage.example/x", FAR, id="plain text"),
        pytest.param("http://storage.example/x", NEAR, id="plain text out of this machine"),
        pytest.param("https://127.0.0.1/x", FAR, id="our loopback"),
        pytest.param("https://[::ffff:127.0.0.1]/x", FAR, id="our loopback in disguise"),
        pytest.param("https://169.254.169.254/x", FAR, id="the metadata"),
        pytest.param("https://[::ffff:a9fe:a9fe]/x", FAR, id="the metadata in disguise"),
        pytest.param("https://[fe80::1]/x", FAR, id="our link"),
        pytest.param("https://0.0.0.0/x", FAR, id="no address"),
        pytest.param("/x", FAR, id="no host"),
        pytest.param("file:///etc/passwd", FAR, id="a file"),
    ],
)
def test_a_registry_may_not_send_us_to(target: str, base: URL) -> None:
    assert refusal_of(URL(target), base=base)
