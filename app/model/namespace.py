"""A namespace, reduced to what Spillway reads: its labels decide whether its pods may overflow.

https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/namespace-v1/
"""

from typing import Final

from app.model.meta import ObjectMeta
from app.model.wire import Wire

SYSTEM: Final = "kube-system"
"""Kubernetes' own: the webhook leaves it out, whatever its labels, and nobody is told to label it."""


class Namespace(Wire, frozen=True):
    """A namespace."""

    metadata: ObjectMeta = ObjectMeta()

    @property
    def name(self) -> str:
        """The namespace's name."""
        return self.metadata.name
