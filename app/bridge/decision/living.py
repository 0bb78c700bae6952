"""While there is a task, and when it has ended: status, restarts, what the helper recorded."""

from datetime import timedelta
from typing import Final

from app.bridge.decision import attempts, hooks
from app.bridge.decision.commands import Later, ReadRecords, RecordEvent, RecordTask
from app.bridge.decision.facts import Facts
from app.bridge.decision.launching import (
    NO_CAPACITY,
    falls_back,
    given_back,
    hindrance,
    is_given_back,
    next_attempt,
    refusal_words,
    unready_words,
)
from app.bridge.decision.measures import (
    Commands,
    failed,
    known_task_of,
    pod_of,
    restart,
    status_of,
    stop_duplicates,
    write_status,
    written,
)
from app.bridge.decision.record import recorded_arn
from app.bridge.status import ephemeral
from app.bridge.status.container_status import Hold, task_id_of
from app.bridge.status.endings import (
    Ending,
    Sequel,
    ending_of,
    exit_of,
    explained,
    failed_init,
    has_started,
    sequel_of,
    start_failure_of,
)
from app.bridge.status.observed import NOTHING_TOLD
from app.bridge.status.pod_status import Verdict
from app.bridge.status.words import named
from app.bridge.translation.containers.helper import goes_before
from app.bridge.translation.containers.wrapping import wraps
from app.bridge.translation.material import Unready
from app.model.names import KEEPER_CONTAINER
from app.model.pod import Pod
from app.model.task import Task

TASK_STOPPED: Final = "TaskStopped"
_SOON: Final = 5.0
_READ_AGAIN: Final = 2.0

LOGS_WITHIN: Final = timedelta(seconds=6)
"""So long an end waits for the end of its log: the container may have printed nothing at all."""

RECORDS_WITHIN: Final = timedelta(seconds=20)
"""CloudWatch shows a container's last lines so long after its end at the latest, as a rule; an end is told
without them after that."""


def carried(facts: Facts) -> Commands:
    """The newest attempt's task lives."""
    task = known_task_of(facts)
    pod = pod_of(facts)
    recorded: Commands = ()
    if recorded_arn(pod) != task.arn:
        recorded = (
            RecordTask(arn=task.arn, attempt=task.attempt),
            RecordEvent(reason="Created", message=f"Created Fargate task {task.task_id}"),
        )
    status = status_of(facts, task=task, hold=Hold())
    return (
        *recorded,
        *written(facts, status, *_started(facts, task), *hooks.restarts(facts), *_unsupported(pod)),
        *stop_duplicates(facts),
        *_restarts(facts, pod, task),
    )


def ended(facts: Facts) -> Commands:
    """The newest attempt's task is over."""
    others = stop_duplicates(facts)
    if others:
        return (*others, Later(seconds=_SOON))
    task, pod = known_task_of(facts), pod_of(facts)
    reading = unread(facts, pod, task)
    if reading:
        return reading
    return (*_started(facts, task), *_end(facts, task))


def _unsupported(pod: Pod) -> Commands:
    """An Event for each ephemeral container that the status does not tell of yet."""
    reason = ephemeral.UNSUPPORTED
    return tuple(RecordEvent(reason=reason, message=each, warning=True) for each in ephemeral.news(pod))


def _end(facts: Facts, task: Task) -> Commands:
    spec = pod_of(facts).spec
    ending = ending_of(task, spec=spec)
    match sequel_of(task, spec=spec):
        case Sequel.SUCCEEDED:
            return write_status(facts, task=task, verdict=Verdict(phase="Succeeded"))
        case Sequel.FAILED if ending in {Ending.CRASHED, Ending.COMPLETED}:
            return failed(facts, task=task, reason="", message="")
        case Sequel.FAILED:
            reason = TASK_STOPPED if ending is Ending.STOPPED else task.stop_code
            return failed(facts, task=task, reason=reason, message=explained(task))
        case Sequel.RELAUNCH:
            return _relaunch(facts, task, ending)


def _started(facts: Facts, task: Task) -> Commands:
    """Tell that the task runs, or has run; empty where the pod's status says so already."""
    pod = pod_of(facts)
    names = {each.name for each in pod.spec.containers}
    told = {task_id_of(each) for each in pod.status.container_statuses}
    runs = any(each.name in names and has_started(task, each) for each in task.containers)
    if not runs or task.task_id in told:
        return ()
    return (RecordEvent(reason="Started", message=f"Started Fargate task {task.task_id}"),)


