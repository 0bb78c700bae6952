"""One container of a task as a `ContainerStatus`, in wire form.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#PodStatus
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from app.bridge.status import in_place
from app.bridge.status.endings import has_started, is_out_of_memory, termination_reason
from app.bridge.status.in_place import UNKNOWN_EXIT
from app.bridge.status.observed import Health, Run
from app.bridge.status.restarting import is_restarted
from app.bridge.status.words import back_off_words
from app.model.container import Container
from app.model.task import Task, TaskContainer
from app.model.times import rfc3339
from app.model.wire import Json

SCHEME: Final = "fargate://"
_NOT_LOCATED: Final = "The container could not be located when the pod was terminated"


class Hold(msgspec.Struct, frozen=True):
    """Why containers that do not run are waiting.

    Attributes:
        restarting: whether it holds those that have ended, too.
        about: the names of the containers; empty for all. Another has merely not come to its turn.
        pause: seconds until the next run; kubelet's words for it stand for the message.
    """

    reason: str = "ContainerCreating"
    message: str = ""
    restarting: bool = False
    about: frozenset[str] = frozenset()
    pause: int = 0


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of one container.

    Attributes:
        before: its status as last written; empty where there is none.
        task: the newest attempt's task, if any.
        seen: the container in that task, where ECS shows it.
        runs: its runs inside the task, where the helper records them; oldest first.
        untold: whether the helper records its runs, and none of them was read so far.
        health: what its probes say.
        message: a termination message from the log.
        completes: whether ending with 0 is what it is for (an init container).
        policy: the pod's restartPolicy.
        hold: why it waits, if it does.
        pod: the pod, as kubelet's messages name it.
        deleted: whether the pod is being deleted.
        now: stands in for times that nobody gives.
    """

    before: Mapping[str, Json]
    task: Task | None
    seen: TaskContainer | None
    now: datetime
    runs: tuple[Run, ...] = ()
    untold: bool = False
    health: Health = Health()
    message: str = ""
    completes: bool = False
    policy: str = "Always"
    hold: Hold | None = None
    pod: str = ""
    deleted: bool = False


def container_status(container: Container, sight: Sight) -> dict[str, Json]:
    """The container's status, one step on from the one that was written last.

    `restartCount` and `lastState` are carried forward: they grow whenever a container of another task than
    the one in `containerID`, or another run inside the task, has started. So no memory of ours is needed.

    A container that its restartPolicy does not run again is told as ended although another task runs it once
    more (beside another that failed): an API server accepts nothing else.
    """
    status = _next_status(container, sight)
    ended = (sight.before.get("state") or {}).get("terminated")
    if ended and "terminated" not in status["state"] and not _comes_again(container, sight, ended):
        return dict(sight.before)
    return status


def _next_status(container: Container, sight: Sight) -> dict[str, Json]:
    task, seen, before = sight.task, sight.seen, sight.before
    if task is None or seen is None or not has_started(task, seen):
        return _waiting(container, before=before, hold=_worded(sight.hold or Hold(), container, sight))
    identifier = in_place.numbered(f"{SCHEME}{task.task_id}/{seen.runtime_id or seen.name}", sight.runs)
    if in_place.is_behind(identifier, str(before.get("containerID") or "")):
        # The records of the run that is written are not read (yet, or again).
        sight = msgspec.structs.replace(sight, runs=(), untold=True)
        identifier = before["containerID"]
    if before.get("containerID") not in {None, "", identifier}:
        before = _restarted(before, identifier)
    state = _state(sight, task, seen, before=before, identifier=identifier)
    running = "running" in state
    status = {
        **_common(container, before=before),
        "lastState": in_place.last_state(sight.runs, identifier) or dict(before.get("lastState") or {}),
        "image": seen.image or container.image,
        "imageID": _image_id(container, seen),
        "containerID": identifier,
        "ready": _is_ready(sight, task, state),
        "started": running and sight.health.started,
        "state": state,
    }
    waits = _wait_of(sight)
    if waits is not None and "terminated" in state and _comes_again(container, sight, state["terminated"]):
        held = _hold_state(_worded(waits, container, sight))
        return {**status, "ready": False, "state": held, "lastState": state}
    return status


def _comes_again(container: Container, sight: Sight, ended: Mapping[str, Json]) -> bool:
    """Whether a container that ended so is run again; an init container that has done its work is not."""
    if sight.completes and ended["exitCode"] == 0:
        return False
    return is_restarted(container, policy=sight.policy, code=ended["exitCode"])


def abandoned(status: Mapping[str, Json]) -> dict[str, Json]:
    """The status of a container that is over though nobody saw its end; one that never ran keeps waiting."""
    if not status.get("containerID") or "terminated" in status["state"]:
        return {**status, "ready": _completed(status), "started": False}
    last = (status.get("lastState") or {}).get("terminated")
    if "waiting" in status["state"] and last:
        return {**status, "ready": False, "started": False, "state": {"terminated": last}, "lastState": {}}
    terminated = {
        "exitCode": UNKNOWN_EXIT,
        "reason": "ContainerStatusUnknown",
        "message": _NOT_LOCATED,
        "containerID": status["containerID"],
    }
    return {**status, "ready": False, "started": False, "state": {"terminated": terminated}}


