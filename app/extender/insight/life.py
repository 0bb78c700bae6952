"""How a pod with a node fares: well, held up with kubelet's reason, turned away, or failed."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final, Literal

import msgspec

from app.model.names import ATTEMPT, ATTEMPT_OF, TASK_ARN
from app.model.pod import Pod, condition, is_terminal
from app.model.wire import Json

Fate = Literal["well", "held-up", "rejected", "failed"]
"""`held-up` may run yet, a `rejected` pod is not run by the bridge, and `failed` has ended."""

NO_TASK: Final = "NoTask"
NO_CAPACITY: Final = "FargateNoCapacity"
REJECTIONS: Final = frozenset({"FargateUnsupported", "OverflowNotAllowed", "NotScheduled"})
"""The bridge's reasons for a pod that it does not run (`app.bridge.decision`)."""

_BEGINNING: Final = frozenset({"", "ContainerCreating", "PodInitializing"})
"""Reasons of containers that merely have not started yet."""

_MOST_DIGITS: Final = 9
"""Of an attempt's number; more are nobody's that waits between attempts."""

_REJECTED: Final = "Pod was rejected: "


class Life(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How one pod fares on the node that it has.

    Attributes:
        reason: of what is wrong, as `kubectl get pods` shows it; empty where all is well.
        message: what is said of it; may be empty.
        container: the one that it is about, if any.
        exit_code: how that last ended; None where it did not, or nobody learned it.
        attempts: how often it was begun to run the pod.
        has_task: whether a task carries the pod now, as far as its status and annotations tell.
        since: since when it is so, about.
    """

    fate: Fate = "well"
    reason: str = ""
    message: str = ""
    container: str = ""
    exit_code: int | None = None
    attempts: int = 0
    has_task: bool = False
    since: datetime | None = None


def life_of(pod: Pod) -> Life:
    """How the pod fares, by its own status alone."""
    found = _ended(pod) if is_terminal(pod) else _living(pod)
    return msgspec.structs.replace(
        found, attempts=_attempts(pod), has_task=_has_task(pod), since=_since(pod) if found.reason else None
    )


def bound_since(pod: Pod) -> datetime | None:
    """When it got its node; a task's bill begins a little later."""
    said = condition(pod, "PodScheduled")
    bound = said.last_transition_time if said is not None and said.status == "True" else None
    return bound or pod.status.start_time


def had_task(pod: Pod) -> bool:
    """Whether a task has ever carried the pod: one was noted, or containers of one were told of."""
    noted = pod.metadata.annotations
    if noted.get(ATTEMPT_OF) == pod.uid and noted.get(TASK_ARN):
        return True
    return any(each.get("containerID") or each.get("lastState") for each in _statuses(pod))


def _ended(pod: Pod) -> Life:
    if pod.status.phase != "Failed":
        return Life()
    reason, message = pod.status.reason, pod.status.message.removeprefix(_REJECTED)
    if reason in REJECTIONS:
        return Life(fate="rejected", reason=reason, message=message)
    name, code, why = next(_bad_ends(pod), ("", None, ""))
    return Life(
        fate="failed", reason=reason or why or "Failed", message=message, container=name, exit_code=code
    )


def _living(pod: Pod) -> Life:
    if pod.status.reason:
        # Left Pending without a task, with the reason on the pod itself.
        fate: Fate = "rejected" if pod.status.reason in REJECTIONS else "held-up"
        return Life(fate=fate, reason=pod.status.reason, message=pod.status.message)
    for each in _statuses(pod):
        waiting = _at(each, "state", "waiting")
        reason, code = str(waiting.get("reason") or ""), _last_exit(each)
        if waiting and reason not in _BEGINNING:
            return Life(
                fate="rejected" if reason in REJECTIONS else "held-up",
                reason=reason,
                message=str(waiting.get("message") or ""),
                container=str(each.get("name") or ""),
                exit_code=code,
            )
        if waiting and code:
            return Life(
                fate="held-up", reason="Restarting", container=str(each.get("name") or ""), exit_code=code
            )
    return Life()


def _last_exit(status: Json) -> int | None:
    """The exit code of the run before, where there was one."""
    code = _at(status, "lastState", "terminated").get("exitCode")
    return code if isinstance(code, int) else None


def _bad_ends(pod: Pod) -> Iterator[tuple[str, int, str]]:
    """The containers that ended with another code than 0: name, code, and what more kubelet says."""
    for each in _statuses(pod):
        ended = _at(each, "state", "terminated")
        code = ended.get("exitCode")
        if isinstance(code, int) and code:
            why = str(ended.get("reason") or "")
            yield str(each.get("name") or ""), code, "" if why == "Error" else why


def _statuses(pod: Pod) -> tuple[Json, ...]:
    found = (*pod.status.init_container_statuses, *pod.status.container_statuses)
    return tuple(each for each in found if isinstance(each, dict))


def _at(status: Json, *names: str) -> dict[str, Json]:
    for name in names:
        status = status.get(name) if isinstance(status, dict) else None
    return status if isinstance(status, dict) else {}


def _attempts(pod: Pod) -> int:
    """The bridge's own count; where it wrote none, that of the container that was started most often."""
    noted = pod.metadata.annotations
    text = noted.get(ATTEMPT, "") if noted.get(ATTEMPT_OF) == pod.uid else ""
    if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS:
        return int(text)
    return max((int(each.get("restartCount") or 0) + 1 for each in _statuses(pod)), default=0)


def _has_task(pod: Pod) -> bool:
    """Whether a task is noted, and some container runs in it or is merely not started yet.

    The note of a task that has ended stays until the next attempt.
    """
    noted = pod.metadata.annotations
    if is_terminal(pod) or noted.get(ATTEMPT_OF) != pod.uid or not noted.get(TASK_ARN):
        return False
    mains = [each for each in pod.status.container_statuses if isinstance(each, dict)]
    return not mains or any(_is_alive(each) for each in mains)


def _is_alive(status: Json) -> bool:
    if "running" in _at(status, "state"):
        return True
    waiting = _at(status, "state", "waiting")
    return "waiting" in _at(status, "state") and str(waiting.get("reason") or "") in _BEGINNING


def _since(pod: Pod) -> datetime | None:
    """Since when it is not Ready: it fails, or waits to run, since about then."""
    ready = condition(pod, "Ready")
    changed = ready.last_transition_time if ready is not None and ready.status != "True" else None
    return changed or bound_since(pod) or pod.metadata.creation_timestamp
