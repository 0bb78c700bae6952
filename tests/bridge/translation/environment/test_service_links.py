from typing import Any

import msgspec
import pytest

from app.bridge.translation.environment.service_links import service_variables
from app.model.objects import Service
from tests.bridge.translation.builders import settings
from tests.builders import a_pod


def a_service(name: str, *, namespace: str = "shop", ip: str = "10.0.0.1", ports: Any = None) -> Service:
    wanted = ports if ports is not None else [{"port": 80}]
    body = {"metadata": {"name": name, "namespace": namespace}, "spec": {"clusterIP": ip, "ports": wanted}}
    return msgspec.convert(body, Service)


def told(*services: Service, links: bool | None = None, **fields: Any) -> dict[str, str]:
    pod = a_pod(enableServiceLinks=links)
    return dict(service_variables(pod, services=services, settings=settings(**fields)))


def test_a_service_is_told_in_kubelets_variables() -> None:
    ports = [{"name": "http-web", "port": 80}, {"name": "dns", "port": 53, "protocol": "UDP"}]
    assert told(a_service("my-db", ports=ports)) == {
        "MY_DB_SERVICE_HOST": "10.0.0.1",
        "MY_DB_SERVICE_PORT": "80",
        "MY_DB_SERVICE_PORT_HTTP_WEB": "80",
        "MY_DB_SERVICE_PORT_DNS": "53",
        "MY_DB_PORT": "tcp://10.0.0.1:80",
        "MY_DB_PORT_80_TCP": "tcp://10.0.0.1:80",
        "MY_DB_PORT_80_TCP_PROTO": "tcp",
        "MY_DB_PORT_80_TCP_PORT": "80",
        "MY_DB_PORT_80_TCP_ADDR": "10.0.0.1",
        "MY_DB_PORT_53_UDP": "udp://10.0.0.1:53",
        "MY_DB_PORT_53_UDP_PROTO": "udp",
        "MY_DB_PORT_53_UDP_PORT": "53",
        "MY_DB_PORT_53_UDP_ADDR": "10.0.0.1",
    }


def test_an_address_with_colons_stands_in_brackets() -> None:
    assert told(a_service("db", ip="fd00::1"))["DB_PORT"] == "tcp://[fd00::1]:80"


@pytest.mark.parametrize(
    "service",
    [
        pytest.param(a_service("db", ip="None"), id="headless"),
        pytest.param(a_service("db", ip=""), id="without-address"),
        pytest.param(a_service("db", namespace="other"), id="of-another-namespace"),
        pytest.param(a_service("db", ports=[]), id="without-ports"),
    ],
)
def test_such_a_service_is_not_told(service: Service) -> None:
    assert told(service) == {}


def test_a_pod_can_do_without_services() -> None:
    assert told(a_service("db"), links=False) == {}


def test_the_api_server_is_told_at_the_address_that_tasks_reach_even_without_links() -> None:
    own = a_service("kubernetes", namespace="default", ip="10.96.0.1", ports=[{"port": 443}])
    variables = told(own, links=False, kubernetes_host="k8s.example", kubernetes_port=6443)
    assert variables["KUBERNETES_SERVICE_HOST"] == "k8s.example"
    assert variables["KUBERNETES_SERVICE_PORT_HTTPS"] == "6443"
    assert variables["KUBERNETES_PORT_6443_TCP"] == "tcp://k8s.example:6443"


def test_an_api_server_that_no_task_reaches_is_not_told() -> None:
    assert told(a_service("kubernetes", namespace="default", ip="10.96.0.1")) == {}


def test_a_service_of_the_namespace_wins_over_the_api_servers() -> None:
    variables = told(a_service("kubernetes", ip="10.0.0.9"), kubernetes_host="k8s.example")
    assert variables["KUBERNETES_SERVICE_HOST"] == "10.0.0.9"


def test_in_the_namespace_default_the_api_servers_service_is_no_other() -> None:
    pod = a_pod(namespace="default")
    service = a_service("kubernetes", namespace="default", ip="10.96.0.1")
    variables = service_variables(pod, services=(service,), settings=settings(kubernetes_host="k8s.example"))
    assert variables["KUBERNETES_SERVICE_HOST"] == "k8s.example"