def task_id_of(status: Mapping[str, Json]) -> str:
    """The task in a status' `containerID`; empty where no container has run."""
    identifier = str(status.get("containerID") or "")
    return identifier.removeprefix(SCHEME).split("/", 1)[0] if identifier.startswith(SCHEME) else ""


def _is_ready(sight: Sight, task: Task, state: Mapping[str, Json]) -> bool:
    if sight.completes:
        return _completed({"state": state, "ready": True})
    if sight.deleted and task.desired_status != "RUNNING":
        # Nobody probes it any more; if it was ready, EndpointSlices show it as serving to its end.
        return "running" in state and _was_ready(sight.before, task)
    return (
        task.desired_status == "RUNNING"
        and "running" in state
        and sight.health.started
        and sight.health.ready
    )


def _was_ready(before: Mapping[str, Json], task: Task) -> bool:
    return task_id_of(before) == task.task_id and bool(before.get("ready"))


def _completed(status: Mapping[str, Json]) -> bool:
    """An init container that has done its work stays ready; any other that ended is not."""
    ended = status["state"].get("terminated") or {}
    return bool(status.get("ready")) and ended.get("exitCode") == 0


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


def _wait_of(sight: Sight) -> Hold | None:
    """Why a container that has ended is waiting to run again; None where its end is the last word."""
    if sight.hold is not None and sight.hold.restarting:
        return sight.hold
    if sight.task is None or sight.task.is_stopped:
        return None
    pause = in_place.back_off(sight.runs)
    return Hold("CrashLoopBackOff", pause=pause) if pause else None


def _worded(hold: Hold, container: Container, sight: Sight) -> Hold:
    if not hold.pause:
        return hold
    words = back_off_words(container.name, pod=sight.pod, pause=hold.pause)
    return msgspec.structs.replace(hold, message=words)


def _hold_state(hold: Hold) -> dict[str, Json]:
    waiting = {"reason": hold.reason}
    return {"waiting": {**waiting, "message": hold.message} if hold.message else waiting}


def _restarted(before: Mapping[str, Json], identifier: str) -> dict[str, Json]:
    """What is carried forward into another container: of another task, or another run of the same."""
    over = abandoned(before)
    known = str(before.get("containerID") or "")
    more = in_place.restarts_between(known, identifier)
    return {
        "restartCount": int(before.get("restartCount") or 0) + more,
        "lastState": over["state"],
    }


def _state(
    sight: Sight, task: Task, seen: TaskContainer, *, before: Mapping[str, Json], identifier: str
) -> dict[str, Json]:
    """Running or terminated. An end that was written once with its exit code is never rewritten."""
    ended = in_place.end_of(sight.runs, identifier)
    if ended is not None:
        words = {"message": sight.message} if sight.message and not ended.get("message") else {}
        last = {**ended, **words, **({"reason": "OOMKilled"} if is_out_of_memory(seen) else {})}
        return {"terminated": last}
    known = before.get("state") or {}
    same = before.get("containerID") == identifier
    if same and known and sight.untold and seen.last_status != "STOPPED":
        return dict(known)
    started = _started_at(sight, task, seen, known if same else {})
    if seen.last_status != "STOPPED":
        return {"running": {"startedAt": started}}
    written = _end_of(identifier, before)
    if written and written["reason"] != "ContainerStatusUnknown":
        # The log may be read only after the end was told: then the message follows.
        late = {"message": sight.message} if sight.message and not written.get("message") else {}
        return {"terminated": {**written, **late}}
    terminated: dict[str, Json] = {
        "exitCode": UNKNOWN_EXIT if seen.exit_code is None else seen.exit_code,
        "reason": termination_reason(seen),
        "startedAt": started,
        "finishedAt": _finished_at(task, written, now=sight.now),
        "containerID": identifier,
    }
    message = sight.message or seen.reason or (task.stopped_reason if seen.exit_code is None else "")
    return {"terminated": {**terminated, "message": message} if message else terminated}


def _end_of(identifier: str, before: Mapping[str, Json]) -> Mapping[str, Json]:
    """This very container's end, where one was written; `lastState` may be that of the one before it."""
    ends = ((before.get(name) or {}).get("terminated") or {} for name in ("state", "lastState"))
    return next((end for end in ends if end.get("containerID") == identifier), {})


def _started_at(sight: Sight, task: Task, seen: TaskContainer, known: Mapping[str, Json]) -> str:
    """When it started, as well as anybody knows; never after its end."""
    if sight.runs:
        return rfc3339(sight.runs[-1].started)
    if task.started_at is not None and not sight.completes:
        return rfc3339(task.started_at)
    for state in ("running", "terminated"):
        found = (known.get(state) or {}).get("startedAt")
        if found:
            return str(found)
    over = task.stopped_at or task.stopping_at if seen.last_status == "STOPPED" else None
    return rfc3339(sight.now if over is None else min(sight.now, over))


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