def _back_off(facts: Facts, task: Task, names: frozenset[str]) -> RecordEvent:
    """Of the container for whose end the pod is restarted: one that failed, where any did."""
    ended = [each for each in task.containers if each.name in names]
    broken = failed_init(task, spec=pod_of(facts).spec) or next(filter(exit_of, ended), None)
    name = broken.name if broken is not None else next(iter(sorted(names)), "")
    message = f"Back-off restarting failed container {name} in pod {named(pod_of(facts))}"
    return RecordEvent(reason="BackOff", message=message, warning=True)


def unread(facts: Facts, pod: Pod, task: Task) -> Commands:
    """Read what is still to be learned of an ended task before its end is told; empty where nothing is."""
    logs = _logs_to_read(facts, pod, task)
    told = facts.told.get(task.arn, NOTHING_TOLD)
    kept = any(each.name == KEEPER_CONTAINER and each.exit_code is not None for each in task.containers)
    unrecorded = kept and not told.complete and _is_recorded(facts, pod, task)
    within = RECORDS_WITHIN if unrecorded else LOGS_WITHIN
    late = task.stopped_at is None or facts.now - task.stopped_at >= within
    if late or not (logs or unrecorded):
        return ()
    return (ReadRecords(arn=task.arn, logs=logs), Later(seconds=_READ_AGAIN))


def _is_recorded(facts: Facts, pod: Pod, task: Task) -> bool:
    """Whether the helper goes before any command, so that it has something to record.

    The keeper may be there for another reason: to end a task whose containers end by themselves. Where a
    launch gave a container no words, those of the task definition are not known, only what the pod asks for.
    """
    words = {each.name: each.words for each in task.containers}
    return any(
        goes_before(words[each.name], name=each.name)
        if words.get(each.name)
        else wraps(each, pod=pod, settings=facts.config.task)
        for each in (*pod.spec.init_containers, *pod.spec.containers)
    )


def _logs_to_read(facts: Facts, pod: Pod, task: Task) -> tuple[str, ...]:
    """The containers that failed and want the end of their log as termination message."""
    told = facts.told.get(task.arn, NOTHING_TOLD)
    wanted = {
        each.name
        for each in (*pod.spec.init_containers, *pod.spec.containers)
        if each.termination_message_policy == "FallbackToLogsOnError"
    }
    return tuple(
        each.name
        for each in task.containers
        if each.name in wanted and each.exit_code not in {None, 0} and each.name not in told.messages
    )


def _restarts(facts: Facts, pod: Pod, task: Task) -> Commands:
    """A failed init container, and a liveness or startup probe that failed, end the task; it comes again."""
    broken = failed_init(task, spec=pod.spec)
    if broken is not None:
        why = f"init container {broken.name} failed with exit code {broken.exit_code}"
        return restart(facts, task, why)
    sick = next((each.failed for each in facts.health.values() if each.failed), "")
    return restart(facts, task, sick) if sick else ()


def _relaunch(facts: Facts, task: Task, ending: Ending) -> Commands:
    """The end is written first, then the backoff waited out, then the next attempt begun."""
    stopped = [each for each in facts.tasks if each.is_stopped]
    scarce = ending is Ending.NOT_STARTED and start_failure_of(task).first == NO_CAPACITY
    if scarce and is_given_back(facts):
        return given_back(facts, explained(task))
    due = facts.now if falls_back(facts) else attempts.restart_due(stopped)
    status = _held(facts, task, ending, stopped)
    if facts.now < due:
        return (*status, Later(seconds=(due - facts.now).total_seconds()))
    return (*status, *next_attempt(facts, restarting=True))


def _held(facts: Facts, task: Task, ending: Ending, stopped: list[Task]) -> Commands:
    """Why the pod's containers wait to run again: what is missing by now, or what became of the last try."""
    lacking = hindrance(facts)
    if isinstance(lacking, Unready):
        hold, event = unready_words(lacking, restarting=True)
    elif lacking is not None:
        hold, event = refusal_words(lacking, restarting=True)
    elif ending is Ending.NOT_STARTED:
        failure = start_failure_of(task)
        first = attempts.failures_in_a_row(stopped) == 1
        about = frozenset(each.name for each in task.containers if each.reason)
        hold = Hold(failure.first if first else failure.later, explained(task), restarting=True, about=about)
        event = RecordEvent(reason="Failed", message=explained(task), warning=True)
    else:
        about = frozenset(each.name for each in task.containers if has_started(task, each))
        pause = round(attempts.backoff(attempts.failures_in_a_row(stopped)).total_seconds())
        hold = Hold("CrashLoopBackOff", restarting=True, about=about, pause=pause)
        event = _back_off(facts, task, about)
    return write_status(facts, task=task, hold=hold, event=event)
