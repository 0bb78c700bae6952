"""When overflow that stays has become dearer than a node: rent or buy, decided without knowing the future.

Fargate is rent; a node is bought for a stay, at its hourly price times that stay. One question is asked again
and again: *had one more node stood here for the past stay, would it have saved its own price?* Once it would,
it is bought, and the past is remembered as if it had been there, so that the next node has to earn its price
from what is left. What was paid longer ago than a stay is forgotten, since no node would still stand for it.

Whatever the demand does, that costs at most twice the best in hindsight, where rates are constant, nodes are
alike and come at once: docs/decisions/0022-rent-or-buy.md has the argument, the property test the check.
"""

from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Final

import msgspec

Levels = tuple[float, ...]
"""What overflows, node by node: US dollars an hour that the first node would save, the second, and so on."""

_HOUR: Final = timedelta(hours=1)
_MOST_STRETCHES: Final = 240
"""The past is kept in pieces of at least this part of the stay, whatever the number of looks."""

MOST_STRIKES: Final = 5
_ROUNDING: Final = 1e-9


class Stretch(msgspec.Struct, frozen=True):
    """A piece of the past, and what overflowed through all of it."""

    since: datetime
    until: datetime
    levels: Levels


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What was paid for overflow that nodes would have carried; a new leader starts an empty one.

    Attributes:
        past: within the last stay, oldest first; nodes that were bought count as if they had been there.
        at: the last look; None before the first.
        levels: what overflowed then, and is taken to have done so until the next look.
        strikes: hand-overs in a row that came to nothing; each doubles the stay that a node has to earn.
        struck: when the last of them did.
    """

    past: tuple[Stretch, ...] = ()
    at: datetime | None = None
    levels: Levels = ()
    strikes: int = 0
    struck: datetime | None = None


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a node costs and how long it stays.

    Attributes:
        hourly: US dollars for an hour of it.
        stay: the least time that it is paid for.
        look: the time between two looks. A node is bought at the last look before its price is reached.
        most: nodes that may be bought at once.
    """

    hourly: float
    stay: timedelta = _HOUR
    look: timedelta = timedelta(seconds=15)
    most: int = 1000


class KeepRenting(msgspec.Struct, frozen=True):
    """No node has earned its price yet. `paid` is what the next would have saved; both in US dollars."""

    paid: float
    price: float


class Buy(msgspec.Struct, frozen=True):
    """So many nodes have earned their price; `paid` is what the first of them would have saved."""

    nodes: int
    paid: float
    price: float


def step(
    account: Account, levels: Levels, *, terms: Terms, now: datetime
) -> tuple[Account, KeepRenting | Buy]:
    """The account after this look, and whether to buy.

    Args:
        account: as the last look left it.
        levels: what overflows now, the dearest node's worth first; without what bought nodes will take over.
        terms: the node's price and stay.
        now: the time. Where the clock was set back, the account moves with it.
    """
    account = _in_time(account, now)
    stay = _stay(account, terms.stay)
    price = terms.hourly * (stay / _HOUR)
    past = _since(
        now + terms.look - stay, (*_accrued(account, now, stay), Stretch(now, now + terms.look, levels))
    )
    first = paid = _saved(past)
    nodes = 0
    while nodes < min(len(levels), terms.most) and paid >= price - _ROUNDING:
        past = tuple(_less_one(each) for each in past)
        paid = _saved(past)
        nodes += 1
    after = msgspec.structs.replace(account, past=past[:-1], at=now, levels=levels[nodes:])
    return after, Buy(nodes, first, price) if nodes else KeepRenting(paid, price)


def paused(account: Account, *, stay: timedelta, now: datetime) -> Account:
    """The account while nobody can say what a node costs: time goes by, and nothing is charged for it."""
    account = _in_time(account, now)
    stay = _stay(account, stay)
    past = _since(now - stay, _accrued(account, now, stay))
    return msgspec.structs.replace(account, past=past, at=now, levels=())


def given_up(account: Account, *, now: datetime) -> Account:
    """The account after a hand-over that came to nothing: a new one, and nodes must earn twice the stay."""
    return Account(strikes=min(account.strikes + 1, MOST_STRIKES), struck=now)


def arrived(account: Account) -> Account:
    """The account after a hand-over that came about: the next node need earn one stay again."""
    return msgspec.structs.replace(account, strikes=0) if account.strikes else account


def is_blank(account: Account, *, stay: timedelta) -> bool:
    """Whether nothing has overflowed for a stay: then hand-overs in vain are forgotten, too."""
    if account.levels or any(each.levels for each in account.past):
        return False
    at, struck = account.at, account.struck
    return struck is None or (at is not None and at - struck >= _stay(account, stay))


def _stay(account: Account, stay: timedelta) -> timedelta:
    """What a node has to earn, with the hand-overs in vain."""
    doubled: timedelta = stay * 2**account.strikes
    return doubled


def _in_time(account: Account, now: datetime) -> Account:
    """The account by the clock as it is: where that was set back, the past moves with it, whole."""
    if account.at is None or account.at <= now:
        return account
    ahead = account.at - now
    past = tuple(Stretch(each.since - ahead, each.until - ahead, each.levels) for each in account.past)
    struck = None if account.struck is None else account.struck - ahead
    return msgspec.structs.replace(account, past=past, at=now, struck=struck)


def _accrued(account: Account, now: datetime, stay: timedelta) -> tuple[Stretch, ...]:
    """The past with the time since the last look; short pieces are joined, what was paid stays the same."""
    if account.at is None or now == account.at:
        return account.past
    piece = Stretch(account.at, now, account.levels)
    if not account.past:
        return (piece,)
    last = account.past[-1]
    if last.levels != piece.levels and last.until - last.since >= stay / _MOST_STRETCHES:
        return (*account.past, piece)
    return (*account.past[:-1], _joined(last, piece))


def _joined(one: Stretch, other: Stretch) -> Stretch:
    """Both as one stretch: the same money for each node, spread evenly."""
    if one.levels == other.levels:
        return Stretch(one.since, other.until, one.levels)
    whole = other.until - one.since
    first, second = (one.until - one.since) / whole, (other.until - other.since) / whole
    pairs = zip_longest(one.levels, other.levels, fillvalue=0.0)
    return Stretch(one.since, other.until, tuple(first * a + second * b for a, b in pairs))


def _since(begin: datetime, past: tuple[Stretch, ...]) -> tuple[Stretch, ...]:
    """The stretches after `begin`; one that reaches beyond is cut."""
    return tuple(
        Stretch(max(each.since, begin), each.until, each.levels) for each in past if each.until > begin
    )


def _saved(past: tuple[Stretch, ...]) -> float:
    """What one more node would have saved."""
    return sum(each.levels[0] * ((each.until - each.since) / _HOUR) for each in past if each.levels)


def _less_one(stretch: Stretch) -> Stretch:
    return Stretch(stretch.since, stretch.until, stretch.levels[1:])
