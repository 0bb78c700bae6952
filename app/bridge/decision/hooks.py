"""Hooks that did not work, as the helper has recorded them: told to people once, in kubelet's words.

https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/#debugging-hook-handlers
"""

from typing import Final

from app.bridge.decision.commands import TellOfHook
from app.bridge.decision.facts import Facts, task_of
from app.bridge.decision.measures import Commands
from app.bridge.status.observed import NOTHING_TOLD

REASONS: Final = {"postStart": "FailedPostStartHook", "preStop": "FailedPreStopHook"}


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
