"""Early room: whose pods may land on a virtual node before real nodes are full, in that node's annotation.

Written by the extender's leader, read by every replica. It names controllers, not pods: those pods are not
there yet when it is written, and all pods of a ReplicaSet are alike. Anybody who makes pods may name a
controller of the namespace as theirs, so it says how large they are, too.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final

import msgspec

from app.model.names import EARLY_ROOM
from app.model.pod import Pod, controller_of
from app.model.resources import Resources

MOST_SEATS: Final = 1000


class EarlyRoom(msgspec.Struct, frozen=True, kw_only=True):
    """Leave for any pod of these controllers to land on one virtual node until it expires.

    Attributes:
        seats: for how many pods the node keeps room beyond what it granted.
        owners: the controllers, as `owner_of` gives them, sorted, each with the most that one of its pods may
            ask for. Seats are as large as the largest of all pods, and each controller pays for its own.
        expires: when it ends; has a time zone.
    """

    seats: Annotated[int, msgspec.Meta(ge=1, le=MOST_SEATS)]
    owners: dict[str, Resources]
    expires: Annotated[datetime, msgspec.Meta(tz=True)]


def owner_of(pod: Pod) -> str:
    """The pod's controller, as `namespace/uid`; empty where it has none."""
    owner = controller_of(pod)
    return f"{pod.metadata.namespace}/{owner.uid}" if owner is not None else ""


def read_early(annotations: Mapping[str, str]) -> EarlyRoom | None:
    """The early room on a node; None where it has none, or none that the gate wrote: then it is closed."""
    text = annotations.get(EARLY_ROOM, "")
    if not text:
        return None
    try:
        return msgspec.json.decode(text, type=EarlyRoom)
    except (msgspec.MsgspecError, RecursionError):
        return None


def written_early(early: EarlyRoom) -> str:
    """The annotation's value; equal rooms are equal text."""
    return msgspec.json.encode(early).decode()
