"""What the gate decides: an answer for each pod that presses, an opening for each virtual node."""

from datetime import datetime

import msgspec

from app.extender.decision.budget import Balance
from app.extender.decision.memory import Memory
from app.fargate.prices import Cost
from app.model.early import EarlyRoom
from app.model.grant import Grant
from app.model.names import PodUid
from app.model.pod import Pod
from app.model.reason import Reason
from app.model.resources import Resources


class Burst(msgspec.Struct, frozen=True):
    """The pod gets a place on this virtual node."""

    pod: Pod
    node: str
    grant: Grant


class WouldBurst(msgspec.Struct, frozen=True):
    """The pod would have had a place on this virtual node, were its gate not in `observe`; said once.

    `cost` is None where the pod has no price.
    """

    pod: Pod
    node: str
    cost: Cost | None


class Wait(msgspec.Struct, frozen=True):
    """The pod stays Unschedulable for now; `until` is None where an event, not the clock, will end it.

    `others` are what else keeps it, as every further budget that is spent.
    """

    pod: Pod
    reason: Reason
    until: datetime | None = None
    others: tuple[Reason, ...] = ()

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Every reason."""
        return (self.reason, *self.others)


class Refuse(msgspec.Struct, frozen=True):
    """The pod does not burst, with every reason; `until` is set where the clock will end it."""

    pod: Pod
    reasons: tuple[Reason, ...]
    until: datetime | None = None


Decision = Burst | WouldBurst | Wait | Refuse


class Early(msgspec.Struct, frozen=True):
    """Early room on a virtual node: what it says, how much it is, and a pod of each controller it is for."""

    room: EarlyRoom
    space: Resources
    pods: tuple[Pod, ...]


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """How one virtual node's gate is to stand: who may land there, and its allocatable."""

    node: str
    grants: tuple[Grant, ...]
    room: Resources
    early: EarlyRoom | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The decisions of this moment, and `due`, the next moment at which time alone changes one.

    `unbound` are the pods without a node, whatever they want. `balances` say what is spent of each budget,
    these decisions included.
    """

    decisions: tuple[Decision, ...]
    openings: tuple[Opening, ...]
    memory: Memory
    unbound: frozenset[PodUid]
    due: datetime | None
    balances: tuple[Balance, ...] = ()
