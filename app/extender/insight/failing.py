"""Overflow pods that have a place on Fargate, and do not run there: who, why, and when that is our trouble.

A crash loop or a Secret that is missing is the application's own, and nobody is woken for it. It is trouble
where no task comes about for minutes though the gate let the pod pass, and where most overflow pods of
several controllers fail alike: then the cause is shared.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from app.extender.insight.groups import Kept, first_of
from app.extender.insight.life import NO_CAPACITY, NO_TASK, Life, bound_since, had_task, life_of
from app.extender.insight.seen import Seen
from app.model.pod import Pod, controller_of, is_terminal
from app.model.reason import Reason
from app.model.setting import named
from app.model.virtual_node import is_overflow

FOR_LONG: Final = timedelta(minutes=5)
"""For how long a pod may be without a task before that is trouble."""

_LAUNCHES: Final = timedelta(minutes=1)
"""How long a launch may take before it is told."""

_STALE: Final = timedelta(hours=1)
_FORGOTTEN: Final = timedelta(days=1)
"""For how long a pod that has ended counts as trouble, and is told at all."""

UNSUPPORTED: Final = "FargateUnsupported"
_ALIKE: Final = 3
_SHARE: Final = 0.5
"""How many overflow pods, and which share of them, fail alike where the cause is a shared one."""

_HELPER: Final = named("bridge", "helper_image")
_SUBNETS: Final = named("bridge", "subnets")
_CAPACITY: Final = named("bridge", "capacity")
_MENDS: Final[Mapping[str, tuple[str, str]]] = {
    UNSUPPORTED: (
        "PodsRejected",
        "the bridge rejects what the gate let pass; mend the pods, or what it lacks, as " + _HELPER,
    ),
    NO_CAPACITY: (
        "PodsWithoutCapacity",
        f"AWS has no room for it now; change {_SUBNETS} or {_CAPACITY}, or wait (spillway aws check)",
    ),
    NO_TASK: ("PodsWithoutTask", "the bridge launches nothing for it; look at the bridge's logs"),
}
"""What is trouble by its code: the trouble's code, and what it means with the mend."""


def failing(seen: Seen) -> tuple[Kept, ...]:
    """The pods on virtual nodes that do not run, each with kubelet's reason and since when."""
    pods = (pod for pods in seen.facts.on_virtual.values() for pod in pods if is_overflow(pod))
    found = (_kept(pod, life_of(pod), now=seen.now) for pod in pods)
    return tuple(each for each in found if each is not None)


def failures(seen: Seen) -> Iterator[Reason]:
    """What of it is trouble."""
    by_code: dict[str, list[Kept]] = defaultdict(list)
    for each in failing(seen):
        by_code[each.reason.code].append(each)
    for code, found in sorted(by_code.items()):
        if code in _MENDS:
            yield from _lasting(code, found, seen.now)
        elif _is_widespread(found, seen):
            first = first_of(found)
            yield Reason(
                "PodsFailAlike",
                f"{len(found)} overflow pods of several controllers fail alike, {first.reason.code}: "
                f"{first.reason.message} (the oldest is {first.pod.key}); look for a shared cause, as "
                "a role, a registry, the network or AWS",
            )


def _kept(pod: Pod, life: Life, *, now: datetime) -> Kept | None:
    """The pod with what is wrong; None where nothing is, or only its own program failed for good."""
    if pod.metadata.deletion_timestamp is not None:
        return None
    if not life.reason:
        return _without_task(pod, life, now=now)
    if is_terminal(pod) and (not pod.status.reason or _older(life.since, _FORGOTTEN, now)):
        return None
    return Kept(pod, Reason(life.reason, life.message or _outcome(life)), since=life.since)


def _without_task(pod: Pod, life: Life, *, now: datetime) -> Kept | None:
    since = bound_since(pod)
    if is_terminal(pod) or life.has_task or had_task(pod) or not _older(since, _LAUNCHES, now):
        return None
    return Kept(pod, Reason(NO_TASK, "it has its node, and no task was launched for it"), since=since)


def _outcome(life: Life) -> str:
    """What stands for the words of a kubelet that said none."""
    which = f"container {life.container} " if life.container else ""
    return f"{which}ended with {life.exit_code}" if life.exit_code is not None else f"{which}does not run"


def _lasting(code: str, found: list[Kept], now: datetime) -> Iterator[Reason]:
    late = [
        each
        for each in found
        if _older(each.since, FOR_LONG, now)
        and not (is_terminal(each.pod) and _older(each.since, _STALE, now))
    ]
    if not late:
        return
    first = first_of(late)
    name, mend = _MENDS[code]
    yield Reason(
        name,
        f"{len(late)} overflow pods have no task for more than {FOR_LONG.total_seconds() / 60:.0f} min, the "
        f"oldest is {first.pod.key}: {first.reason.message}; {mend}",
    )


def _is_widespread(found: list[Kept], seen: Seen) -> bool:
    """Whether so many fail alike, of more than one controller, that the cause is hardly their own."""
    living = sum(
        is_overflow(pod) and not is_terminal(pod) for pods in seen.facts.on_virtual.values() for pod in pods
    )
    alike = [each for each in found if not is_terminal(each.pod)]
    return len(alike) >= max(_ALIKE, _SHARE * living) and len({_maker(each.pod) for each in alike}) > 1


def _maker(pod: Pod) -> str:
    owner = controller_of(pod)
    return owner.uid if owner is not None else pod.uid


def _older(since: datetime | None, span: timedelta, now: datetime) -> bool:
    return since is not None and now - since > span
