"""Task → PodStatus: what a kubelet would report of this pod, and nothing that is not so.

https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from app.bridge.status import ephemeral
from app.bridge.status.conditions import conditions_of, dated, disruption
from app.bridge.status.container_status import Hold, Sight, abandoned, container_status
from app.bridge.status.observed import Health, Told, is_kept
from app.bridge.status.phase import living_phase
from app.bridge.status.words import named
from app.model.container import Container, is_sidecar
from app.model.pod import TERMINAL_PHASES, Pod, condition
from app.model.task import Task
from app.model.times import rfc3339
from app.model.wire import Json

Status = dict[str, Json]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """A phase that follows from more than the containers: a refusal, a loss, an end.

    `disrupted` is set where the pod ends through no fault of its own.
    """

    phase: str
    reason: str = ""
    message: str = ""
    disrupted: bool = False


class View(msgspec.Struct, frozen=True, kw_only=True):
    """What a pod's status is made of.

    Attributes:
        task: the newest attempt's task, if any.
        now: for condition transitions, and times that nobody gives.
        node_ip: the virtual node's address.
        health: what each container's probes say; a container that is not there has none.
        told: the task's own records.
    """

    task: Task | None
    now: datetime
    node_ip: str
    health: Mapping[str, Health] = {}
    told: Told = Told()


def status_of(pod: Pod, view: View, *, hold: Hold | None = None, verdict: Verdict | None = None) -> Status:
    """The pod's status as a patch body: phase, conditions, container statuses, addresses.

    Args:
        pod: with the status as last written; phases Succeeded and Failed are never left.
        view: what is known.
        hold: why containers wait that do not run: they are about to start, or to be started again.
        verdict: what the containers alone do not tell.
    """
    inits, mains = _statuses(pod, view, hold=hold)
    final = verdict is not None and verdict.phase in TERMINAL_PHASES
    rejected = (
        verdict is not None and verdict.phase == "Failed" and bool(verdict.reason) and view.task is None
    )
    if rejected and not pod.status.container_statuses:
        # Rejected before anything was begun: a kubelet then tells of no container either.
        inits, mains = [], []
    elif final:
        inits, mains = [abandoned(each) for each in inits], [abandoned(each) for each in mains]
    phase = verdict.phase if verdict is not None else living_phase(inits, mains, pod.spec)
    status: Status = {
        "phase": phase,
        "conditions": [
            *conditions_of(pod, task=view.task, inits=inits, mains=mains, phase=phase, now=view.now),
            *_disruption(pod, verdict, now=view.now),
        ],
        "containerStatuses": mains,
        "startTime": rfc3339(pod.status.start_time or view.now),
        **_address("hostIP", view.node_ip, before=pod.status.host_ip),
        **_address("podIP", view.task.ip if view.task is not None else "", before=pod.status.pod_ip),
        **_words(pod, verdict),
    }
    if pod.spec.init_containers:
        status["initContainerStatuses"] = inits
    if pod.spec.ephemeral_containers:
        status["ephemeralContainerStatuses"] = ephemeral.statuses(pod)
    if pod.metadata.generation:
        status["observedGeneration"] = pod.metadata.generation
    return status


def final_status(pod: Pod, view: View) -> Status:
    """The last status of a deleted pod: every container that ran is terminated, the phase is an end.

    A pod whose containers all ended with 0 succeeded; any other failed, one that never ran too, as a kubelet
    has it.
    """
    _, mains = _statuses(pod, view, hold=None)
    ended = [abandoned(each)["state"].get("terminated") or {} for each in mains]
    done = all(each.get("exitCode") == 0 for each in ended)
    return status_of(pod, view, verdict=Verdict(phase="Succeeded" if done else "Failed"))


def _statuses(
    pod: Pod, view: View, *, hold: Hold | None
) -> tuple[list[dict[str, Json]], list[dict[str, Json]]]:
    """The statuses of the init containers (sidecars among them), and of the containers."""
    inits = [
        container_status(each, _sight(pod, each, view, hold=hold, completes=not is_sidecar(each)))
        for each in pod.spec.init_containers
    ]
    mains = [container_status(each, _sight(pod, each, view, hold=hold)) for each in pod.spec.containers]
    return inits, mains


def _hold_of(pod: Pod, container: Container, hold: Hold | None) -> Hold:
    """Why this container waits: as is said of the pod, or since it has not come to its turn yet."""
    turn = Hold("PodInitializing") if pod.spec.init_containers else Hold()
    if hold is None or hold == Hold():
        return turn
    return hold if not hold.about or container.name in hold.about else turn


def _sight(
    pod: Pod, container: Container, view: View, *, hold: Hold | None, completes: bool = False
) -> Sight:
    name, task = container.name, view.task
    before = (*pod.status.init_container_statuses, *pod.status.container_statuses)
    seen = None if task is None else next((each for each in task.containers if each.name == name), None)
    return Sight(
        before=next((each for each in before if each.get("name") == name), {}),
        task=task,
        seen=seen,
        now=view.now,
        runs=view.told.runs.get(name, ()),
        untold=task is not None and is_kept(task) and not view.told.runs,
        health=view.health.get(name, Health()),
        message=view.told.messages.get(name, ""),
        completes=completes,
        policy=pod.spec.restart_policy,
        hold=_hold_of(pod, container, hold),
        pod=named(pod),
        deleted=pod.metadata.deletion_timestamp is not None,
    )


def held_status(pod: Pod, *, reason: str, message: str, now: datetime) -> Status:
    """The status of a pod that is left Pending with a reason: no container, no address, only the words."""
    return {
        "phase": "Pending",
        "reason": reason,
        "message": message,
        "conditions": conditions_of(pod, task=None, inits=[], mains=[], phase="Pending", now=now),
    }


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
    lists = {
        "containerStatuses": now.container_statuses,
        "initContainerStatuses": now.init_container_statuses,
        "ephemeralContainerStatuses": now.ephemeral_container_statuses,
    }
    if any(_bare(status[key]) != _bare(value) for key, value in lists.items() if key in status):
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


def _disruption(pod: Pod, verdict: Verdict | None, *, now: datetime) -> list[dict[str, Json]]:
    if verdict is None or not verdict.disrupted:
        return []
    return [dated(pod, disruption(f"{verdict.reason}: {verdict.message}"), now=now)]


_REPLACE: Final = {"$patch": "replace"}


def _address(name: str, ip: str, *, before: str) -> dict[str, Json]:
    """`podIP` and `podIPs`, or `hostIP` and `hostIPs`; nothing where no address is known.

    The lists merge by `ip`, and take one address of a family: that of a relaunched task, or of a bridge in
    another pod, must replace the list.
    """
    if not ip:
        return {}
    replace = [_REPLACE] if before not in {"", ip} else []
    return {name: ip, f"{name}s": [*replace, {"ip": ip}]}
