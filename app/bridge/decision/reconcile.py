"""What to do about one pod now: a pure function from what is known to commands.

Every step is safe to be cut off after any command: what was done shows in Kubernetes or in ECS, and the next
decision, by this process or another, goes on from there. The order that this rests on: an attempt is written
on the pod before RunTask, the task's ARN after it; an end is written as status before the next attempt; a
pod is removed only when it is known that no task is left.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from app.bridge.decision import attempts, permission
from app.bridge.decision.commands import (
    Later,
    LaunchTask,
    Look,
    RecordEvent,
    RecordTask,
    RemovePod,
    StopOrphan,
)
from app.bridge.decision.facts import (
    Facts,
    Stage,
    attempt_of,
    is_settled,
    outcome_of,
    recorded_arn,
    stage_of,
    task_of,
)
from app.bridge.decision.measures import (
    Commands,
    caveats,
    failed,
    is_to_be_stopped,
    killing,
    known_task_of,
    pod_of,
    rejected,
    status_of,
    stop_duplicates,
    stops,
    write_status,
    written,
)
from app.bridge.status import pod_status
from app.bridge.status.container_status import Hold
from app.bridge.status.endings import (
    OURS,
    Ending,
    Sequel,
    ending_of,
    explained,
    sequel_of,
    start_failure_of,
)
from app.bridge.status.pod_status import Verdict
from app.bridge.translation.task_spec import translate
from app.model.pod import is_terminal
from app.model.task import Task

TASK_LOST: Final = "TaskLost"
TASK_STOPPED: Final = "TaskStopped"
DAEMON_SET: Final = "DaemonSetOnFargate"

_DAEMON_MESSAGE: Final = (
    "a DaemonSet's pod belongs to a machine and Fargate has none, so it is never started here; "
    "keep the DaemonSet off with a node affinity: eks.amazonaws.com/compute-type NotIn [fargate]"
)
_LOST_MESSAGE: Final = (
    "ECS no longer knows the task of this pod's last attempt, so whether and how it ran cannot be told; "
    "it is not run again by itself"
)
OVERFLOW_NOT_ALLOWED: Final = "OverflowNotAllowed"
_SOON: Final = 5.0
_SOONER: Final = 1.0


def decide(facts: Facts) -> Commands:
    """The commands for this moment, in order; where one fails, the rest are dropped. None: all is well."""
    known = _of_the_pod(facts)
    return HANDLERS[stage_of(known)](known)


def _of_the_pod(facts: Facts) -> Facts:
    """The facts without containers that others put into our tasks (AWS GuardDuty's agent does)."""
    if facts.pod is None:
        return facts
    ours = {each.name for each in facts.pod.spec.containers}

    def trimmed(task: Task) -> Task:
        kept = tuple(each for each in task.containers if each.name in ours)
        return msgspec.structs.replace(task, containers=kept)

    return msgspec.structs.replace(facts, tasks=tuple(trimmed(task) for task in facts.tasks))


def _gone(facts: Facts) -> Commands:
    return tuple(
        StopOrphan(arn=task.arn, identity=facts.identity, reason=f"{OURS}pod {facts.key.path} is gone")
        for task in facts.live
        if is_to_be_stopped(facts, task)
    )


def _deleting(facts: Facts) -> Commands:
    pod = pod_of(facts)
    if facts.live:
        said = write_status(facts, task=task_of(facts), hold=Hold())
        return (*stops(facts, "deleted"), *killing(facts), *said)
    if not is_settled(facts, pod):
        return (Look(), Later(seconds=_SOON))
    if is_terminal(pod):
        return (RemovePod(),)
    status = pod_status.final_status(
        pod, task=task_of(facts), now=facts.now, node_ip=facts.config.node.internal_ip
    )
    return (*written(facts, status), RemovePod())


def _terminal(facts: Facts) -> Commands:
    return stops(facts, f"already {pod_of(facts).status.phase.lower()}")


def _daemon(facts: Facts) -> Commands:
    status = pod_status.held_status(pod_of(facts), reason=DAEMON_SET, message=_DAEMON_MESSAGE, now=facts.now)
    event = RecordEvent(reason=DAEMON_SET, message=_DAEMON_MESSAGE, warning=True)
    return written(facts, status, event)


def _fresh(facts: Facts) -> Commands:
    return (*_next_attempt(facts), *caveats(pod_of(facts)))


def _forbidden(facts: Facts) -> Commands:
    """Bound to our node past the scheduler and the gate, by naming it: never a task."""
    pod = pod_of(facts)
    due = permission.believed_at(pod)
    if due is not None and facts.now < due:
        return (Later(seconds=min(_SOONER, (due - facts.now).total_seconds())),)
    message = f"Pod was rejected: {permission.refusal(pod, labels=facts.namespace)}"
    return failed(facts, task=None, reason=OVERFLOW_NOT_ALLOWED, message=message)


def _recorded(facts: Facts) -> Commands:
    """An attempt without a known task: its RunTask was never sent, or its answer never came.

    Repeating it settles both, for ECS remembers the client token; so no older attempt may still live.
    """
    if facts.live:
        return (*stops(facts, "replaced by a newer attempt"), Later(seconds=_SOON))
    pod, number = pod_of(facts), attempt_of(facts)
    launch = translate(pod, config=facts.config.task, identity=facts.identity, attempt=number)
    if not isinstance(launch, tuple):
        return (LaunchTask(launch=launch, attempt=number),)
    if is_settled(facts, pod):
        return rejected(facts, launch)
    return (Look(), Later(seconds=_SOON))


def _refused(facts: Facts) -> Commands:
    outcome = outcome_of(facts)
    if outcome is None:
        raise AssertionError("stage REFUSED without an outcome")
    due = attempts.refusal_due(outcome)
    if facts.now >= due:
        return _next_attempt(facts)
    capacity = outcome.kind == "no-capacity"
    hold = Hold("FargateNoCapacity" if capacity else "CreateContainerConfigError", outcome.message)
    event = RecordEvent(
        reason="FargateNoCapacity" if capacity else "FailedLaunch", message=outcome.message, warning=True
    )
    wait = (due - facts.now).total_seconds()
    return (*write_status(facts, task=None, hold=hold, event=event), Later(seconds=wait))


def _unseen(_: Facts) -> Commands:
    return (Look(), Later(seconds=_SOON))


def _lost(facts: Facts) -> Commands:
    return failed(facts, task=None, reason=TASK_LOST, message=_LOST_MESSAGE)


def _carried(facts: Facts) -> Commands:
    task = known_task_of(facts)
    pod = pod_of(facts)
    recorded: Commands = ()
    if recorded_arn(pod) != task.arn:
        recorded = (
            RecordTask(arn=task.arn, attempt=task.attempt),
            RecordEvent(reason="Created", message=f"Created Fargate task {task.task_id}"),
        )
    status = status_of(facts, task=task, hold=Hold())
    events: Commands = ()
    if status["phase"] == "Running" and pod.status.phase == "Pending":
        events = (RecordEvent(reason="Started", message=f"Fargate task {task.task_id} is running"),)
    return (*recorded, *written(facts, status, *events), *stop_duplicates(facts))


def _ended(facts: Facts) -> Commands:
    others = stop_duplicates(facts)
    if others:
        return (*others, Later(seconds=_SOON))
    task = known_task_of(facts)
    ending = ending_of(task)
    match sequel_of(task, restart_policy=pod_of(facts).spec.restart_policy):
        case Sequel.SUCCEEDED:
            return write_status(facts, task=task, verdict=Verdict(phase="Succeeded"))
        case Sequel.FAILED if ending is Ending.CRASHED:
            return failed(facts, task=task, reason="", message="")
        case Sequel.FAILED:
            reason = TASK_STOPPED if ending is Ending.STOPPED else task.stop_code
            return failed(facts, task=task, reason=reason, message=explained(task))
        case Sequel.RELAUNCH:
            return _relaunch(facts, task, ending)


def _relaunch(facts: Facts, task: Task, ending: Ending) -> Commands:
    """The end is written first, then the backoff waited out, then the next attempt begun."""
    stopped = [each for each in facts.tasks if each.is_stopped]
    due = attempts.restart_due(stopped)
    if ending is Ending.NOT_STARTED:
        named = start_failure_of(task)
        first = attempts.failures_in_a_row(stopped) == 1
        hold = Hold(named.first if first else named.later, explained(task), restarting=True)
        event = RecordEvent(reason="Failed", message=explained(task), warning=True)
    else:
        words = f"back-off before restarting pod {facts.key.path}"
        hold = Hold("CrashLoopBackOff", words, restarting=True)
        event = RecordEvent(reason="BackOff", message="Back-off restarting the pod's task", warning=True)
    status = write_status(facts, task=task, hold=hold, event=event)
    if facts.now < due:
        return (*status, Later(seconds=(due - facts.now).total_seconds()))
    return (*status, *_next_attempt(facts))


HANDLERS: Final[dict[Stage, Callable[[Facts], Commands]]] = {
    Stage.GONE: _gone,
    Stage.DELETING: _deleting,
    Stage.TERMINAL: _terminal,
    Stage.DAEMON: _daemon,
    Stage.FRESH: _fresh,
    Stage.FORBIDDEN: _forbidden,
    Stage.RECORDED: _recorded,
    Stage.REFUSED: _refused,
    Stage.UNSEEN: _unseen,
    Stage.LOST: _lost,
    Stage.CARRIED: _carried,
    Stage.ENDED: _ended,
}
"""Stage → what is done in it."""


def _next_attempt(facts: Facts) -> Commands:
    pod, number = pod_of(facts), attempt_of(facts) + 1
    launch = translate(pod, config=facts.config.task, identity=facts.identity, attempt=number)
    if isinstance(launch, tuple):
        return rejected(facts, launch)
    return (attempts.record(pod, number=number, config=facts.config, now=facts.now),)
