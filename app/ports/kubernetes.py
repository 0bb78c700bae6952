"""What the shells ask of Kubernetes. All of them raise `app.ports.failures` only.

Requests carry preconditions (uid) wherever a name may have been reused meanwhile.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from app.model.meta import OwnerReference
from app.model.namespace import Namespace
from app.model.node import Node
from app.model.objects import ConfigMap, PersistentVolume, Secret, ServiceAccount
from app.model.pod import Pod
from app.model.replicas import Replicas
from app.model.wire import Json


class Pods(Protocol):
    """Pods that are bound to our nodes."""

    async def get(self, namespace: str, name: str) -> Pod:
        """A consistent read. Raises NotFound."""
        ...

    async def amend(
        self,
        pod: Pod,
        *,
        annotations: Mapping[str, str],
        tolerations: Sequence[Json] | None = None,
    ) -> Pod:
        """Set annotations and, where given, the whole list of tolerations; uid is the precondition.

        Raises NotFound where the pod is gone, Conflict where the name now belongs to another pod.
        """
        ...

    async def set_status(self, pod: Pod, status: Mapping[str, Json]) -> Pod:
        """Strategic merge patch of the status subresource, with the uid as precondition.

        Lists of containers replace, conditions merge by type. Raises NotFound, Conflict as `amend`.
        """
        ...

    async def remove(self, pod: Pod) -> None:
        """DELETE with grace 0 and the uid as precondition; gone or replaced already is success."""
        ...


class PendingPods(Protocol):
    """Pods that no node has yet."""

    async def get(self, namespace: str, name: str) -> Pod:
        """A consistent read. Raises NotFound."""
        ...

    async def tolerate(self, pod: Pod, toleration: Mapping[str, Json]) -> Pod:
        """Add a toleration behind those that the pod has.

        Raises NotFound where the pod is gone, Conflict where it has changed since `pod` was read or the name
        now belongs to another pod.
        """
        ...


class Nodes(Protocol):
    """Our nodes, real reads included."""

    async def get(self, name: str) -> Node:
        """A consistent read. Raises NotFound."""
        ...

    async def create(self, manifest: Mapping[str, Json]) -> Node:
        """Create. Raises Conflict where the name is taken."""
        ...

    async def apply(self, manifest: Mapping[str, Json], *, manager: str) -> Node:
        """Forced server-side apply of metadata and spec (labels, annotations, taints)."""
        ...

    async def apply_status(self, manifest: Mapping[str, Json], *, manager: str) -> Node:
        """Forced server-side apply to the status subresource; annotations may ride along. Raises NotFound."""
        ...


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """A Lease as far as we judge it: `record` changes with every renewal, whoever's clock wrote it."""

    holder: str
    duration: float
    record: str


class Leases(Protocol):
    """coordination.k8s.io/v1 Leases."""

    async def read(self, namespace: str, name: str) -> Lease:
        """A consistent read. Raises NotFound."""
        ...

    async def renew(
        self, namespace: str, name: str, *, holder: str, seconds: int, owner: Node | None = None
    ) -> None:
        """Create or renew, as a kubelet does for its node; `owner` becomes the ownerReference."""
        ...


class Events(Protocol):
    """Events that people read in `kubectl describe`."""

    async def record(
        self, about: Pod | Node | Namespace, *, reason: str, message: str, warning: bool = False
    ) -> bool | None:
        """Write (or count up) an Event; False where it was not written, and may be tried again.

        Never raises: an Event must not stop the work that it tells of.
        """
        ...


class Evictions(Protocol):
    """Taking a pod away from its controller in the way that lets others object."""

    async def evict(self, pod: Pod) -> None:
        """Evict the pod, with its own grace period and its uid as precondition.

        https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/

        Raises DisruptionBudget with the server's words, NotFound where the pod is gone, Conflict where its
        name now belongs to another.
        """
        ...

    async def replicas(self, namespace: str, controller: OwnerReference) -> Replicas:
        """How the controller's replicas stand now: a consistent read.

        Raises NotFound where it is gone, or another has its name now; Refused for a kind that we cannot read.
        """
        ...


class Placeholders(Protocol):
    """Pods that only keep room for others, and the priority that lets others push them aside."""

    async def create(self, manifest: Mapping[str, Json]) -> None:
        """Create the pod. Raises Conflict where it is there already, Refused in the server's words."""
        ...

    async def remove(self, pod: Pod) -> None:
        """DELETE with grace 0 and the uid as precondition; gone or replaced already is success."""
        ...

    async def ensure_priority(self, name: str, *, value: int) -> None:
        """Create the PriorityClass, unless one like it is there. It never preempts.

        Raises Conflict, with the mend, where one of that name is another's, and Refused where RBAC
        does not let us: then whoever installs Spillway makes it.
        """
        ...


class PodSpecs(Protocol):
    """Pods as the API server has them, newer fields than ours included."""

    async def pod_spec(self, pod: Pod) -> Json:
        """The pod's spec as JSON: a consistent read.

        Raises NotFound where the pod is gone, or its name another's, Refused where RBAC does not reach.
        """
        ...


class Token(msgspec.Struct, frozen=True):
    """A service account's token; its text form never shows it."""

    text: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Token(until {self.expires_at})"

    def __rich_repr__(self) -> list[tuple[str, datetime]]:
        """What rich prints in place of the fields."""
        return [("expires_at", self.expires_at)]


class Sources(Protocol):
    """What pods refer to; every read is consistent."""

    async def config_map(self, namespace: str, name: str) -> ConfigMap:
        """A ConfigMap. Raises NotFound."""
        ...

    async def secret(self, namespace: str, name: str) -> Secret:
        """A Secret. Raises NotFound, Refused where the bridge's RBAC does not reach."""
        ...

    async def account(self, namespace: str, name: str) -> ServiceAccount:
        """A ServiceAccount. Raises NotFound."""
        ...

    async def volume(self, namespace: str, claim: str) -> PersistentVolume | None:
        """The volume bound to a PersistentVolumeClaim; None while none is. Raises NotFound."""
        ...

    async def token(self, pod: Pod, *, audience: str, seconds: int) -> Token:
        """TokenRequest for the pod's service account, bound to the pod; the server may shorten `seconds`.

        https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/
        """
        ...
