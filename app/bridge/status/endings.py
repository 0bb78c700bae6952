"""How a task ended, and what becomes of its pod: ECS's stop codes and reasons in Kubernetes' words.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
"""

import enum
from collections.abc import Sequence
from typing import Final

import msgspec

from app.bridge.status.in_place import UNKNOWN_EXIT
from app.bridge.status.restarting import is_restarted
from app.model.container import Container, is_sidecar
from app.model.names import INSTALL_CONTAINER
from app.model.pod import PodSpec
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


DISRUPTIONS: Final = frozenset(
    {"SpotInterruption", "TerminationNotice", "InfrastructureHealth", "ServiceSchedulerInitiated"}
)
"""Stop codes with which AWS takes the machine away, the last one to retire it; the pod's controller makes a
new pod.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-maintenance.html
"""

STOPPED_BY_SOMEBODY: Final = "UserInitiated"

FAILED_TO_START: Final = "TaskFailedToStart"

SEQUELS: Final[dict[Ending, Sequel | None]] = {
    Ending.COMPLETED: None,
    Ending.CRASHED: None,
    Ending.NOT_STARTED: Sequel.RELAUNCH,
    Ending.STOPPED: Sequel.FAILED,
    Ending.DISRUPTED: Sequel.FAILED,
}
"""What follows each ending; None where exit codes and restartPolicy decide. A task that never started is
tried again even under Never, as a kubelet does: nothing has run but init containers, which may run twice."""

START_FAILURES: Final[tuple[tuple[str, StartFailure], ...]] = (
    (INSTALL_CONTAINER, StartFailure("CreateContainerConfigError", "CreateContainerConfigError")),
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


def ending_of(task: Task, *, spec: PodSpec) -> Ending:
    """How a stopped task ended. Unknown stop codes are judged by the exit codes of the main containers alone.

    A description without containers says nothing: what may have run is never run again on such grounds.

    Args:
        task: stopped.
        spec: of its pod.
    """
    if not task.containers and task.stop_code != FAILED_TO_START:
        return Ending.STOPPED
    if _is_stopped_for_good(task):
        return Ending.STOPPED
    if not has_run(task, spec=spec):
        return Ending.NOT_STARTED
    if task.stop_code in DISRUPTIONS:
        return Ending.DISRUPTED
    if task.stop_code == STOPPED_BY_SOMEBODY:
        return Ending.CRASHED
    return Ending.COMPLETED if all(_code(task, each) == 0 for each in spec.containers) else Ending.CRASHED


def sequel_of(task: Task, *, spec: PodSpec) -> Sequel:
    """What becomes of the pod whose task stopped without its having been deleted."""
    settled = SEQUELS[ending_of(task, spec=spec)]
    if settled is not None:
        return settled
    ended = [each for each in regular_inits(spec) if _code(task, each, absent=0)] or spec.containers
    if any(is_restarted(each, policy=spec.restart_policy, code=_code(task, each)) for each in ended):
        return Sequel.RELAUNCH
    return Sequel.FAILED if any(_code(task, each) for each in ended) else Sequel.SUCCEEDED


def has_run(task: Task, *, spec: PodSpec) -> bool:
    """Whether a main container has run in the task, or an init container has failed."""
    if task.started_at is not None and task.stop_code != FAILED_TO_START:
        return True
    mains = {each.name for each in spec.containers}
    inits = {each.name for each in regular_inits(spec)}
    return any(
        (each.name in mains and exit_of(each) is not None) or (each.name in inits and bool(exit_of(each)))
        for each in task.containers
    )


def never_started(container: TaskContainer) -> bool:
    """Whether the container ended without having run; ECS gives some of those an exit code all the same.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
    """
    return container.reason.lower().startswith(("cannotstart", "cannotcreate", "cannotpull"))


def has_started(task: Task, seen: TaskContainer) -> bool:
    """Whether the container has run in the task."""
    if never_started(seen):
        return False
    if seen.last_status == "RUNNING" or seen.exit_code is not None:
        return True
    return seen.last_status == "STOPPED" and task.started_at is not None


def exit_of(container: TaskContainer) -> int | None:
    """The container's exit code; None where it has not run, or nobody learned it."""
    return None if never_started(container) else container.exit_code


def is_disrupted(task: Task, *, spec: PodSpec) -> bool:
    """Whether AWS takes, or took, the machine away from under a pod that has run on it."""
    return task.stop_code in DISRUPTIONS and has_run(task, spec=spec)


def failed_init(task: Task, *, spec: PodSpec) -> TaskContainer | None:
    """The init container, our helper's included, whose failure keeps the task from ever running."""
    names = {INSTALL_CONTAINER, *(each.name for each in regular_inits(spec))}
    return next((each for each in task.containers if each.name in names and exit_of(each)), None)


def regular_inits(spec: PodSpec) -> Sequence[Container]:
    """The init containers that are no sidecars."""
    return [each for each in spec.init_containers if not is_sidecar(each)]


def _code(task: Task, container: Container, *, absent: int = UNKNOWN_EXIT) -> int:
    """How the container ended in the task; `absent` where nobody learned it."""
    code = next((exit_of(each) for each in task.containers if each.name == container.name), None)
    return absent if code is None else code


def _is_stopped_for_good(task: Task) -> bool:
    return task.stop_code == STOPPED_BY_SOMEBODY and not task.stopped_reason.startswith(RESTARTING)


def start_failure_of(task: Task) -> StartFailure:
    """Kubelet's reason for containers that could not start."""
    texts = [task.stopped_reason, *(each.reason for each in task.containers)]
    said = " ".join(texts).lower()
    return next((named for part, named in START_FAILURES if part in said), UNKNOWN_START_FAILURE)


def is_for_want_of_spot(task: Task, *, spec: PodSpec) -> bool:
    """Whether a Spot task ended before anything of it ran, because there was no Spot capacity (any more)."""
    said = f"{task.stop_code} {task.stopped_reason}".lower()
    return not has_run(task, spec=spec) and ("spot" in said or "capacity is unavailable" in said)


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
