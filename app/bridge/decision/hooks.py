"""What the helper has recorded and people are told: hooks that did not work, restarts in place.

https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/#debugging-hook-handlers
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from app.bridge.decision.commands import RecordEvent, TellOfHook
from app.bridge.decision.facts import Facts, task_of
from app.bridge.decision.measures import Commands, known_task_of, pod_of
from app.bridge.status import in_place
from app.bridge.status.container_status import task_id_of
from app.bridge.status.observed import NOTHING_TOLD, TERMINATION_MESSAGE, Run
from app.model.pod import Pod
from app.model.wire import Json

REASONS: Final = {
    "postStart": "FailedPostStartHook",
    "preStop": "FailedPreStopHook",
    TERMINATION_MESSAGE: "FailedTerminationMessage",
}

_AT_ONCE: Final = 1
"""Seconds: the first run again does not wait, and no kubelet calls that a back-off."""


def failures(facts: Facts) -> Commands:
    """An Event for each failed hook of the newest attempt that this process has not told of."""
    task = task_of(facts) if facts.pod is not None else None
    if task is None:
        return ()
    fresh = (
        each
        for each in facts.told.get(task.arn, NOTHING_TOLD).failures
        if each.hook in REASONS and (task.arn, each) not in facts.memory.hooks
    )
    return tuple(TellOfHook(arn=task.arn, failure=each, reason=REASONS[each.hook]) for each in fresh)


def restarts(facts: Facts) -> Commands:
    """Events for runs inside the live task that began, or wait to begin, since the pod's status was written.

    For `measures.written` alone, which records them with the status that says so: no memory is needed.
    """
    pod, task = pod_of(facts), known_task_of(facts)
    runs = facts.told.get(task.arn, NOTHING_TOLD).runs
    statuses = (*pod.status.init_container_statuses, *pod.status.container_statuses)
    return tuple(
        event
        for status in statuses
        if task_id_of(status) == task.task_id
        for event in _restarts(pod, status, runs.get(str(status.get("name")), ()))
    )


def _restarts(pod: Pod, status: Mapping[str, Json], runs: Sequence[Run]) -> Iterator[RecordEvent]:
    """Those of one container, in kubelet's words; `status` is what was written."""
    state = status.get("state") or {}
    if not runs or "terminated" in state:
        return
    behind = runs[-1].number - in_place.number_of(str(status["containerID"]))
    if behind > 0:
        yield RecordEvent(reason="Started", message="Container started")
    is_news = behind > 0 or (behind == 0 and "waiting" not in state)
    if is_news and in_place.back_off(runs) > _AT_ONCE:
        pod_name = f"{pod.metadata.name}_{pod.metadata.namespace}({pod.uid})"
        words = f"Back-off restarting failed container {status['name']} in pod {pod_name}"
        yield RecordEvent(reason="BackOff", message=words, warning=True)
