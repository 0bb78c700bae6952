"""What is to be done, so that whatever clients trust covers every leaf that is served. Pure.

A CA goes through three places. Announced (`next`), it is in every bundle and signs nothing. Signing
(`current`), it signs every new leaf. Retired (`previous`), it signs no more, and stays in the bundle until
the last leaf of its own is out of every pod.

A leaf of another CA than the leaf before is issued only where that CA has been in the bundle for as long as a
Secret takes to reach its pods, and is in every entry of the webhook configuration; at once where the leaf
before cannot be served, since nothing is to be lost then.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from app.issuer.certificates import Ca, bundle
from app.issuer.commands import (
    Command,
    DropNext,
    Inject,
    IssueLeaf,
    KeepPrevious,
    MakeCa,
    MakeNext,
    Promote,
    Publish,
    Tidy,
)
from app.issuer.config import IssuerConfig
from app.issuer.holdings import Holdings

LOOK_EVERY: Final = timedelta(seconds=10)
"""A `caBundle` that somebody took out is missed by each pod that is created meanwhile."""

_MOST_PREVIOUS: Final = 8
"""A bundle that somebody filled with roots is not carried along."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to write now, in this order; what is wrong; and when to look again at the latest."""

    commands: tuple[Command, ...]
    flaws: tuple[str, ...]
    look_again: datetime


def decide(held: Holdings, *, config: IssuerConfig, now: datetime) -> Plan:
    """The next writes: one to the CA's Secret by itself, or else one to each of the others.

    The writes after one to the CA's Secret are decided by what it holds then.
    """
    current = held.current
    commands = _first_of_the_ca(held) if current is None else _of_the_ca(held, current, config, now)
    if not commands and current is not None:
        whole = bundle(held.authorities())
        commands = (*_of_the_leaf(held, current, whole, config, now), *_of_the_registration(held, whole))
    return Plan(commands=commands, flaws=held.flaws, look_again=_look_again(held, config, now))


def _first_of_the_ca(held: Holdings) -> tuple[Command, ...]:
    """Nobody can sign. What clients trust now stays trusted, until leaves of the new CA are everywhere."""
    trusted = _once((*held.previous, *held.published, *held.trusted_there))
    if held.next is not None:
        previous = _without(trusted, held.next)
        return (Promote(previous=previous, why="the CA before cannot sign; its successor can"),)
    return (MakeCa(previous=trusted[:_MOST_PREVIOUS], why="there is no CA that can sign"),)


def _of_the_ca(held: Holdings, current: Ca, config: IssuerConfig, now: datetime) -> tuple[Command, ...]:
    previous = _still_needed(held, current, config, now)
    if held.next is None and held.raw_next:
        return (DropNext(why="what stands in the place of the CA's successor is none"),)
    if held.raw_previous != bundle(previous):
        return (KeepPrevious(previous=previous, why=_about_previous(held, previous)),)
    if held.next is None and now >= current.announce_successor_at():
        return (MakeNext(signs=current.retire_at(now), why=f"the CA ends at {current.until:%F %TZ}"),)
    if held.next is not None and _may_follow(held, current, held.next, config, now):
        return (
            Promote(
                previous=_without((current, *previous), held.next),
                why="the CA before ends soon, and its successor is trusted everywhere",
            ),
        )
    if config.ca_secret in held.extra:
        return (Tidy(secret=config.ca_secret, why="keys that nobody asked for"),)
    return ()


def _may_follow(held: Holdings, current: Ca, following: Ca, config: IssuerConfig, now: datetime) -> bool:
    return now >= current.retire_at(following.since) and _is_held(held, following, config, now)


def _of_the_leaf(
    held: Holdings, current: Ca, whole: bytes, config: IssuerConfig, now: datetime
) -> tuple[Command, ...]:
    news = not set(held.authorities()) <= set(held.published)
    since = now if news or held.since is None else held.since
    until = min(now + config.leaf_validity, current.until)
    due = _why_anew(held, current, until, config, now)
    if due and _may_sign(held, current, config, now):
        return (IssueLeaf(until=until, bundle=whole, since=since, why=due),)
    if held.raw_bundle != whole or held.since is None:
        return (Publish(bundle=whole, since=since, why="what clients are to trust has changed"),)
    if config.tls_secret in held.extra:
        return (Tidy(secret=config.tls_secret, why="keys that nobody asked for"),)
    return ()


def _of_the_registration(held: Holdings, whole: bytes) -> tuple[Command, ...]:
    wrong = sum(each != whole for each in held.registered or ())
    if not wrong:
        return ()
    return (Inject(bundle=whole, why=f"{wrong} entries of the webhook configuration trust something else"),)


def _why_anew(held: Holdings, current: Ca, until: datetime, config: IssuerConfig, now: datetime) -> str:
    """Why another leaf is needed; empty where none is."""
    leaf = held.leaf
    if leaf is None:
        return "there is none that can be served"
    if leaf.signed_by != current:
        return "the CA before has signed it"
    if leaf.names != config.names:
        return "it is to have other names"
    # Where the CA ends first, another leaf would end no later.
    if now >= leaf.until - config.renew_before and until > leaf.until:
        return f"it ends at {leaf.until:%F %TZ}"
    return ""


def _may_sign(held: Holdings, current: Ca, config: IssuerConfig, now: datetime) -> bool:
    """Whether a leaf of this CA is believed; or nothing is to be lost, since there is none that is."""
    if held.leaf is None or held.leaf.signed_by == current:
        return True
    return _is_held(held, current, config, now)


def _is_held(held: Holdings, ca: Ca, config: IssuerConfig, now: datetime) -> bool:
    """Whether every client trusts it: pods have the Secret by now, and so has the API server each entry."""
    if ca not in held.published or held.since is None or now < held.since + config.propagation:
        return False
    return held.registered is not None and all(ca.pem in each for each in held.registered)


def _still_needed(held: Holdings, current: Ca, config: IssuerConfig, now: datetime) -> tuple[Ca, ...]:
    """Former CAs, and what else clients trust, until the leaf of the one that signs has reached every pod."""
    leaf = held.leaf
    if leaf is not None and leaf.signed_by == current and now >= leaf.since + config.propagation:
        return ()
    signer = (leaf.signed_by,) if leaf is not None else ()
    known = _without((*held.previous, *held.published, *held.trusted_there, *signer), current)
    return tuple(each for each in known if each != held.next)[-_MOST_PREVIOUS:]


def _about_previous(held: Holdings, previous: tuple[Ca, ...]) -> str:
    if set(previous) - set(held.previous):
        return "clients trust them, and leaves of theirs may be served"
    return "the leaves of former CAs are out of every pod"


def _look_again(held: Holdings, config: IssuerConfig, now: datetime) -> datetime:
    """When something falls due, or whether somebody has changed something."""
    moments: list[datetime] = [now + LOOK_EVERY]
    if held.current is not None:
        announced = held.next.since if held.next is not None else now
        moments += [held.current.announce_successor_at(), held.current.retire_at(announced)]
    if held.since is not None:
        moments.append(held.since + config.propagation)
    if held.leaf is not None:
        moments += [held.leaf.until - config.renew_before, held.leaf.since + config.propagation]
    return min(each for each in moments if each > now)


def _once(several: Iterable[Ca]) -> tuple[Ca, ...]:
    return tuple(dict.fromkeys(several))


def _without(several: Iterable[Ca], one: Ca) -> tuple[Ca, ...]:
    return tuple(each for each in _once(several) if each != one)
