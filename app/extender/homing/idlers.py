"""Controllers whose pods left the room unused that nodes came for: they alone wait before they get more.

A hand-over that no node came for is the autoscaler's answer to everybody who could use such a node
(`break_even`). One whose node came, and whose pods did not go, is that controller's own: who is never Ready
must not keep others on Fargate, and is not to pay for nodes again and again.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

import msgspec

from app.extender.homing.break_even import MOST_STRIKES
from app.model.reason import Reason
from app.model.times import later


class Idler(msgspec.Struct, frozen=True, kw_only=True):
    """One such controller.

    Attributes:
        name: for people.
        reason: why its latest placeholder went.
        strikes: hand-overs in a row that it left unused.
        struck: when the last of them ended.
    """

    name: str
    reason: Reason
    strikes: int
    struck: datetime


Idlers = Mapping[str, Idler]
"""By `app.model.early.owner_of`."""

NO_IDLERS: Final[Idlers] = MappingProxyType({})


class Unused(msgspec.Struct, frozen=True, kw_only=True):
    """A placeholder that goes though its node came; `made` is when it was made."""

    owner: str
    name: str
    made: datetime
    reason: Reason


def idlers_after(
    known: Idlers, *, unused: Iterable[Unused], left: Iterable[str], now: datetime, stay: timedelta
) -> Idlers:
    """Who is one now; who sent a pod home is none any longer, and time forgives.

    What was asked for before the last strike is part of that one, however late its placeholders go.

    Args:
        known: as of the last look.
        unused: placeholders that go.
        left: controllers of which a pod has left for its room.
        now: the time. Where the clock was set back, strikes move with it.
        stay: the least time that a node is paid for.
    """
    gone = frozenset(left)
    kept = (
        (owner, msgspec.structs.replace(each, struck=min(each.struck, now)))
        for owner, each in known.items()
        if owner not in gone
    )
    found = {owner: each for owner, each in kept if now < later(held_off_until(each, stay), stay)}
    for each in unused:
        before = known.get(each.owner)
        if before is not None and each.made <= before.struck:
            continue
        strikes = min(before.strikes + 1 if before is not None else 1, MOST_STRIKES)
        found[each.owner] = Idler(name=each.name, reason=each.reason, strikes=strikes, struck=now)
    return found


def held_off_until(idler: Idler, stay: timedelta) -> datetime:
    """Until when its pods earn no node: twice the stay, and twice as long with each further strike."""
    return later(idler.struck, stay * 2**idler.strikes)


def held_off(idlers: Idlers, *, now: datetime, stay: timedelta) -> frozenset[str]:
    """The controllers whose pods earn no node now."""
    return frozenset(owner for owner, each in idlers.items() if now < held_off_until(each, stay))
