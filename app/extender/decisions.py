"""What the gate decides: an answer for each pod that presses, an opening for each virtual node."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from app.extender.ledger import Lapses
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


class Wait(msgspec.Struct, frozen=True):
    """The pod stays Unschedulable for now; `until` is None where an event, not the clock, will end it."""

    pod: Pod
    reason: Reason
    until: datetime | None = None


class Refuse(msgspec.Struct, frozen=True):
    """The pod does not burst, with every reason."""

    pod: Pod
    reasons: tuple[Reason, ...]


Decision = Burst | Wait | Refuse


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """How one virtual node's gate is to stand: who may land there, and its allocatable."""

    node: str
    grants: tuple[Grant, ...]
    room: Resources


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The decisions of this moment, and `due`, the next moment at which time alone changes one.

    `unbound` are the pods without a node, whatever they want.
    """

    decisions: tuple[Decision, ...]
    openings: tuple[Opening, ...]
    lapses: Mapping[PodUid, Lapses]
    unbound: frozenset[PodUid]
    due: datetime | None
