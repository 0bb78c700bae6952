"""Task → PodStatus: what a kubelet would report of this pod, and nothing that is not so.

https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from app.bridge.status.container_status import Hold, abandoned, container_status
from app.bridge.status.endings import DISRUPTIONS
from app.model.pod import TERMINAL_PHASES, Pod, condition
from app.model.task import Task
from app.model.times import rfc3339
from app.model.wire import Json

Status = dict[str, Json]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """A phase that follows from more than the containers: a refusal, a loss, an end."""

    phase: str
    reason: str = ""
    message: str = ""


def status_of(
    pod: Pod,
    *,
    task: Task | None,
    now: datetime,
    node_ip: str,
    hold: Hold | None = None,
    verdict: Verdict | None = None,
) -> Status:
    """The pod's status as a patch body: phase, conditions, container statuses, addresses.

    Args:
        pod: with the status as last written; phases Succeeded and Failed are never left.
        task: the newest attempt's task, if any.
        now: for condition transitions, and times that ECS does not give.
        node_ip: the virtual node's address.
        hold: why containers wait that do not run: they are about to start, or to be started again.
        verdict: what the containers alone do not tell.
    """
    statuses = [
        container_status(each, pod=pod, task=task, hold=hold, now=now) for each in pod.spec.containers
    ]
    final = verdict is not None and verdict.phase in {"Succeeded", "Failed"}
    rejected = verdict is not None and verdict.phase == "Failed" and bool(verdict.reason) and task is None
    if rejected and not pod.status.container_statuses:
        statuses = []  # rejected before anything was begun: a kubelet then tells of no container either
    elif final:
        statuses = [abandoned(each) for each in statuses]
    phase = verdict.phase if verdict is not None else _living_phase(statuses, pod.spec.restart_policy)
    status: Status = {
        "phase": phase,
        "conditions": _conditions(pod, task=task, statuses=statuses, phase=phase, now=now),
        "containerStatuses": statuses,
        "hostIP": node_ip,
        "hostIPs": [{"ip": node_ip}],
        "startTime": rfc3339(pod.status.start_time or now),
        **_addresses(pod, task),
        **_words(pod, verdict),
    }
    if pod.metadata.generation:
        status["observedGeneration"] = pod.metadata.generation
    return status


def final_status(pod: Pod, *, task: Task | None, now: datetime, node_ip: str) -> Status:
    """The last status of a deleted pod: every container that ran is terminated, the phase is an end.

    A pod whose containers all ended with 0 succeeded; any other failed, one that never ran too, as a kubelet
    has it.
    """
    statuses = [
        abandoned(container_status(each, pod=pod, task=task, hold=None, now=now))
        for each in pod.spec.containers
    ]
    done = all((each["state"].get("terminated") or {}).get("exitCode") == 0 for each in statuses)
    verdict = Verdict(phase="Succeeded" if done else "Failed")
    return status_of(pod, task=task, now=now, node_ip=node_ip, verdict=verdict)


def held_status(pod: Pod, *, reason: str, message: str, now: datetime) -> Status:
    """The status of a pod that is left Pending with a reason: no container, no address, only the words."""
    return {
        "phase": "Pending",
        "reason": reason,
        "message": message,
        "conditions": _conditions(pod, task=None, statuses=[], phase="Pending", now=now),
    }


def _living_phase(statuses: Sequence[Mapping[str, Json]], restart_policy: str) -> str:
    """The phase while the task is not over: why it ends is only known then, so no end is told before."""
    phase = phase_of(statuses, restart_policy)
    return "Running" if phase in TERMINAL_PHASES else phase


def phase_of(statuses: Sequence[Mapping[str, Json]], restart_policy: str) -> str:
    """The phase that the containers make, by kubelet's `getPhase`.

    One that waits and has never run keeps the pod Pending; one that waits to run again counts as stopped.
    """
    running = [each for each in statuses if "running" in each["state"]]
    stopped = [each for each in statuses if _last_end(each) is not None and each not in running]
    if len(running) + len(stopped) < len(statuses) or not statuses:
        return "Pending"
    if running or restart_policy == "Always":
        return "Running"
    clean = all((_last_end(each) or {}).get("exitCode") == 0 for each in stopped)
    if clean:
        return "Succeeded"
    return "Running" if restart_policy == "OnFailure" else "Failed"


def same(status: Mapping[str, Json], pod: Pod) -> bool:
    """Whether writing this status would change nothing that people or controllers read."""
    now = pod.status
    scalars = {
        "phase": now.phase,
        "reason": now.reason,
        "message": now.message,
        "podIP": now.pod_ip,
        "hostIP": now.host_ip,
        "observedGeneration": now.observed_generation,
        "startTime": rfc3339(now.start_time) if now.start_time else "",
    }
    if any(status[key] != value for key, value in scalars.items() if key in status):
        return False
    if "containerStatuses" in status and _bare(status["containerStatuses"]) != _bare(now.container_statuses):
        return False
    return all(_has_condition(pod, each) for each in status["conditions"])


def _has_condition(pod: Pod, wanted: Mapping[str, Json]) -> bool:
    found = condition(pod, wanted["type"])
    return found is not None and (found.status, found.reason, found.message) == (
        wanted["status"],
        wanted.get("reason", ""),
        wanted.get("message", ""),
    )


def _bare(value: Json) -> Json:
    """JSON without the empty values that an API server adds or leaves out."""
    if isinstance(value, dict):
        pairs = ((key, _bare(each)) for key, each in value.items())
        return {key: each for key, each in pairs if each not in (None, "", {}, [])}
    if isinstance(value, (list, tuple)):
        return [_bare(each) for each in value]
    return value


def _last_end(status: Mapping[str, Json]) -> Mapping[str, Json] | None:
    ended = status["state"].get("terminated") or (status.get("lastState") or {}).get("terminated")
    return ended or None


def _words(pod: Pod, verdict: Verdict | None) -> dict[str, Json]:
    """Reason and message; None takes away what an earlier status said."""
    reason = verdict.reason if verdict is not None else ""
    message = verdict.message if verdict is not None else ""
    words: dict[str, Json] = {}
    if reason or pod.status.reason:
        words["reason"] = reason or None
    if message or pod.status.message:
        words["message"] = message or None
    return words


_REPLACE: Final = {"$patch": "replace"}


def _addresses(pod: Pod, task: Task | None) -> dict[str, Json]:
    """The pod's address. `podIPs` merges by `ip`, so a relaunched pod's new address must replace the list."""
    if task is None or not task.ip:
        return {}
    addresses: list[Json] = [{"ip": task.ip}]
    if pod.status.pod_ip not in {"", task.ip}:
        addresses.insert(0, _REPLACE)
    return {"podIP": task.ip, "podIPs": addresses}


def _conditions(
    pod: Pod, *, task: Task | None, statuses: Sequence[Mapping[str, Json]], phase: str, now: datetime
) -> list[dict[str, Json]]:
    """Our own conditions. Others' (readiness gates) stay: the patch merges by type."""
    containers = _containers_ready(statuses, phase)
    wanted = [
        {"type": "PodReadyToStartContainers", "status": _flag(_has_sandbox(task))},
        {"type": "Initialized", "status": "True", **_completed(phase)},
        {"type": "Ready", **_ready(pod, containers)},
        {"type": "ContainersReady", **containers},
        {"type": "PodScheduled", "status": "True"},
    ]
    if task is not None and task.stop_code in DISRUPTIONS:
        wanted.append(
            {
                "type": "DisruptionTarget",
                "status": "True",
                "reason": "TerminationByKubelet",
                "message": f"{task.stop_code}: {task.stopped_reason}",
            }
        )
    return [_dated(pod, each, now=now) for each in wanted]


