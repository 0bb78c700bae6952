"""The workload objects as values, reduced to what the controllers read; pod templates stay as they are.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/
"""

from datetime import datetime

from app.model.meta import ObjectMeta
from app.model.wire import Json, Wire


class ReplicaSetSpec(Wire, frozen=True):
    """A ReplicaSet's spec."""

    replicas: int = 1
    min_ready_seconds: int = 0
    selector: Json | None = None
    template: dict[str, Json] = {}


class ReplicaSetStatus(Wire, frozen=True):
    """How many pods there are, and how well they are."""

    replicas: int = 0
    fully_labeled_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    observed_generation: int = 0


class ReplicaSet(Wire, frozen=True):
    """A ReplicaSet."""

    metadata: ObjectMeta = ObjectMeta()
    spec: ReplicaSetSpec = ReplicaSetSpec()
    status: ReplicaSetStatus = ReplicaSetStatus()


class RollingUpdate(Wire, frozen=True):
    """How far a rollout may go over and under the wanted number: pods, or per cent as `25%`."""

    max_surge: int | str = "25%"
    max_unavailable: int | str = "25%"


class DeploymentStrategy(Wire, frozen=True):
    """`RollingUpdate` or `Recreate`."""

    type: str = "RollingUpdate"
    rolling_update: RollingUpdate | None = None


class DeploymentSpec(Wire, frozen=True):
    """A Deployment's spec."""

    replicas: int = 1
    min_ready_seconds: int = 0
    paused: bool = False
    progress_deadline_seconds: int = 600
    revision_history_limit: int = 10
    selector: Json | None = None
    strategy: DeploymentStrategy = DeploymentStrategy()
    template: dict[str, Json] = {}


class DeploymentCondition(Wire, frozen=True):
    """`Available` or `Progressing`."""

    type: str
    status: str = "Unknown"
    reason: str = ""
    message: str = ""
    last_transition_time: datetime | None = None
    last_update_time: datetime | None = None


class DeploymentStatus(Wire, frozen=True):
    """How far the rollout is."""

    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    unavailable_replicas: int = 0
    observed_generation: int = 0
    conditions: tuple[DeploymentCondition, ...] = ()


class Deployment(Wire, frozen=True):
    """A Deployment."""

    metadata: ObjectMeta = ObjectMeta()
    spec: DeploymentSpec = DeploymentSpec()
    status: DeploymentStatus = DeploymentStatus()


class DaemonUpdate(Wire, frozen=True):
    """How many nodes may be without their daemon during an update."""

    max_unavailable: int | str = 1


class DaemonStrategy(Wire, frozen=True):
    """`RollingUpdate` or `OnDelete`."""

    type: str = "RollingUpdate"
    rolling_update: DaemonUpdate | None = None


class DaemonSetSpec(Wire, frozen=True):
    """A DaemonSet's spec."""

    min_ready_seconds: int = 0
    selector: Json | None = None
    template: dict[str, Json] = {}
    update_strategy: DaemonStrategy = DaemonStrategy()


class DaemonSet(Wire, frozen=True):
    """A DaemonSet."""

    metadata: ObjectMeta = ObjectMeta()
    spec: DaemonSetSpec = DaemonSetSpec()
    status: Json | None = None


def is_owned_by(metadata: ObjectMeta, uid: str) -> bool:
    """Whether this object's controller is the one with the uid."""
    return any(owner.controller and owner.uid == uid for owner in metadata.owner_references)


def owner_reference(kind: str, metadata: ObjectMeta) -> dict[str, Json]:
    """The reference that a controller puts on what it makes."""
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "name": metadata.name,
        "uid": metadata.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def share(value: int | str, of: int, *, round_up: bool) -> int:
    """A number, or a percentage of `of` rounded up or down; text that is neither counts as 0."""
    if isinstance(value, int):
        return value
    digits = value.removesuffix("%")
    if not digits.isdecimal():
        return 0
    product = int(digits) * of
    return -(-product // 100) if round_up else product // 100


def pod_from(template: dict[str, Json], *, prefix: str, owner: dict[str, Json]) -> dict[str, Json]:
    """A pod to create from a template: its name is left to the API server."""
    metadata = template.get("metadata") or {}
    kept = {key: metadata[key] for key in ("labels", "annotations", "finalizers") if metadata.get(key)}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**kept, "generateName": f"{prefix}-", "ownerReferences": [owner]},
        "spec": template.get("spec") or {},
    }
