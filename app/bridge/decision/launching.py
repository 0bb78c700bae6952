"""Before there is a task: gather, record the attempt, launch it, and what follows ECS's no."""

from datetime import datetime, timedelta
from typing import Final

from app.bridge.decision import attempts
from app.bridge.decision.attempts import Capacity
from app.bridge.decision.commands import Command, Gather, Later, LaunchTask, Look, RecordEvent
from app.bridge.decision.facts import (
    REFUSAL_LASTS,
    REMEMBERED,
    SETTLED,
    UNREADY_LASTS,
    Facts,
    Gathered,
    attempt_of,
    attempted_at,
    is_settled,
    outcome_of,
    task_of,
)
from app.bridge.decision.measures import Commands, failed, pod_of, settling, stops, write_status
from app.bridge.decision.record import recorded_capacity
from app.bridge.status.container_status import Hold
from app.bridge.status.endings import has_run, is_for_want_of_spot
from app.bridge.translation.material import Material, Unready
from app.bridge.translation.task_spec import Translated, translate
from app.model.pod import Pod, condition, controller_of
from app.model.policy import PolicyError, capacity_of
from app.model.reason import Reason, joined
from app.model.times import later

NO_CAPACITY: Final = "FargateNoCapacity"
UNSUPPORTED: Final = "FargateUnsupported"
_SOON: Final = 5.0


def fresh(facts: Facts) -> Commands:
    """The first attempt of a pod."""
    return next_attempt(facts)


def next_attempt(facts: Facts, *, restarting: bool = False) -> Commands:
    """Begin another attempt: what it needs is gathered first, and the attempt written on the pod.

    Args:
        facts: of a pod whose last attempt, if any, is over.
        restarting: whether the pod's status is told by whom this is called.
    """
    number = attempt_of(facts) + 1
    capacity = next_capacity(facts)
    found = facts.material
    if found is None:
        return (Gather(),)
    translated = _translated(facts, found, number, capacity)
    match translated:
        case Unready():
            return (_later(),) if restarting else unready(facts, translated)
        case Translated():
            begun = attempts.record(
                pod_of(facts), number=number, capacity=capacity, config=facts.config, now=facts.now
            )
            return (begun, *(_caveats(translated) if number == 1 else ()))
        case _:
            return rejected(facts, translated, restarting=restarting)


def hindrance(facts: Facts) -> Unready | tuple[Reason, ...] | None:
    """What keeps the next attempt from being begun, by what was gathered last, however long ago."""
    found = facts.memory.gathered
    if found is None:
        return None
    translated = _translated(facts, found, attempt_of(facts) + 1, next_capacity(facts))
    return None if isinstance(translated, Translated) else translated


def rejected(facts: Facts, reasons: tuple[Reason, ...], *, restarting: bool = False) -> Commands:
    """As a kubelet rejects a pod that it cannot admit; one that a controller would replace waits first.

    A controller makes the next pod at once, which ends like this one: failing it would never stop. So it is
    left waiting, looked at again now and then, and fails only after as long as for want of capacity.
    """
    if controller_of(pod_of(facts)) is None or is_given_back(facts):
        message = f"Pod was rejected: {joined(reasons)}"
        return failed(facts, task=task_of(facts), reason=UNSUPPORTED, message=message)
    again = Later(seconds=_until_looked_again(facts))
    if restarting:
        return (again,)
    hold, event = refusal_words(reasons)
    return (*write_status(facts, task=task_of(facts), hold=hold, event=event), again)


def refusal_words(reasons: tuple[Reason, ...], *, restarting: bool = False) -> tuple[Hold, RecordEvent]:
    """Why the pod's containers wait that Fargate cannot run, and the Event."""
    said = joined(reasons)
    event = RecordEvent(reason=UNSUPPORTED, message=said, warning=True)
    return Hold(UNSUPPORTED, said, restarting=restarting), event


def unready_words(why: Unready, *, restarting: bool = False) -> tuple[Hold, RecordEvent]:
    """Why the pod's containers wait for what is not there yet, and the Event; both in kubelet's words."""
    said = f"Error: {why.message}" if why.event == "Failed" else why.message
    event = RecordEvent(reason=why.event, message=said, warning=True)
    return Hold(why.reason, why.message, restarting=restarting), event


def _until_looked_again(facts: Facts) -> float:
    """Seconds until what was gathered is too old, or the pod is given back."""
    since = _wanting_since(facts, pod_of(facts)) or facts.now
    given_up = later(since, timedelta(seconds=facts.config.give_back_after))
    stale = (facts.memory.gathered_at or facts.now) + REFUSAL_LASTS
    return max((min(given_up, stale) - facts.now).total_seconds(), _SOON)


def unready(facts: Facts, why: Unready) -> Commands:
    """Wait for what the pod refers to, as a kubelet waits for a Secret."""
    hold, event = unready_words(why)
    status = write_status(facts, task=task_of(facts), hold=hold, event=event)
    return (*status, _later())


def _later() -> Later:
    return Later(seconds=UNREADY_LASTS.total_seconds())


