"""The conditions of a pod that a kubelet owns.

https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-conditions
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from app.bridge.status.endings import is_disrupted
from app.model.container import is_sidecar
from app.model.pod import Pod, condition, is_bound
from app.model.task import Task
from app.model.times import rfc3339
from app.model.wire import Json

Statuses = Sequence[Mapping[str, Json]]

_TO_THE_END: Final = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}


def conditions_of(
    pod: Pod, *, task: Task | None, inits: Statuses, mains: Statuses, phase: str, now: datetime
) -> list[dict[str, Json]]:
    """Our own conditions, dated. Others' (readiness gates) stay: the patch merges by type.

    Args:
        pod: with the conditions as last written.
        task: the newest attempt's task, if any.
        inits: statuses of the init containers, in the order of the spec.
        mains: statuses of the containers.
        phase: the pod's.
        now: when a condition that changes does so.
    """
    ready = _containers_ready(pod, inits, mains, phase)
    wanted = [
        {"type": "PodReadyToStartContainers", "status": _flag(_has_sandbox(task))},
        {"type": "Initialized", **_initialized(pod, inits, mains, phase)},
        {"type": "Ready", **_ready(pod, ready)},
        {"type": "ContainersReady", **ready},
    ]
    if is_bound(pod):
        # Never for a pod that no scheduler bound: its permission rests on who wrote this first.
        wanted.append({"type": "PodScheduled", "status": "True"})
    if task is not None and is_disrupted(task, spec=pod.spec):
        wanted.append(disruption(f"{task.stop_code}: {task.stopped_reason}"))
    return [dated(pod, each, now=now) for each in wanted]


def disruption(message: str) -> dict[str, Json]:
    """That the pod ends through no fault of its own, so that a Job need not count it.

    https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions
    """
    return {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "TerminationByKubelet",
        "message": message,
    }


def dated(pod: Pod, wanted: dict[str, Json], *, now: datetime) -> dict[str, Json]:
    """The condition with its transition time, which moves only when its status does."""
    before = condition(pod, wanted["type"])
    since = before.last_transition_time if before and before.status == wanted["status"] else None
    whole = {**wanted, "lastTransitionTime": rfc3339(since or now)}
    for words in ("reason", "message"):
        if before is not None and getattr(before, words) and words not in wanted:
            whole[words] = None
    if pod.metadata.generation:
        whole["observedGeneration"] = pod.metadata.generation
    return whole


def _has_sandbox(task: Task | None) -> bool:
    return task is not None and bool(task.ip) and not task.is_stopped


def _initialized(pod: Pod, inits: Statuses, mains: Statuses, phase: str) -> dict[str, Json]:
    if phase == "Succeeded":
        return {"status": "True", "reason": "PodCompleted"}
    begun = any("running" in each["state"] or "terminated" in each["state"] for each in mains)
    late = [
        str(status["name"])
        for status, init in zip(inits, pod.spec.init_containers, strict=False)
        if not (status["started"] if is_sidecar(init) else status["ready"])
    ]
    if begun or not late:
        return {"status": "True"}
    message = f"containers with incomplete status: [{' '.join(late)}]"
    return {"status": "False", "reason": "ContainersNotInitialized", "message": message}


def _containers_ready(pod: Pod, inits: Statuses, mains: Statuses, phase: str) -> dict[str, Json]:
    """Whether every container is ready, sidecars among them."""
    if phase in _TO_THE_END:
        return {"status": "False", "reason": _TO_THE_END[phase]}
    sidecars = [
        status for status, init in zip(inits, pod.spec.init_containers, strict=False) if is_sidecar(init)
    ]
    unready = [str(each["name"]) for each in (*sidecars, *mains) if not each["ready"]]
    if mains and not unready:
        return {"status": "True"}
    message = f"containers with unready status: [{' '.join(unready)}]"
    return {"status": "False", "reason": "ContainersNotReady", "message": message}


def _ready(pod: Pod, containers: Mapping[str, Json]) -> dict[str, Json]:
    """Ready is ContainersReady and every readiness gate."""
    if containers["status"] != "True":
        return dict(containers)
    shut = list(_shut_gates(pod))
    if not shut:
        return {"status": "True"}
    message = "; ".join(f'the status of pod readiness gate "{gate}" is not "True"' for gate in shut)
    return {"status": "False", "reason": "ReadinessGatesNotReady", "message": message}


def _shut_gates(pod: Pod) -> Iterable[str]:
    for gate in pod.spec.readiness_gates:
        name = str(gate.get("conditionType", ""))
        found = condition(pod, name)
        if found is None or found.status != "True":
            yield name


def _flag(value: bool) -> str:
    return "True" if value else "False"
