"""What the gatherer is told at its start, as frozen values."""

from typing import Literal

import msgspec

from app.model.objects import NetworkPolicy, Service
from app.ports.clock import Clock
from app.ports.images import Images
from app.ports.kubernetes import PodSpecs, Sources
from app.ports.roles import Roles
from app.ports.vault import Vault
from app.ports.watched import Watched


class MaterialConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Whose bridge this is, and how fresh answers must be, in seconds.

    Attributes:
        cluster: uid of the namespace kube-system.
        node: the virtual node's name.
        architecture: what the node's tasks run on.
        fresh: within which a changed ConfigMap, Secret, ServiceAccount or claim is seen.
        roles_fresh: within which a changed Pod Identity association is seen; EKS allows few calls.
        tokens_fresh: for how long a pod that is tried again gets the token that it got before.
        sync: how long to wait for the first listing of Services and NetworkPolicies.
    """

    cluster: str
    node: str
    architecture: Literal["amd64", "arm64"] = "amd64"
    fresh: float = 5.0
    roles_fresh: float = 60.0
    tokens_fresh: float = 60.0
    sync: float = 10.0


class Suppliers(msgspec.Struct, frozen=True, kw_only=True):
    """The ports that material comes from.

    Attributes:
        sources: what pods refer to, read one by one.
        specs: the pods themselves, with the fields that we do not know.
        services: all of them; run by the caller.
        policies: all NetworkPolicies; run by the caller.
        vault: where values go.
        images: registries.
        roles: EKS Pod Identity.
        clock: time.
    """

    sources: Sources
    specs: PodSpecs
    services: Watched[Service]
    policies: Watched[NetworkPolicy]
    vault: Vault
    images: Images
    roles: Roles
    clock: Clock
