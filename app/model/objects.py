"""Kubernetes objects that a pod refers to, reduced to what Spillway reads.

https://kubernetes.io/docs/reference/kubernetes-api/
"""

import msgspec

from app.model.meta import ObjectMeta
from app.model.pod import Named
from app.model.wire import IntOrString, Json, Wire


class ConfigMap(Wire, frozen=True):
    """A ConfigMap; `binary_data` is decoded."""

    metadata: ObjectMeta = ObjectMeta()
    data: dict[str, str] = {}
    binary_data: dict[str, bytes] = {}


class Secret(Wire, frozen=True):
    """A Secret, decoded. Its text form never shows a value."""

    metadata: ObjectMeta = ObjectMeta()
    type: str = "Opaque"
    data: dict[str, bytes] = {}

    def __repr__(self) -> str:
        return f"Secret({self.metadata.namespace}/{self.metadata.name}, {len(self.data)} keys)"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        """What rich prints in place of the fields."""
        return [("name", f"{self.metadata.namespace}/{self.metadata.name}")]


class ServiceAccount(Wire, frozen=True):
    """A ServiceAccount: its annotations may name a role."""

    metadata: ObjectMeta = ObjectMeta()
    image_pull_secrets: tuple[Named, ...] = ()


class ServicePort(Wire, frozen=True):
    """One port of a Service."""

    port: int = 0
    name: str = ""
    protocol: str = "TCP"
    target_port: IntOrString = 0


class ServiceSpec(Wire, frozen=True):
    """Where a Service is reached; `cluster_ip` is `None` (the word) for a headless one."""

    cluster_ip: str = msgspec.field(name="clusterIP", default="")
    type: str = "ClusterIP"
    ports: tuple[ServicePort, ...] = ()


class Service(Wire, frozen=True):
    """A Service."""

    metadata: ObjectMeta = ObjectMeta()
    spec: ServiceSpec = ServiceSpec()


class NetworkPolicySpec(Wire, frozen=True):
    """Which pods a policy is about."""

    pod_selector: Json = None
    policy_types: tuple[str, ...] = ()


class NetworkPolicy(Wire, frozen=True):
    """A NetworkPolicy."""

    metadata: ObjectMeta = ObjectMeta()
    spec: NetworkPolicySpec = NetworkPolicySpec()


class CsiSource(Wire, frozen=True):
    """A volume of a CSI driver."""

    driver: str = ""
    volume_handle: str = ""
    volume_attributes: dict[str, str] = {}
    read_only: bool = False


class ClaimReference(Wire, frozen=True):
    """Which claim a volume is bound to."""

    uid: str = ""


class PersistentVolumeSpec(Wire, frozen=True):
    """What a PersistentVolume is; other sources than CSI are not read."""

    csi: CsiSource | None = None
    claim_ref: ClaimReference | None = None
    access_modes: tuple[str, ...] = ()
    mount_options: tuple[str, ...] = ()


class PersistentVolume(Wire, frozen=True):
    """A PersistentVolume."""

    metadata: ObjectMeta = ObjectMeta()
    spec: PersistentVolumeSpec = PersistentVolumeSpec()
