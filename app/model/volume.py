"""A pod's volumes as core/v1 writes them; sources that Fargate has nothing like are only recognised.

https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/volume/
"""

import msgspec

from app.model.container import FieldRef, ResourceFieldRef
from app.model.wire import Json, Wire


class KeyToPath(Wire, frozen=True):
    """One key of a ConfigMap or Secret as a file; `mode` overrides the volume's."""

    key: str = ""
    path: str = ""
    mode: int | None = None


class EmptyDir(Wire, frozen=True):
    """Scratch space; `medium` is "" (disk) or "Memory"."""

    medium: str = ""
    size_limit: str | None = None


class ConfigMapVolume(Wire, frozen=True):
    """A ConfigMap's keys as files."""

    name: str = ""
    items: tuple[KeyToPath, ...] = ()
    default_mode: int = 0o644
    optional: bool = False


class SecretVolume(Wire, frozen=True):
    """A Secret's keys as files."""

    secret_name: str = ""
    items: tuple[KeyToPath, ...] = ()
    default_mode: int = 0o644
    optional: bool = False


class DownwardFile(Wire, frozen=True):
    """A field of the pod as a file."""

    path: str = ""
    field_ref: FieldRef | None = None
    resource_field_ref: ResourceFieldRef | None = None
    mode: int | None = None


class DownwardVolume(Wire, frozen=True):
    """Fields of the pod as files."""

    items: tuple[DownwardFile, ...] = ()
    default_mode: int = 0o644


class ProjectedObject(Wire, frozen=True):
    """A ConfigMap or Secret in a projected volume."""

    name: str = ""
    items: tuple[KeyToPath, ...] = ()
    optional: bool = False


class ProjectedFields(Wire, frozen=True):
    """Fields of the pod in a projected volume."""

    items: tuple[DownwardFile, ...] = ()


class ProjectedToken(Wire, frozen=True):
    """A service account's token in a projected volume; empty `audience` is the API server."""

    path: str = ""
    audience: str = ""
    expiration_seconds: int = 3600


class Projection(Wire, frozen=True):
    """One source of a projected volume; exactly one is set."""

    config_map: ProjectedObject | None = None
    secret: ProjectedObject | None = None
    downward_api: ProjectedFields | None = msgspec.field(name="downwardAPI", default=None)
    service_account_token: ProjectedToken | None = None
    cluster_trust_bundle: Json | None = None
    pod_certificate: Json | None = None


class ProjectedVolume(Wire, frozen=True):
    """Several sources in one folder."""

    sources: tuple[Projection, ...] = ()
    default_mode: int = 0o644


class ClaimVolume(Wire, frozen=True):
    """A PersistentVolumeClaim of the pod's namespace."""

    claim_name: str = ""
    read_only: bool = False


class ClaimSpec(Wire, frozen=True):
    """What a claim asks for."""

    access_modes: tuple[str, ...] = ()
    resources: Json | None = None
    storage_class_name: str | None = None
    volume_mode: str | None = None
    volume_name: str = ""
    data_source: Json | None = None
    data_source_ref: Json | None = None
    selector: Json | None = None
    volume_attributes_class_name: str | None = None


class ClaimTemplate(Wire, frozen=True):
    """The claim that an ephemeral volume makes."""

    spec: ClaimSpec = ClaimSpec()
    metadata: Json | None = None


class EphemeralVolume(Wire, frozen=True):
    """A volume that lives as long as the pod."""

    volume_claim_template: ClaimTemplate | None = None


class Volume(Wire, frozen=True):
    """One volume; exactly one source is set (none means emptyDir)."""

    name: str = ""
    empty_dir: EmptyDir | None = None
    config_map: ConfigMapVolume | None = None
    secret: SecretVolume | None = None
    downward_api: DownwardVolume | None = msgspec.field(name="downwardAPI", default=None)
    projected: ProjectedVolume | None = None
    persistent_volume_claim: ClaimVolume | None = None
    ephemeral: EphemeralVolume | None = None
    host_path: Json | None = None
    nfs: Json | None = None
    csi: Json | None = None
    image: Json | None = None
    aws_elastic_block_store: Json | None = None
    azure_disk: Json | None = None
    azure_file: Json | None = None
    cephfs: Json | None = None
    cinder: Json | None = None
    fc: Json | None = None
    flex_volume: Json | None = None
    flocker: Json | None = None
    gce_persistent_disk: Json | None = None
    git_repo: Json | None = None
    glusterfs: Json | None = None
    iscsi: Json | None = None
    photon_persistent_disk: Json | None = None
    portworx_volume: Json | None = None
    quobyte: Json | None = None
    rbd: Json | None = None
    scale_io: Json | None = msgspec.field(name="scaleIO", default=None)
    storageos: Json | None = None
    vsphere_volume: Json | None = None
