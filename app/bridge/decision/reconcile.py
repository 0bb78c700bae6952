"""What to do about one pod now: a pure function from what is known to commands.

Every step is safe to be cut off after any command: what was done shows in Kubernetes or in ECS, and the next
decision, by this process or another, goes on from there. The order that this rests on: an attempt is written
on the pod before RunTask, the task's ARN after it; an end is written as status before the next attempt; a
pod is removed only when it is known that no task is left.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from app.bridge.decision import hooks, launching, living, permission
from app.bridge.decision.commands import Later, Look, RecordEvent, RemovePod, StopOrphan, StopTask
from app.bridge.decision.facts import DAEMON_SET, Facts, Stage, deadline_of, is_settled, stage_of, task_of
from app.bridge.decision.measures import (
    Commands,
    failed,
    is_to_be_stopped,
    killing,
    look,
    pod_of,
    settling,
    stops,
    view_of,
    write_status,
    written,
)
from app.bridge.status import pod_status
from app.bridge.status.container_status import Hold
from app.bridge.status.endings import OURS
from app.model.names import INSTALL_CONTAINER, KEEPER_CONTAINER
from app.model.pod import is_terminal
from app.model.task import Task

TASK_LOST: Final = "TaskLost"

_DAEMON_MESSAGE: Final = (
    "a DaemonSet's pod belongs to a machine and Fargate has none, so it is never started here; "
    "keep the DaemonSet off with a node affinity: eks.amazonaws.com/compute-type NotIn [fargate]"
)
_LOST_MESSAGE: Final = (
    "ECS no longer knows the task of this pod's last attempt, so whether and how it ran cannot be told; "
    "it is not run again by itself"
)
OVERFLOW_NOT_ALLOWED: Final = "OverflowNotAllowed"
NOT_SCHEDULED: Final = "NotScheduled"
DEADLINE_EXCEEDED: Final = "DeadlineExceeded"
_DEADLINE_MESSAGE: Final = "Pod was active on the node longer than the specified deadline"
_AGREEING: Final = 2
"""Complete listings that must show a task without its pod before it counts as an orphan."""
_LIMITED: Final = frozenset(
    {
        Stage.FRESH,
        Stage.RECORDED,
        Stage.REFUSED,
        Stage.UNSEEN,
        Stage.CARRIED,
        Stage.ENDED,
    }
)
"""The stages that activeDeadlineSeconds end."""

_SOON: Final = 5.0
_SOONER: Final = 1.0


def decide(facts: Facts) -> Commands:
    """The commands for this moment, in order; where one fails, the rest are dropped. None: all is well."""
    known = _of_the_pod(facts)
    stage = stage_of(known)
    commands = HANDLERS[stage](known)
    told = hooks.failures(known) if not any(isinstance(each, StopTask) for each in commands) else ()
    return (*told, *commands, *_deadline(known, stage))


def _of_the_pod(facts: Facts) -> Facts:
    """The facts without containers that others put into our tasks (AWS GuardDuty's agent does)."""
    if facts.pod is None:
        return facts
    spec = facts.pod.spec
    named = {each.name for each in (*spec.init_containers, *spec.containers)}
    ours = {*named, INSTALL_CONTAINER, KEEPER_CONTAINER}

    def trimmed(task: Task) -> Task:
        kept = tuple(each for each in task.containers if each.name in ours)
        return msgspec.structs.replace(task, containers=kept)

    return msgspec.structs.replace(facts, tasks=tuple(trimmed(task) for task in facts.tasks))


def _deadline(facts: Facts, stage: Stage) -> Commands:
    """Come back when the pod's activeDeadlineSeconds are over."""
    due = deadline_of(facts.pod) if facts.pod is not None and stage in _LIMITED else None
    return () if due is None else (Later(seconds=(due - facts.now).total_seconds()),)


def _gone(facts: Facts) -> Commands:
    """A pod that this process saw go is surely gone; of any other, two complete listings must agree."""
    surely = [task for task in facts.live if facts.witnessed or facts.unclaimed.get(task.arn, 0) >= _AGREEING]
    orphans = tuple(
        StopOrphan(arn=task.arn, identity=facts.identity, reason=f"{OURS}pod {facts.key.path} is gone")
        for task in surely
        if is_to_be_stopped(facts, task)
    )
    return orphans if len(surely) == len(facts.live) else (*orphans, Look(), Later(seconds=_SOON))


def _deleting(facts: Facts) -> Commands:
    pod = pod_of(facts)
    if facts.live:
        return _stopping(facts, "deleted")
    if not is_settled(facts, pod):
        return settling(facts)
    if is_terminal(pod):
        return (RemovePod(),)
    task = task_of(facts)
    reading = living.unread(facts, pod, task) if task is not None else ()
    if reading:
        return reading
    status = pod_status.final_status(pod, view_of(facts, task))
    return (*written(facts, status), RemovePod())


def _stopping(facts: Facts, why: str) -> Commands:
    """Tasks are stopped before anything else about the pod is told, or even looked at: they cost money."""
    asked = stops(facts, why)
    if asked:
        return (*asked, *killing(facts), Later(seconds=0.0))
    return write_status(facts, task=task_of(facts), hold=Hold())


def _terminal(facts: Facts) -> Commands:
    return stops(facts, f"already {pod_of(facts).status.phase.lower()}")


def _daemon(facts: Facts) -> Commands:
    status = pod_status.held_status(pod_of(facts), reason=DAEMON_SET, message=_DAEMON_MESSAGE, now=facts.now)
    event = RecordEvent(reason=DAEMON_SET, message=_DAEMON_MESSAGE, warning=True)
    return written(facts, status, event)


def _forbidden(facts: Facts) -> Commands:
    """Bound to our node past the scheduler and the gate, by naming it: never a task."""
    pod = pod_of(facts)
    refusal = permission.refusal(pod, labels=facts.namespace)
    due = permission.believed_at(pod) if refusal else None
    if due is not None and facts.now < due:
        return (Later(seconds=min(_SOONER, (due - facts.now).total_seconds())),)
    if not is_settled(facts, pod):
        # An attempt is written on it: it may have a task, if the label was there a moment ago.
        return settling(facts)
    reason = OVERFLOW_NOT_ALLOWED if refusal else NOT_SCHEDULED
    message = f"Pod was rejected: {refusal or permission.UNSCHEDULED}"
    return failed(facts, task=None, reason=reason, message=message)


def _unseen(facts: Facts) -> Commands:
    return look(facts)


def _lost(facts: Facts) -> Commands:
    return failed(facts, task=None, reason=TASK_LOST, message=_LOST_MESSAGE)


def _expired(facts: Facts) -> Commands:
    """ActiveDeadlineSeconds are over: the task is stopped first, so that its true end is told."""
    task = task_of(facts)
    if facts.live:
        return _stopping(facts, "past its activeDeadlineSeconds")
    if not is_settled(facts, pod_of(facts)):
        return settling(facts)
    reading = living.unread(facts, pod_of(facts), task) if task is not None else ()
    if reading:
        return reading
    return failed(facts, task=task, reason=DEADLINE_EXCEEDED, message=_DEADLINE_MESSAGE)


HANDLERS: Final[dict[Stage, Callable[[Facts], Commands]]] = {
    Stage.GONE: _gone,
    Stage.DELETING: _deleting,
    Stage.TERMINAL: _terminal,
    Stage.DAEMON: _daemon,
    Stage.FRESH: launching.fresh,
    Stage.FORBIDDEN: _forbidden,
    Stage.RECORDED: launching.recorded,
    Stage.REFUSED: launching.refused,
    Stage.UNSEEN: _unseen,
    Stage.LOST: _lost,
    Stage.CARRIED: living.carried,
    Stage.ENDED: living.ended,
    Stage.EXPIRED: _expired,
}
"""Stage → what is done in it."""
