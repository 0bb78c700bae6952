"""What every Kubernetes object carries.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/
"""

from datetime import datetime

from app.model.names import PodUid
from app.model.wire import Wire


class OwnerReference(Wire, frozen=True):
    """Who made the object; `controller` marks the one that manages it."""

    api_version: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool = False


class ObjectMeta(Wire, frozen=True):
    """Kubernetes' ObjectMeta; times are timezone-aware UTC."""

    name: str = ""
    generate_name: str = ""
    namespace: str = ""
    uid: PodUid = PodUid("")
    resource_version: str = ""
    generation: int = 0
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    deletion_grace_period_seconds: int | None = None
    owner_references: tuple[OwnerReference, ...] = ()
