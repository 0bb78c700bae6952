"""Where objects live on an API server.

https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris
"""

from typing import Final
from urllib.parse import quote

PODS: Final = "/api/v1/pods"
NODES: Final = "/api/v1/nodes"
NAMESPACES: Final = "/api/v1/namespaces"
SERVICES: Final = "/api/v1/services"
NETWORK_POLICIES: Final = "/apis/networking.k8s.io/v1/networkpolicies"


def node(name: str) -> str:
    """A node."""
    return f"{NODES}/{_part(name)}"


def namespace(name: str) -> str:
    """A namespace."""
    return f"{NAMESPACES}/{_part(name)}"


def pod(namespace_name: str, name: str) -> str:
    """A pod."""
    return f"{namespace(namespace_name)}/pods/{_part(name)}"


def events(namespace_name: str) -> str:
    """The core/v1 Events of a namespace."""
    return f"{namespace(namespace_name)}/events"


def event(namespace_name: str, name: str) -> str:
    """A core/v1 Event."""
    return f"{events(namespace_name)}/{_part(name)}"


def leases(namespace_name: str) -> str:
    """The Leases of a namespace."""
    return f"/apis/coordination.k8s.io/v1/namespaces/{_part(namespace_name)}/leases"


def lease(namespace_name: str, name: str) -> str:
    """A Lease."""
    return f"{leases(namespace_name)}/{_part(name)}"


def config_map(namespace_name: str, name: str) -> str:
    """A ConfigMap."""
    return f"{namespace(namespace_name)}/configmaps/{_part(name)}"


def secret(namespace_name: str, name: str) -> str:
    """A Secret."""
    return f"{namespace(namespace_name)}/secrets/{_part(name)}"


def service_account(namespace_name: str, name: str) -> str:
    """A ServiceAccount."""
    return f"{namespace(namespace_name)}/serviceaccounts/{_part(name)}"


def claim(namespace_name: str, name: str) -> str:
    """A PersistentVolumeClaim."""
    return f"{namespace(namespace_name)}/persistentvolumeclaims/{_part(name)}"


def volume(name: str) -> str:
    """A PersistentVolume."""
    return f"/api/v1/persistentvolumes/{_part(name)}"


def _part(name: str) -> str:
    return quote(name, safe="")
