"""What a silent kubelet means for its node and the pods there: conditions, taints, evictions.

https://kubernetes.io/docs/concepts/architecture/nodes/#node-controller
https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from app.model.node import Node
from app.model.pod import Pod, Toleration, condition, is_terminal
from app.model.times import rfc3339
from app.model.wire import Json

GRACE: Final = 50.0
"""Seconds without a sign of life until the node's state counts as unknown (node-monitor-grace-period)."""

_NOT_READY: Final = "node.kubernetes.io/not-ready"
_UNREACHABLE: Final = "node.kubernetes.io/unreachable"
_UNSCHEDULABLE: Final = "node.kubernetes.io/unschedulable"
_PRESSURES: Final = {
    "MemoryPressure": "node.kubernetes.io/memory-pressure",
    "DiskPressure": "node.kubernetes.io/disk-pressure",
    "PIDPressure": "node.kubernetes.io/pid-pressure",
    "NetworkUnavailable": "node.kubernetes.io/network-unavailable",
}
_JUDGED: Final = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
_OURS: Final = frozenset({_NOT_READY, _UNREACHABLE, _UNSCHEDULABLE, *_PRESSURES.values()})


def silenced(node: Node, *, silent_for: float, now: datetime) -> list[dict[str, Json]]:
    """The conditions to write on a node whose kubelet fell silent; none once they are written."""
    if silent_for < GRACE:
        return []
    known = {each.type: each for each in node.status.conditions}
    return [
        _unknown(kind, posted=kind in known, now=now)
        for kind in _JUDGED
        if kind not in known or known[kind].status != "Unknown"
    ]


def tainted(node: Node, taints: Sequence[Json], *, now: datetime) -> list[Json]:
    """The node's whole list of taints as its conditions ask for; others' taints stay, in their order."""
    wanted = _wanted(node)
    kept = [
        each for each in taints if each["key"] not in _OURS or (each["key"], each.get("effect", "")) in wanted
    ]
    present = {(each["key"], each.get("effect", "")) for each in kept}
    added = [
        {"key": key, "effect": effect, "timeAdded": rfc3339(now)}
        for key, effect in wanted
        if (key, effect) not in present
    ]
    return kept + added


def eviction_time(pod: Pod, taints: Iterable[Json], *, now: datetime) -> datetime | None:
    """When the node's NoExecute taints drive the pod away; None if they never do."""
    times = [_leaves(pod, each, now=now) for each in taints if each.get("effect") == "NoExecute"]
    return min((each for each in times if each is not None), default=None)


def unready(pod: Pod, *, now: datetime) -> list[dict[str, Json]]:
    """The pod's Ready condition once nobody can tell any more; nothing to write where it is false already."""
    ready = condition(pod, "Ready")
    if is_terminal(pod) or ready is None or ready.status != "True":
        return []
    return [
        {
            "type": "Ready",
            "status": "False",
            "reason": "NodeNotReady",
            "message": "Node is not ready",
            "lastTransitionTime": rfc3339(now),
        }
    ]


def _unknown(kind: str, *, posted: bool, now: datetime) -> dict[str, Json]:
    reason = "NodeStatusUnknown" if posted else "NodeStatusNeverUpdated"
    message = "Kubelet stopped posting node status." if posted else "Kubelet never posted node status."
    return {
        "type": kind,
        "status": "Unknown",
        "reason": reason,
        "message": message,
        "lastTransitionTime": rfc3339(now),
    }


def _wanted(node: Node) -> list[tuple[str, str]]:
    states = {each.type: each.status for each in node.status.conditions}
    wanted = [(key, "NoSchedule") for kind, key in _PRESSURES.items() if states.get(kind) == "True"]
    if node.spec.unschedulable:
        wanted.append((_UNSCHEDULABLE, "NoSchedule"))
    match states.get("Ready"):
        case "True":
            return wanted
        case "Unknown":
            return [*wanted, (_UNREACHABLE, "NoSchedule"), (_UNREACHABLE, "NoExecute")]
        case _:
            return [*wanted, (_NOT_READY, "NoSchedule"), (_NOT_READY, "NoExecute")]


def _leaves(pod: Pod, taint: Json, *, now: datetime) -> datetime | None:
    """At once without a toleration, else after the shortest tolerationSeconds since the taint came."""
    bearing = [each for each in pod.spec.tolerations if _bears(each, taint)]
    if not bearing:
        return now
    seconds = [each.toleration_seconds for each in bearing if each.toleration_seconds is not None]
    if not seconds:
        return None
    since = datetime.fromisoformat(taint["timeAdded"]) if taint.get("timeAdded") else now
    return since + timedelta(seconds=max(0, min(seconds)))


def _bears(toleration: Toleration, taint: Json) -> bool:
    if toleration.effect not in {"", "NoExecute"}:
        return False
    if toleration.operator == "Exists":
        return toleration.key in {"", taint["key"]}
    return (toleration.key, toleration.value) == (taint["key"], taint.get("value", ""))
