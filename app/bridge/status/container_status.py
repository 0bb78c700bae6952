"""One container of a task as a `ContainerStatus`, in wire form.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#PodStatus
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from app.bridge.status.endings import termination_reason
from app.model.container import Container
from app.model.pod import Pod
from app.model.task import Task, TaskContainer
from app.model.times import rfc3339
from app.model.wire import Json

SCHEME: Final = "fargate://"
_UNKNOWN_EXIT: Final = 137
_NOT_LOCATED: Final = "The container could not be located when the pod was terminated"


class Hold(msgspec.Struct, frozen=True):
    """Why containers that do not run are waiting; `restarting` holds those that have ended, too."""

    reason: str = "ContainerCreating"
    message: str = ""
    restarting: bool = False


def container_status(
    container: Container, *, pod: Pod, task: Task | None, hold: Hold | None, now: datetime
) -> dict[str, Json]:
    """The container's status, one step on from the one that the pod has.

    `restartCount` and `lastState` are carried forward from the pod: they grow by one whenever a container of
    another task than the one in `containerID` has started, so no memory of ours is needed.

    Args:
        container: as in the pod's spec.
        pod: with the status as last written.
        task: the newest attempt's task, if any.
        hold: why the container waits, if it does.
        now: stands in for times that ECS does not give.
    """
    before = _before(pod, container.name)
    seen = _seen(task, container.name)
    if task is None or seen is None or not _has_started(task, seen):
        return _waiting(container, before=before, hold=hold or Hold())
    identifier = f"{SCHEME}{task.task_id}/{seen.runtime_id or container.name}"
    if task_id_of(before) not in {"", task.task_id}:
        before = _restarted(before)
    state = _state(task, seen, before=before, identifier=identifier, now=now)
    status = {
        **_common(container, before=before),
        "image": seen.image or container.image,
        "imageID": _image_id(container, seen),
        "containerID": identifier,
        "ready": "running" in state and task.desired_status == "RUNNING",
        "started": "running" in state,
        "state": state,
    }
    if hold is not None and hold.restarting and "terminated" in state:
        return {**status, "state": _hold_state(hold), "lastState": state}
    return status


def abandoned(status: Mapping[str, Json]) -> dict[str, Json]:
    """The status of a container that is over though nobody saw its end; one that never ran keeps waiting."""
    if not status.get("containerID") or "terminated" in status["state"]:
        return {**status, "ready": False, "started": False}
    last = (status.get("lastState") or {}).get("terminated")
    if "waiting" in status["state"] and last:
        return {**status, "ready": False, "started": False, "state": {"terminated": last}, "lastState": {}}
    terminated = {
        "exitCode": _UNKNOWN_EXIT,
        "reason": "ContainerStatusUnknown",
        "message": _NOT_LOCATED,
        "containerID": status["containerID"],
    }
    return {**status, "ready": False, "started": False, "state": {"terminated": terminated}}


def task_id_of(status: Mapping[str, Json]) -> str:
    """The task in a status' `containerID`; empty where no container has run."""
    identifier = str(status.get("containerID") or "")
    return identifier.removeprefix(SCHEME).split("/", 1)[0] if identifier.startswith(SCHEME) else ""


def _before(pod: Pod, name: str) -> dict[str, Json]:
    found = (each for each in pod.status.container_statuses if each.get("name") == name)
    return next(found, {})


def _seen(task: Task | None, name: str) -> TaskContainer | None:
    if task is None:
        return None
    return next((each for each in task.containers if each.name == name), None)


def _has_started(task: Task, seen: TaskContainer) -> bool:
    if seen.last_status == "RUNNING" or seen.exit_code is not None:
        return True
    return seen.last_status == "STOPPED" and task.started_at is not None


def _common(container: Container, *, before: Mapping[str, Json]) -> dict[str, Json]:
    return {
        "name": container.name,
        "image": container.image,
        "imageID": str(before.get("imageID") or ""),
        "restartCount": int(before.get("restartCount") or 0),
        "lastState": dict(before.get("lastState") or {}),
    }


def _waiting(container: Container, *, before: Mapping[str, Json], hold: Hold) -> dict[str, Json]:
    ended = abandoned(before)["state"].get("terminated") if before.get("containerID") else None
    status = {
        **_common(container, before=before),
        "ready": False,
        "started": False,
        "state": _hold_state(hold),
    }
    if ended:
        status["lastState"] = {"terminated": ended}
    if before.get("containerID"):
        status["containerID"] = before["containerID"]
    return status


def _hold_state(hold: Hold) -> dict[str, Json]:
    waiting = {"reason": hold.reason}
    return {"waiting": {**waiting, "message": hold.message} if hold.message else waiting}


def _restarted(before: Mapping[str, Json]) -> dict[str, Json]:
    over = abandoned(before)
    return {
        "restartCount": int(before.get("restartCount") or 0) + 1,
        "lastState": over["state"],
    }


def _state(
    task: Task, seen: TaskContainer, *, before: Mapping[str, Json], identifier: str, now: datetime
) -> dict[str, Json]:
    """Running or terminated. An end that was written once with its exit code is never rewritten."""
    known = before.get("state") or {}
    same = before.get("containerID") == identifier
    started = _started_at(task, known if same else {}, now=now)
    if seen.last_status != "STOPPED":
        return {"running": {"startedAt": started}}
    written = _end_of(identifier, before)
    if written and written["reason"] != "ContainerStatusUnknown":
        return {"terminated": written}
    terminated: dict[str, Json] = {
        "exitCode": _UNKNOWN_EXIT if seen.exit_code is None else seen.exit_code,
        "reason": termination_reason(seen),
        "startedAt": started,
        "finishedAt": _finished_at(task, written, now=now),
        "containerID": identifier,
    }
    message = seen.reason or (task.stopped_reason if seen.exit_code is None else "")
    return {"terminated": {**terminated, "message": message} if message else terminated}


def _end_of(identifier: str, before: Mapping[str, Json]) -> Mapping[str, Json]:
    """This very container's end, where one was written; `lastState` may be that of the one before it."""
    ends = ((before.get(name) or {}).get("terminated") or {} for name in ("state", "lastState"))
    return next((end for end in ends if end.get("containerID") == identifier), {})


def _started_at(task: Task, known: Mapping[str, Json], *, now: datetime) -> str:
    if task.started_at is not None:
        return rfc3339(task.started_at)
    for state in ("running", "terminated"):
        found = (known.get(state) or {}).get("startedAt")
        if found:
            return str(found)
    return rfc3339(now)


def _finished_at(task: Task, written: Mapping[str, Json], *, now: datetime) -> str:
    if written.get("finishedAt"):
        return str(written["finishedAt"])
    return rfc3339(task.stopped_at or task.stopping_at or now)


def _image_id(container: Container, seen: TaskContainer) -> str:
    """The image by digest, as containerd names it."""
    if not seen.image_digest:
        return ""
    repository = container.image.split("@", 1)[0]
    head, _, tail = repository.rpartition("/")
    name = f"{head}/{tail.split(':', 1)[0]}" if head else tail.split(":", 1)[0]
    return f"{name}@{seen.image_digest}"
