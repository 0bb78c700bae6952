"""What a pod's translation needs from outside, gathered and frozen.

Values of Secrets never stand here: they go from Kubernetes straight into the vault (`app.bridge.material`),
and the translation sees where each key is.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from app.model.image import ImageConfig
from app.model.objects import ConfigMap, NetworkPolicy, PersistentVolume, Service, ServiceAccount


class Unready(msgspec.Struct, frozen=True):
    """The pod cannot be launched now, and may be later: something that it names is not there (yet).

    `reason` is kubelet's waiting reason (`CreateContainerConfigError`, `ContainerCreating` for volumes), and
    `event` the reason of its Event (`Failed`, `FailedMount`).
    """

    reason: str
    message: str
    event: str = "Failed"


class StoredKey(msgspec.Struct, frozen=True):
    """Where one key's value is in AWS Secrets Manager.

    Attributes:
        value_from: what a container definition's `secrets[].valueFrom` takes.
        encoded: whether the stored text is base64, because the value is no text.
    """

    value_from: str
    encoded: bool = False


class StoredObject(msgspec.Struct, frozen=True):
    """A Secret (or a large ConfigMap), by what its keys are and where their values were put.

    `keys` holds every key in the object's order, but those that the pod does not use and that are too large.
    """

    keys: Mapping[str, StoredKey] = {}


class TokenWish(msgspec.Struct, frozen=True):
    """A service account token that a projected volume asks for; empty `audience` is the API server's."""

    audience: str
    seconds: int


class SealedToken(msgspec.Struct, frozen=True):
    """A token that only the task's helper can read (helper/README.md, `sealed`)."""

    sealed: str
    expires_at: datetime


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """What a pod refers to. The mappings say of each name whether the pod can do without (`optional`).

    Attributes:
        config_maps: by name.
        secrets: by name; those of environment and volumes, not of image pulling.
        config_map_keys: the keys that are used, of those ConfigMaps that are not used whole.
        secret_keys: likewise, of Secrets.
        claims: names of PersistentVolumeClaims.
        tokens: of the pod's service account.
        images: whose entry point must be known, since the helper goes before it.
        services: whether the pod's environment tells of Services.
    """

    config_maps: Mapping[str, bool] = {}
    secrets: Mapping[str, bool] = {}
    config_map_keys: Mapping[str, frozenset[str]] = {}
    secret_keys: Mapping[str, frozenset[str]] = {}
    claims: frozenset[str] = frozenset()
    tokens: frozenset[TokenWish] = frozenset()
    images: frozenset[str] = frozenset()
    services: bool = False


class Material(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was found; what a pod can do without and is not there is left out.

    Attributes:
        namespace: the annotations of the pod's namespace.
        stored_maps: ConfigMaps too large for a task definition; such a one is not in `config_maps`.
        services: of the pod's namespace, and `kubernetes` of the namespace default.
        account: the pod's service account; None where there is none.
        pod_identity_role: the role that EKS Pod Identity gives the account; empty where none.
        claims: the bound volume of each claim.
        seal_key: `valueFrom` of the key that opens sealed tokens.
        images: configuration of each image that was asked for.
        unread_images: why the registry did not show the others of them.
        pulls: `credentialsParameter` for the images that an imagePullSecret has a login for.
        missing_pulls: names of imagePullSecrets that are not there.
        policies: the namespace's NetworkPolicies.
    """

    namespace: Mapping[str, str] = {}
    config_maps: Mapping[str, ConfigMap] = {}
    stored_maps: Mapping[str, StoredObject] = {}
    secrets: Mapping[str, StoredObject] = {}
    services: tuple[Service, ...] = ()
    account: ServiceAccount | None = None
    pod_identity_role: str = ""
    claims: Mapping[str, PersistentVolume] = {}
    tokens: Mapping[TokenWish, SealedToken] = {}
    seal_key: str = ""
    images: Mapping[str, ImageConfig] = {}
    unread_images: Mapping[str, str] = {}
    pulls: Mapping[str, str] = {}
    missing_pulls: tuple[str, ...] = ()
    policies: tuple[NetworkPolicy, ...] = ()