def recorded(facts: Facts) -> Commands:
    """An attempt without a known task: its RunTask was never sent, or its answer never came.

    Repeating it settles both, for ECS remembers the client token; so no older attempt may still live.
    """
    if facts.live:
        return (*stops(facts, "replaced by a newer attempt"), Later(seconds=_SOON))
    pod, number = pod_of(facts), attempt_of(facts)
    if facts.now - attempted_at(facts, pod) >= REMEMBERED:
        return _anew(facts, pod)
    found = facts.material
    if found is None:
        return (Gather(),)
    capacity = recorded_capacity(pod) or "on-demand"
    translated = _translated(facts, found, number, capacity)
    if isinstance(translated, Translated):
        return (LaunchTask(launch=translated.launch, attempt=number),)
    if not is_settled(facts, pod):
        return settling(facts)
    return _renewed(facts, pod, capacity) or _hindered(facts, translated)


def _hindered(facts: Facts, why: Unready | tuple[Reason, ...]) -> Commands:
    return unready(facts, why) if isinstance(why, Unready) else rejected(facts, why)


def _anew(facts: Facts, pod: Pod) -> Commands:
    """Another attempt in place of one that is too old to be repeated, once a listing shows it has no task.

    AWS may have been away for so long. The listing must be later than the last moment at which the old one
    may have been launched.
    """
    telling = attempted_at(facts, pod) + REMEMBERED + SETTLED
    if facts.looked_at is None or facts.looked_at < telling:
        return (Look(), Later(seconds=_SOON))
    return _renewed(facts, pod, recorded_capacity(pod) or "on-demand")


def _renewed(facts: Facts, pod: Pod, capacity: Capacity) -> Commands:
    """Another attempt in place of one that came to nothing and grows old while its pod waits for something.

    An attempt that ECS may have forgotten counts as lost; this one is known to have no task.
    """
    if facts.now - attempted_at(facts, pod) < REMEMBERED / 2:
        return ()
    number = attempt_of(facts) + 1
    return (attempts.record(pod, number=number, capacity=capacity, config=facts.config, now=facts.now),)


def refused(facts: Facts) -> Commands:
    """ECS said no: tell, wait, try again; without capacity for long, let the scheduler try elsewhere."""
    outcome = outcome_of(facts)
    if outcome is None:
        raise AssertionError("stage REFUSED without an outcome")
    scarce = outcome.kind == "no-capacity"
    if scarce and is_given_back(facts):
        return given_back(facts, outcome.message)
    due = facts.now if falls_back(facts) else attempts.refusal_due(outcome)
    if facts.now >= due:
        return next_attempt(facts)
    reason = NO_CAPACITY if scarce else "CreateContainerConfigError"
    event = RecordEvent(
        reason=NO_CAPACITY if scarce else "FailedLaunch", message=outcome.message, warning=True
    )
    wait = (due - facts.now).total_seconds()
    return (
        *write_status(facts, task=None, hold=Hold(reason, outcome.message), event=event),
        Later(seconds=wait),
    )


def next_capacity(facts: Facts) -> Capacity:
    """What the next attempt runs on.

    `spot-first` tries Spot until there is none, or it is taken away before anything ran; from then on the
    pod stays on demand. An annotation that is none counts as on-demand: the translation refuses it anyway.
    """
    pod = pod_of(facts)
    try:
        wish = capacity_of(pod.metadata.annotations, default=facts.config.task.capacity)
    except PolicyError:
        return "on-demand"
    if wish != "spot-first":
        return wish
    return "on-demand" if recorded_capacity(pod) == "on-demand" or falls_back(facts) else "spot"


def falls_back(facts: Facts) -> bool:
    """Whether the newest attempt was on Spot, found none, and the pod may run on demand instead."""
    pod = pod_of(facts)
    try:
        wish = capacity_of(pod.metadata.annotations, default=facts.config.task.capacity)
    except PolicyError:
        return False
    if wish != "spot-first" or recorded_capacity(pod) != "spot":
        return False
    outcome, task = outcome_of(facts), task_of(facts)
    denied = outcome is not None and outcome.kind == "no-capacity"
    return denied or (task is not None and is_for_want_of_spot(task, spec=pod.spec))


def _translated(
    facts: Facts, found: Gathered, number: int, capacity: Capacity
) -> Translated | Unready | tuple[Reason, ...]:
    if not isinstance(found, Material):
        return found
    return translate(
        pod_of(facts),
        material=found,
        config=facts.config.task,
        identity=facts.identity,
        attempt=number,
        capacity=capacity,
    )


def _caveats(translated: Translated) -> tuple[Command, ...]:
    """What runs differently from a real node, said once, with the first attempt."""
    return tuple(RecordEvent(reason=each.code, message=str(each)) for each in translated.caveats)


def is_given_back(facts: Facts) -> bool:
    """Whether the pod waits for so long that its controller, if any, had better make another pod."""
    pod = pod_of(facts)
    since = _wanting_since(facts, pod)
    long = timedelta(seconds=facts.config.give_back_after)
    return controller_of(pod) is not None and since is not None and facts.now - since >= long


def given_back(facts: Facts, why: str) -> Commands:
    """End the pod through no fault of its own, so that the scheduler gets another try."""
    message = f"{why}; the pod's controller may place another one elsewhere"
    return failed(facts, task=None, reason=NO_CAPACITY, message=message, disrupted=True)


def _wanting_since(facts: Facts, pod: Pod) -> datetime | None:
    """Since when the pod waits to run: since it was bound, or since its last task that ran has ended."""
    scheduled = condition(pod, "PodScheduled")
    bound = scheduled.last_transition_time if scheduled is not None and scheduled.status == "True" else None
    ends = (each.stopped_at for each in facts.tasks if has_run(each, spec=pod.spec))
    moments = (bound or pod.metadata.creation_timestamp, *ends)
    return max((moment for moment in moments if moment is not None), default=None)
