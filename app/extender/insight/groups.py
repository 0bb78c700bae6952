"""Pods by the reason that keeps them, each group with the one that it has kept longest."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

import msgspec

from app.extender.decision.candidates import verdict_on
from app.extender.insight.seen import oldest
from app.model.pod import Pod
from app.model.reason import Reason

_EVER: Final = datetime.min.replace(tzinfo=UTC)


class Group(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Pods that one reason keeps.

    Attributes:
        message: the reason in the words for the oldest of them.
        pods: how many.
        oldest: the pod that has waited longest, as `namespace/name`.
        since: since when it has.
        until: when the clock ends it for the first of them; None where an event will.
    """

    code: str
    message: str
    pods: int
    oldest: str
    since: datetime | None
    until: datetime | None = None


class Kept(msgspec.Struct, frozen=True):
    """A pod, one of the reasons that keep it, when the clock ends that, and since when it is so.

    Without `since` it is since the scheduler found no node for the pod, or since it was made.
    """

    pod: Pod
    reason: Reason
    until: datetime | None = None
    since: datetime | None = None


def groups_of(kept: Iterable[Kept]) -> tuple[Group, ...]:
    """By the reason's code, the largest group first; a pod with two reasons is in two groups."""
    by_code: dict[str, list[Kept]] = defaultdict(list)
    for each in kept:
        by_code[each.reason.code].append(each)
    groups = (_group(code, found) for code, found in by_code.items())
    return tuple(sorted(groups, key=lambda each: (-each.pods, each.code)))


def first_of(kept: Iterable[Kept]) -> Kept:
    """The one that is kept longest."""
    return min(kept, key=lambda each: (_since(each), each.pod.key))


def _group(code: str, found: list[Kept]) -> Group:
    first = first_of(found)
    since = _since(first)
    return Group(
        code=code,
        message=str(first.reason),
        pods=len({each.pod.uid for each in found}),
        oldest=first.pod.key,
        since=since if since != _EVER else None,
        until=oldest(each.until for each in found),
    )


def _since(kept: Kept) -> datetime:
    """Since when it waits for a node, or exists; long ago where nothing says so."""
    verdict = verdict_on(kept.pod)
    found = kept.since or (verdict.last_transition_time if verdict is not None else None)
    return found or kept.pod.metadata.creation_timestamp or _EVER
