"""Parts of decisions that several stages of a pod share; pure like `app.bridge.decision.reconcile`."""

from datetime import timedelta
from typing import Final

from app.bridge.decision import adoption
from app.bridge.decision.commands import Command, Later, Look, RecordEvent, SetStatus, StopTask
from app.bridge.decision.facts import SETTLED, Facts, attempted_at, named_arn, stage_of, task_of
from app.bridge.decision.record import recorded_arn
from app.bridge.status import pod_status
from app.bridge.status.container_status import Hold
from app.bridge.status.endings import OURS, RESTARTING, explained, failed_init
from app.bridge.status.observed import NOTHING_TOLD
from app.bridge.status.pod_status import Status, Verdict, View
from app.model.pod import Pod
from app.model.task import Task

Commands = tuple[Command, ...]

_STOP_AGAIN: Final = timedelta(minutes=1)
_LOOK_AGAIN: Final = timedelta(seconds=20)
_SOON: Final = 5.0


def look(facts: Facts) -> Commands:
    """A complete listing, unless there was one a moment ago: one pod must not cause one after another."""
    fresh = facts.looked_at is not None and facts.now - facts.looked_at < _LOOK_AGAIN
    return (Later(seconds=_SOON),) if fresh else (Look(), Later(seconds=_SOON))


def settling(facts: Facts) -> Commands:
    """Wait for the listing that tells what became of the newest attempt, and ask for it once it can."""
    pod = pod_of(facts)
    telling = named_arn(facts, pod) is None and facts.now >= attempted_at(facts, pod) + SETTLED
    return (Look(), Later(seconds=_SOON)) if telling else look(facts)


def failed(
    facts: Facts, *, task: Task | None, reason: str, message: str, disrupted: bool = False
) -> Commands:
    """The pod is over and did not succeed."""
    verdict = Verdict(phase="Failed", reason=reason, message=message, disrupted=disrupted)
    words = message or (_explained(facts, task) if task is not None else "")
    event = RecordEvent(reason=reason or "Failed", message=words or "the task failed", warning=True)
    return write_status(facts, task=task, verdict=verdict, event=event)


def _explained(facts: Facts, task: Task) -> str:
    broken = failed_init(task, spec=pod_of(facts).spec)
    if broken is not None:
        return f"init container {broken.name} exited with code {broken.exit_code}"
    return explained(task)


def killing(facts: Facts) -> Commands:
    """Tell of the stops, once each."""
    fresh = [task for task in facts.live if is_to_be_stopped(facts, task)]
    return tuple(
        RecordEvent(reason="Killing", message=f"Stopping Fargate task {task.task_id}") for task in fresh
    )


def stops(facts: Facts, why: str) -> Commands:
    """Stop every task of the pod that has not been told to."""
    reason = f"{OURS}pod {facts.key.path} is {why}"
    return tuple(
        StopTask(arn=task.arn, reason=reason) for task in facts.live if is_to_be_stopped(facts, task)
    )


def restart(facts: Facts, task: Task, why: str) -> Commands:
    """Stop the task so that the pod runs again, as its restartPolicy says."""
    if not is_to_be_stopped(facts, task):
        return ()
    return (
        StopTask(arn=task.arn, reason=f"{RESTARTING}{why}"),
        RecordEvent(reason="Killing", message=why),
    )


def stop_duplicates(facts: Facts) -> Commands:
    """Stop every task of the pod but the one that carries it."""
    others = adoption.duplicates(facts.tasks, recorded=recorded_arn(pod_of(facts)))
    reason = f"{OURS}pod {facts.key.path} has another task"
    return tuple(StopTask(arn=task.arn, reason=reason) for task in others if is_to_be_stopped(facts, task))


def is_to_be_stopped(facts: Facts, task: Task) -> bool:
    """Whether ECS has yet to be told, or was told so long ago that it seems to have missed it."""
    if task.desired_status == "STOPPED":
        return False
    asked = facts.memory.stops.get(task.arn)
    return asked is None or facts.now - asked >= _STOP_AGAIN


def write_status(
    facts: Facts,
    *,
    task: Task | None,
    hold: Hold | None = None,
    verdict: Verdict | None = None,
    event: RecordEvent | None = None,
) -> Commands:
    """Write the status that follows, with an event where it is news."""
    status = status_of(facts, task=task, hold=hold, verdict=verdict)
    return written(facts, status, *(() if event is None else (event,)))


def status_of(
    facts: Facts, *, task: Task | None, hold: Hold | None = None, verdict: Verdict | None = None
) -> Status:
    """The status that follows from the task."""
    return pod_status.status_of(pod_of(facts), view_of(facts, task), hold=hold, verdict=verdict)


def view_of(facts: Facts, task: Task | None) -> View:
    """What the pod's status is made of, with this task."""
    return View(
        task=task,
        now=facts.now,
        node_ip=facts.config.node.internal_ip,
        health=facts.health,
        told=facts.told.get(task.arn, NOTHING_TOLD) if task is not None else NOTHING_TOLD,
    )


def written(facts: Facts, status: Status, *events: Command) -> Commands:
    """The status and its events, or nothing where the pod says so already."""
    if pod_status.same(status, pod_of(facts)):
        return ()
    return (SetStatus(status=status), *events)


def pod_of(facts: Facts) -> Pod:
    """The pod, in the stages that have one."""
    if facts.pod is None:
        raise AssertionError(f"no pod in stage {stage_of(facts)}")
    return facts.pod


def known_task_of(facts: Facts) -> Task:
    """The newest attempt's task, in the stages that have one."""
    task = task_of(facts)
    if task is None:
        raise AssertionError(f"no task in stage {stage_of(facts)}")
    return task
