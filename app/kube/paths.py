"""Where objects live on an API server.

https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris
"""

from typing import Final
from urllib.parse import quote

PODS: Final = "/api/v1/pods"
NODES: Final = "/api/v1/nodes"
NAMESPACES: Final = "/api/v1/namespaces"
SERVICES: Final = "/api/v1/services"
KARPENTER: Final = "/apis/karpenter.sh/v1"
NODE_CLAIMS: Final = f"{KARPENTER}/nodeclaims"
PRIORITY_CLASSES: Final = "/apis/scheduling.k8s.io/v1/priorityclasses"
NETWORK_POLICIES: Final = "/apis/networking.k8s.io/v1/networkpolicies"
TOKEN_REVIEWS: Final = "/apis/authentication.k8s.io/v1/tokenreviews"  # noqa: S105  (a path)
SUBJECT_ACCESS_REVIEWS: Final = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
SIGNING_REQUESTS: Final = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
MUTATING_WEBHOOK_CONFIGURATIONS: Final = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"


def node(name: str) -> str:
    """A node."""
    return f"{NODES}/{_part(name)}"


def namespace(name: str) -> str:
    """A namespace."""
    return f"{NAMESPACES}/{_part(name)}"


def priority_class(name: str) -> str:
    """A PriorityClass."""
    return f"{PRIORITY_CLASSES}/{_part(name)}"


def signing_request(name: str) -> str:
    """A CertificateSigningRequest."""
    return f"{SIGNING_REQUESTS}/{_part(name)}"


def mutating_webhook_configuration(name: str) -> str:
    """A MutatingWebhookConfiguration."""
    return f"{MUTATING_WEBHOOK_CONFIGURATIONS}/{_part(name)}"


def pods(namespace_name: str) -> str:
    """The pods of a namespace."""
    return f"{namespace(namespace_name)}/pods"


def pod(namespace_name: str, name: str) -> str:
    """A pod."""
    return f"{namespace(namespace_name)}/pods/{_part(name)}"


def eviction(namespace_name: str, name: str) -> str:
    """Where a pod's eviction is posted."""
    return f"{pod(namespace_name, name)}/eviction"


def controller(api_version: str, plural: str, namespace_name: str, name: str) -> str:
    """An object of another API group, or of the core, in a namespace."""
    root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
    return f"{root}/namespaces/{_part(namespace_name)}/{plural}/{_part(name)}"


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


def config_maps(namespace_name: str) -> str:
    """The ConfigMaps of a namespace."""
    return f"{namespace(namespace_name)}/configmaps"


def config_map(namespace_name: str, name: str) -> str:
    """A ConfigMap."""
    return f"{config_maps(namespace_name)}/{_part(name)}"


def secrets(namespace_name: str) -> str:
    """The Secrets of a namespace."""
    return f"{namespace(namespace_name)}/secrets"


def secret(namespace_name: str, name: str) -> str:
    """A Secret."""
    return f"{secrets(namespace_name)}/{_part(name)}"


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
