"""Statuses of pods that do not run, for the tests of what is said of them."""

from typing import Any, Final

from app.model import names
from app.model.pod import Pod
from tests.builders import NOON, VIRTUAL, a_pod
from tests.extender.insight.look import later

NOTED: Final = {names.ATTEMPT_OF: "u1", names.TASK_ARN: "arn:1", names.ATTEMPT: "2"}
"""Of the pod with uid u1."""

CRASHED: Final = {"terminated": {"exitCode": 1, "reason": "Error"}}
READY_NO: Final = {
    "conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": later(-60).isoformat()}]
}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"waiting": {"reason": reason, "message": message}}


def ended(code: int, reason: str = "Error") -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "reason": reason}}


def status_of(
    state: dict[str, Any], *, last: dict[str, Any] | None = None, restarts: int = 0, phase: str = "Pending"
) -> dict[str, Any]:
    """The status of a pod with one container."""
    container = {"name": "main", "state": state, "lastState": last or {}, "restartCount": restarts}
    return {"phase": phase, "containerStatuses": [container]}


def held_up(name: str, reason: str, *, since: float = 0, message: str = "", **fields: Any) -> Pod:
    """An overflow pod that waits for this reason since so many seconds after noon."""
    ready = {"type": "Ready", "status": "False", "lastTransitionTime": later(since).isoformat()}
    status = status_of(waiting(reason, message)) | {"conditions": [ready]}
    return a_pod(name, node=VIRTUAL, status=status, **fields)


def without_task(name: str = "lost") -> Pod:
    """An overflow pod that was bound at noon, and nothing more."""
    bound = {"type": "PodScheduled", "status": "True", "lastTransitionTime": NOON.isoformat()}
    return a_pod(name, node=VIRTUAL, status={"conditions": [bound]})
