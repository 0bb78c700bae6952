"""What the shells ask of Kubernetes. All of them raise `app.ports.failures` only.

Requests carry preconditions (uid) wherever a name may have been reused meanwhile.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from app.model.node import Node
from app.model.objects import ConfigMap, PersistentVolume, Secret, ServiceAccount
from app.model.pod import Pod
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

    async def record(self, about: Pod | Node, *, reason: str, message: str, warning: bool = False) -> None:
        """Write (or count up) an Event. Never raises: an Event must not stop the work that it tells of."""
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