def _has_sandbox(task: Task | None) -> bool:
    return task is not None and bool(task.ip) and not task.is_stopped


def _completed(phase: str) -> dict[str, Json]:
    return {"reason": "PodCompleted"} if phase == "Succeeded" else {}


def _containers_ready(statuses: Sequence[Mapping[str, Json]], phase: str) -> dict[str, Json]:
    if phase == "Succeeded":
        return {"status": "False", "reason": "PodCompleted"}
    if phase == "Failed":
        return {"status": "False", "reason": "PodFailed"}
    unready = [str(each["name"]) for each in statuses if not each["ready"]]
    if statuses and not unready:
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


def _dated(pod: Pod, wanted: dict[str, Json], *, now: datetime) -> dict[str, Json]:
    """The condition with its transition time, which moves only when its status does."""
    before = condition(pod, wanted["type"])
    since = before.last_transition_time if before and before.status == wanted["status"] else None
    dated = {**wanted, "lastTransitionTime": rfc3339(since or now)}
    for words in ("reason", "message"):
        if before is not None and getattr(before, words) and words not in wanted:
            dated[words] = None
    if pod.metadata.generation:
        dated["observedGeneration"] = pod.metadata.generation
    return dated


def _flag(value: bool) -> str:
    return "True" if value else "False"
