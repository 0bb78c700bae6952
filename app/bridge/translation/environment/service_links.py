"""The variables that tell a container of Services, as a kubelet makes them.

https://kubernetes.io/docs/tutorials/services/connect-applications-service/#environment-variables
"""

from collections.abc import Iterable, Mapping
from typing import Final

from app.bridge.config import TaskSettings
from app.model.meta import ObjectMeta
from app.model.objects import Service, ServicePort, ServiceSpec
from app.model.pod import Pod

MASTER: Final = "kubernetes"
"""The API server's own Service, of the namespace default: every pod is told of it."""

_NO_ADDRESS: Final = frozenset({"", "None"})


def are_linked(pod: Pod) -> bool:
    """Whether the pod is told of the Services of its namespace; so it is unless it says otherwise."""
    return pod.spec.enable_service_links is not False


def service_variables(pod: Pod, *, services: Iterable[Service], settings: TaskSettings) -> Mapping[str, str]:
    """Variables for every Service with an address that the pod is told of, sorted by Service.

    The API server stands at `settings.kubernetes_host`, since a cluster IP is not reachable from a task;
    without that setting the pod is not told of it, so that clients fail at once and not after a timeout.
    """
    told: dict[str, Service] = {}
    if settings.kubernetes_host:
        told[MASTER] = _api_server(settings)
    for service in services:
        if service.spec.cluster_ip in _NO_ADDRESS or not service.spec.ports or _is_master(service):
            continue
        if service.metadata.namespace == pod.metadata.namespace and are_linked(pod):
            told[service.metadata.name] = service
    found: dict[str, str] = {}
    for _, service in sorted(told.items()):
        found.update(_variables(service))
    return found


def _is_master(service: Service) -> bool:
    return service.metadata.namespace == "default" and service.metadata.name == MASTER


def _api_server(settings: TaskSettings) -> Service:
    port = ServicePort(port=settings.kubernetes_port, name="https")
    return Service(
        metadata=ObjectMeta(name=MASTER, namespace="default"),
        spec=ServiceSpec(cluster_ip=settings.kubernetes_host, ports=(port,)),
    )


def _variables(service: Service) -> dict[str, str]:
    name, address = _variable_name(service.metadata.name), service.spec.cluster_ip
    found = {f"{name}_SERVICE_HOST": address, f"{name}_SERVICE_PORT": str(service.spec.ports[0].port)}
    for port in service.spec.ports:
        if port.name:
            found[f"{name}_SERVICE_PORT_{_variable_name(port.name)}"] = str(port.port)
    for index, port in enumerate(service.spec.ports):
        protocol = port.protocol or "TCP"
        url = f"{protocol.lower()}://{_host_and_port(address, port.port)}"
        if index == 0:
            found[f"{name}_PORT"] = url
        prefix = f"{name}_PORT_{port.port}_{protocol.upper()}"
        found[prefix] = url
        found[f"{prefix}_PROTO"] = protocol.lower()
        found[f"{prefix}_PORT"] = str(port.port)
        found[f"{prefix}_ADDR"] = address
    return found


def _variable_name(name: str) -> str:
    return name.replace("-", "_").upper()


def _host_and_port(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
