"""Before there is a task: gather, record the attempt, launch it, and what follows ECS's no."""

from datetime import datetime, timedelta
from typing import Final

from app.bridge.decision import attempts
from app.bridge.decision.attempts import Capacity
from app.bridge.decision.commands import Command, Gather, Later, LaunchTask, Look, RecordEvent
from app.bridge.decision.facts import (
    REMEMBERED,
    UNREADY_LASTS,
    Facts,
    attempt_of,
    attempted_at,
    is_settled,
    outcome_of,
    task_of,
)
from app.bridge.decision.measures import Commands, failed, pod_of, rejected, stops, write_status
from app.bridge.decision.record import recorded_capacity
from app.bridge.status.container_status import Hold
from app.bridge.status.endings import has_run, is_for_want_of_spot
from app.bridge.translation.material import Unready
from app.bridge.translation.task_spec import Translated, translate
from app.model.pod import Pod, condition, controller_of
from app.model.policy import PolicyError, capacity_of
from app.model.reason import Reason

NO_CAPACITY: Final = "FargateNoCapacity"
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
    translated = found if isinstance(found, (Unready, tuple)) else _translated(facts, number, capacity)
    match translated:
        case Unready():
            return (_later(),) if restarting else unready(facts, translated)
        case Translated():
            begun = attempts.record(
                pod_of(facts), number=number, capacity=capacity, config=facts.config, now=facts.now
            )
            return (begun, *(_caveats(translated) if number == 1 else ()))
        case _:
            return rejected(facts, translated)


def unready(facts: Facts, why: Unready) -> Commands:
    """Wait for what the pod refers to, as a kubelet waits for a Secret."""
    hold = Hold(why.reason, why.message)
    event = RecordEvent(reason=why.event, message=why.message, warning=True)
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
    found = facts.material
    if found is None:
        return (Gather(),)
    capacity = recorded_capacity(pod) or "on-demand"
    translated = found if isinstance(found, (Unready, tuple)) else _translated(facts, number, capacity)
    if isinstance(translated, Translated):
        return (LaunchTask(launch=translated.launch, attempt=number),)
    if not is_settled(facts, pod):
        return (Look(), Later(seconds=_SOON))
    if isinstance(translated, Unready):
        return _renewed(facts, pod, capacity) or unready(facts, translated)
    return rejected(facts, translated)


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


def _translated(facts: Facts, number: int, capacity: Capacity) -> Translated | Unready | tuple[Reason, ...]:
    found = facts.material
    if found is None or isinstance(found, (Unready, tuple)):
        raise AssertionError("nothing was gathered")
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
    """Whether Fargate had no capacity for so long that the pod's controller had better make another pod."""
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
