"""A Karpenter NodeClaim, reduced to what Spillway reads: a node that was asked for.

https://karpenter.sh/docs/concepts/nodeclaims/ (karpenter.sh/v1)
"""

from datetime import datetime

import msgspec

from app.model.affinity import Requirement
from app.model.meta import ObjectMeta
from app.model.node import Taint
from app.model.wire import Wire


class ClaimResources(Wire, frozen=True):
    """What the pods need that the claim was made for, DaemonSets' included."""

    requests: dict[str, str] = {}


class NodeClaimSpec(Wire, frozen=True):
    """What was asked for. `startup_taints` go away by themselves while the node is set up."""

    requirements: tuple[Requirement, ...] = ()
    resources: ClaimResources = ClaimResources()
    taints: tuple[Taint, ...] = ()
    startup_taints: tuple[Taint, ...] = ()


class ClaimCondition(Wire, frozen=True):
    """One of a claim's conditions: `Launched`, `Registered`, `Initialized`, `Ready`."""

    type: str
    status: str = "Unknown"
    last_transition_time: datetime | None = None


class NodeClaimStatus(Wire, frozen=True):
    """What came of it: `allocatable` is an estimate, there from the launch on; `node_name` once it joined."""

    node_name: str = ""
    provider_id: str = msgspec.field(name="providerID", default="")
    allocatable: dict[str, str] = {}
    conditions: tuple[ClaimCondition, ...] = ()


class NodeClaim(Wire, frozen=True):
    """A node that Karpenter was asked for."""

    metadata: ObjectMeta = ObjectMeta()
    spec: NodeClaimSpec = NodeClaimSpec()
    status: NodeClaimStatus = NodeClaimStatus()

    @property
    def name(self) -> str:
        """The claim's name; the node's is another."""
        return self.metadata.name

    def stands(self, kind: str) -> str:
        """The status of one condition: `True`, `False`, or `Unknown` where it is not there yet."""
        return next((each.status for each in self.status.conditions if each.type == kind), "Unknown")
