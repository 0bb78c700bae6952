from typing import Any

import msgspec
import pytest

from app.bridge.probing.target import GrpcTarget, HttpTarget, TcpTarget, target_of
from app.model.container import Container, Probe
from tests.builders import a_container

IP = "10.1.0.7"
CONTAINER = msgspec.convert(
    a_container(ports=[{"name": "web", "containerPort": 8080}, {"containerPort": 9090}]), Container
)


def target(probe: dict[str, Any], ip: str = IP) -> object:
    return target_of(msgspec.convert(probe, Probe), CONTAINER, ip=ip)


def url(probe: dict[str, Any], ip: str = IP) -> str:
    found = target({"httpGet": probe}, ip)
    assert isinstance(found, HttpTarget)
    return found.url


@pytest.mark.parametrize(
    ("probe", "wanted"),
    [
        pytest.param({"port": 80}, f"http://{IP}:80/", id="root"),
        pytest.param({"port": "web", "path": "/live?x=1"}, f"http://{IP}:8080/live?x=1", id="named-port"),
        pytest.param({"port": 443, "scheme": "HTTPS", "path": "/a"}, f"https://{IP}:443/a", id="https"),
        pytest.param({"port": 80, "path": "ready"}, f"http://{IP}:80/ready", id="no-slash"),
        pytest.param({"port": 80, "host": "example.test"}, "http://example.test:80/", id="host"),
    ],
)
def test_an_http_probe_goes_to_the_tasks_address(probe: dict[str, Any], wanted: str) -> None:
    assert url(probe) == wanted


def test_an_address_of_ipv6_is_bracketed() -> None:
    assert url({"port": 80}, ip="fd00::7") == "http://[fd00::7]:80/"


def test_headers_are_kubelets_unless_the_probe_names_its_own() -> None:
    found = target({"httpGet": {"port": 80, "httpHeaders": [{"name": "user-agent", "value": "me"}]}})
    assert isinstance(found, HttpTarget)
    assert dict(found.headers) == {"Accept": "*/*", "user-agent": "me"}


def test_the_others_name_host_and_port() -> None:
    assert target({"tcpSocket": {"port": "web"}}) == TcpTarget(IP, 8080)
    assert target({"grpc": {"port": 9090}}) == GrpcTarget(IP, 9090, "")
    assert target({"grpc": {"port": 9090, "service": "shop"}}) == GrpcTarget(IP, 9090, "shop")


def test_a_port_that_nobody_named_is_no_target() -> None:
    assert target({"httpGet": {"port": "admin"}}) is None


def test_a_command_is_not_asked_over_the_network() -> None:
    assert target({"exec": {"command": ["true"]}}) is None
