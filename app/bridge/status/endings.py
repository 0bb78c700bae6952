"""How a task ended, and what becomes of its pod: ECS's stop codes and reasons in Kubernetes' words.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
"""

import enum
from collections.abc import Collection
from typing import Final

import msgspec

from app.model.task import Task, TaskContainer

OURS: Final = "spillway: "
"""Start of every StopTask reason that we give, so that a stop by somebody else shows."""

RESTARTING: Final = "spillway: restarting: "
"""Start of our reason where the task is stopped so that its pod runs again: a probe failed, or an init
container did."""


class Ending(enum.Enum):
    """How a task ended."""

    COMPLETED = "completed"
    CRASHED = "crashed"
    NOT_STARTED = "not started"
    STOPPED = "stopped"
    DISRUPTED = "disrupted"


class Sequel(enum.Enum):
    """What becomes of the pod."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    RELAUNCH = "relaunch"


class StartFailure(msgspec.Struct, frozen=True):
    """Why containers could not start, as kubelet names it: at first, and while waiting to try again."""

    first: str
    later: str


DISRUPTIONS: Final = frozenset({"SpotInterruption", "TerminationNotice", "InfrastructureHealth"})
"""Stop codes with which AWS takes the machine away; the pod's controller makes a new pod."""

STOPS: Final = frozenset({"UserInitiated", "ServiceSchedulerInitiated"})

SEQUELS: Final[dict[tuple[Ending, str], Sequel]] = {
    (Ending.COMPLETED, "Always"): Sequel.RELAUNCH,
    (Ending.COMPLETED, "OnFailure"): Sequel.SUCCEEDED,
    (Ending.COMPLETED, "Never"): Sequel.SUCCEEDED,
    (Ending.CRASHED, "Always"): Sequel.RELAUNCH,
    (Ending.CRASHED, "OnFailure"): Sequel.RELAUNCH,
    (Ending.CRASHED, "Never"): Sequel.FAILED,
    (Ending.NOT_STARTED, "Always"): Sequel.RELAUNCH,
    (Ending.NOT_STARTED, "OnFailure"): Sequel.RELAUNCH,
    (Ending.NOT_STARTED, "Never"): Sequel.RELAUNCH,
    (Ending.STOPPED, "Always"): Sequel.FAILED,
    (Ending.STOPPED, "OnFailure"): Sequel.FAILED,
    (Ending.STOPPED, "Never"): Sequel.FAILED,
    (Ending.DISRUPTED, "Always"): Sequel.FAILED,
    (Ending.DISRUPTED, "OnFailure"): Sequel.FAILED,
    (Ending.DISRUPTED, "Never"): Sequel.FAILED,
}
"""What follows each ending under each restartPolicy. A task that never started is tried again even under
Never, as a kubelet does: nothing of the pod has run."""

START_FAILURES: Final[tuple[tuple[str, StartFailure], ...]] = (
    ("cannotpull", StartFailure("ErrImagePull", "ImagePullBackOff")),
    ("resourceinitializationerror", StartFailure("CreateContainerConfigError", "CreateContainerConfigError")),
    ("resourcenotfoundexception", StartFailure("CreateContainerConfigError", "CreateContainerConfigError")),
    ("cannotcreatevolumeerror", StartFailure("CreateContainerError", "CreateContainerError")),
    ("cannotcreatecontainererror", StartFailure("RunContainerError", "RunContainerError")),
    ("cannotstartcontainererror", StartFailure("RunContainerError", "RunContainerError")),
    ("containerruntimeerror", StartFailure("RunContainerError", "RunContainerError")),
    ("containerruntimetimeouterror", StartFailure("RunContainerError", "RunContainerError")),
    ("dockertimeouterror", StartFailure("RunContainerError", "RunContainerError")),
    ("capacity is unavailable", StartFailure("FargateNoCapacity", "FargateNoCapacity")),
    ("limit on the number of vcpus", StartFailure("FargateNoCapacity", "FargateNoCapacity")),
    ("network interface", StartFailure("FailedCreatePodSandBox", "FailedCreatePodSandBox")),
    ("internalerror", StartFailure("FailedCreatePodSandBox", "FailedCreatePodSandBox")),
)
"""Part of a stop reason in lower case → kubelet's waiting reason; the first that matches."""

UNKNOWN_START_FAILURE: Final = StartFailure("RunContainerError", "RunContainerError")


def ending_of(task: Task, *, mains: Collection[str]) -> Ending:
    """How a stopped task ended. Unknown stop codes are judged by the exit codes of the main containers alone.

    A description without containers says nothing: what may have run is never run again on such grounds.

    Args:
        task: stopped.
        mains: the names of the pod's containers that are neither init containers nor sidecars.
    """
    if not task.containers and task.stop_code != "TaskFailedToStart":
        return Ending.STOPPED
    if task.stop_code == "TaskFailedToStart" or (task.started_at is None and not _exited(task)):
        return Ending.STOPPED if _is_stopped_for_good(task) else Ending.NOT_STARTED
    if task.stop_code in DISRUPTIONS:
        return Ending.DISRUPTED
    if _is_stopped_for_good(task):
        return Ending.STOPPED
    if task.stop_code in STOPS:
        return Ending.CRASHED
    done = all(each.exit_code == 0 for each in task.containers if each.name in mains)
    return Ending.COMPLETED if done else Ending.CRASHED


def sequel_of(task: Task, *, mains: Collection[str], restart_policy: str) -> Sequel:
    """What becomes of the pod whose task stopped without its having been deleted."""
    return SEQUELS[ending_of(task, mains=mains), restart_policy]


def _is_stopped_for_good(task: Task) -> bool:
    return task.stop_code in STOPS and not task.stopped_reason.startswith(RESTARTING)


def start_failure_of(task: Task) -> StartFailure:
    """Kubelet's reason for containers that could not start."""
    texts = [task.stopped_reason, *(each.reason for each in task.containers)]
    said = " ".join(texts).lower()
    return next((named for part, named in START_FAILURES if part in said), UNKNOWN_START_FAILURE)


def is_for_want_of_spot(task: Task) -> bool:
    """Whether a Spot task ended before anything of it ran, because there was no Spot capacity (any more)."""
    said = f"{task.stop_code} {task.stopped_reason}".lower()
    never = task.started_at is None and not _exited(task)
    return never and ("spot" in said or "capacity is unavailable" in said)


def explained(task: Task) -> str:
    """What ECS says about the end, for people: the task's reason and each container's where it says more."""
    repeated = {"", task.stopped_reason}
    parts = [f"{each.name}: {each.reason}" for each in task.containers if each.reason not in repeated]
    return "; ".join(part for part in (task.stopped_reason, *parts) if part)


def termination_reason(container: TaskContainer) -> str:
    """Kubelet's reason for a terminated container."""
    if is_out_of_memory(container):
        return "OOMKilled"
    if container.exit_code is None:
        return "ContainerStatusUnknown"
    return "Completed" if container.exit_code == 0 else "Error"


def is_out_of_memory(container: TaskContainer) -> bool:
    """Whether the kernel killed the container for memory; its exit code need not be 137."""
    said = container.reason.lower()
    return "outofmemory" in said or "memory usage" in said


def _exited(task: Task) -> bool:
    return any(each.exit_code is not None for each in task.containers)
