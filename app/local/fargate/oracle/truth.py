"""What a pod's status may say, given what really happened to its tasks. Pure.

Written from Kubernetes' and ECS's own rules, and from nothing of the bridge:
https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from app.local.fargate.journal import ContainerState
from app.local.fargate.oracle.history import TaskHistory
from app.model.names import KEEPER_CONTAINER

DISRUPTIONS: Final = frozenset(
    {"SpotInterruption", "TerminationNotice", "InfrastructureHealth", "ServiceSchedulerInitiated"}
)
"""The stop codes of tasks that AWS took away, the last one to retire them; pods must tell a DisruptionTarget.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-maintenance.html
"""

_UNKNOWN_CODE: Final = 137
_WAITING_REASONS: Final = (
    ("cannotpull", frozenset({"ErrImagePull", "ImagePullBackOff"})),
    ("resourceinitializationerror", frozenset({"CreateContainerConfigError"})),
    ("resourcenotfoundexception", frozenset({"CreateContainerConfigError"})),
    ("cannotcreatevolumeerror", frozenset({"CreateContainerError"})),
    ("cannotstart", frozenset({"RunContainerError"})),
    ("cannotcreatecontainer", frozenset({"RunContainerError"})),
    ("containerruntime", frozenset({"RunContainerError"})),
    ("timeout waiting for network interface", frozenset({"ContainerCreating", "FailedCreatePodSandBox"})),
    ("unexpected ec2 error", frozenset({"ContainerCreating", "FailedCreatePodSandBox"})),
    ("internalerror", frozenset({"ContainerCreating", "FailedCreatePodSandBox"})),
)


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """One pod, and its launches in order.

    Attributes:
        regular, init: names of its containers.
        policy: its restartPolicy.
        deleted: whether it has a deletionTimestamp.
        deadline: whether it may end for its activeDeadlineSeconds.
    """

    regular: tuple[str, ...]
    init: tuple[str, ...]
    policy: str
    deleted: bool
    deadline: bool
    launches: Sequence[TaskHistory]

    @property
    def last(self) -> TaskHistory:
        """The last launch."""
        return self.launches[-1]

    @property
    def ran_before(self) -> bool:
        """Whether a container of the pod was started in an earlier launch."""
        return any(each.has_started(self.regular) for each in self.launches[:-1])

    @property
    def ends_well(self) -> bool:
        """Whether every regular container of the last launch ended with 0."""
        states = [self.last.containers.get(name) for name in self.regular]
        return all(state is not None and state.exit_code == 0 for state in states)

    @property
    def restarts_in_place(self) -> bool:
        """Whether containers may come and go without ECS's knowledge, in the hands of the in-task helper."""
        return bool(self.launches) and KEEPER_CONTAINER in self.last.containers

    def restart_range(self, container: str) -> tuple[int, int | None]:
        """The least and the greatest restartCount that is true; None where ECS cannot tell the greatest."""
        starts = sum(each.starts(container) for each in self.launches)
        restarts = sum(
            each.containers[container].restarts for each in self.launches if each.starts(container)
        )
        least = max(starts - 1, 0)
        if self.restarts_in_place:
            return least, None
        return least, max(least, len(self.launches) - 1 + restarts)


def facts_of(pod: dict[str, Any], launches: Sequence[TaskHistory]) -> Facts:
    """What matters of a pod's JSON."""
    spec = pod["spec"]
    return Facts(
        regular=tuple(each["name"] for each in spec["containers"]),
        init=tuple(each["name"] for each in spec.get("initContainers") or ()),
        policy=spec.get("restartPolicy", "Always"),
        deleted="deletionTimestamp" in pod["metadata"],
        deadline=spec.get("activeDeadlineSeconds") is not None,
        launches=launches,
    )


def phases(facts: Facts) -> frozenset[str]:
    """The phases that are true."""
    if not facts.launches:
        return frozenset({"Pending", "Failed"})
    true = _phases_of_end(facts) if facts.last.is_over else _phases_of_life(facts)
    if facts.deleted:
        true |= {_unchanged(facts), "Failed"}
    return true | {"Failed"} if facts.deadline else true


def is_final(facts: Facts) -> bool:
    """Whether the pod can only be over."""
    return phases(facts) <= {"Succeeded", "Failed"}


def _unchanged(facts: Facts) -> str:
    ran = facts.last.ran or facts.ran_before
    return "Running" if ran else "Pending"


def _phases_of_life(facts: Facts) -> frozenset[str]:
    if facts.last.last.status == "ACTIVATING":
        return frozenset({_unchanged(facts), "Running"})
    return frozenset({_unchanged(facts)})


def _phases_of_end(facts: Facts) -> frozenset[str]:
    if facts.last.is_lost or facts.last.last.stop_code in DISRUPTIONS:
        return frozenset({"Failed"})
    true = _phases_of_stop(facts)
    return true | {"Failed"} if facts.last.last.status == "DELETED" else true


def _phases_of_stop(facts: Facts) -> frozenset[str]:
    match facts.last.last.stop_code:
        case "TaskFailedToStart":
            return frozenset({_unchanged(facts), "Failed"})
        case "UserInitiated" if not facts.last.stopped_by_call:
            return frozenset({"Failed"})
        case "UserInitiated":
            return frozenset({_unchanged(facts), "Failed", *(("Succeeded",) if facts.ends_well else ())})
        case _ if facts.policy == "Always" or (facts.policy == "OnFailure" and not facts.ends_well):
            return frozenset({"Running"})
        case _:
            return frozenset({"Succeeded" if facts.ends_well else "Failed"})


def reason(facts: Facts) -> str:
    """The reason that a failed pod must give; empty where any is true."""
    if not facts.launches or not facts.last.is_over or facts.deleted:
        return ""
    if facts.last.is_lost:
        return "TaskLost"
    if facts.last.last.status == "DELETED":
        return ""
    by_others = facts.last.last.stop_code == "UserInitiated" and not facts.last.stopped_by_call
    return "TaskStopped" if by_others else ""


def termination(state: ContainerState) -> tuple[int, str]:
    """The exit code and the reason of a container that is over."""
    text = state.reason.casefold()
    if state.exit_code is None:
        return _UNKNOWN_CODE, "ContainerStatusUnknown"
    if "outofmemory" in text or "killed due to memory" in text:
        return state.exit_code, "OOMKilled"
    return state.exit_code, "Completed" if state.exit_code == 0 else "Error"


def waiting_reasons(task: TaskHistory, state: ContainerState | None) -> frozenset[str]:
    """Why a container of a task that failed to start waits; empty where any reason is true."""
    own = state.reason if state is not None else ""
    if task.last.stop_code != "TaskFailedToStart" or "dependency graph" in own:
        return frozenset()
    texts = [own, task.last.reason]
    for beginning, found in _WAITING_REASONS:
        if any(text.casefold().startswith(beginning) for text in texts):
            return found
    return frozenset()
