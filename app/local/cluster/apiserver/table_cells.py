"""The texts inside table cells: ages, pod states, counts and selectors, as `kubectl get` has them."""

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from app.local.cluster.apiserver.objects import Object

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "y": 365 * 86_400}
_STEPS: Final = (
    (120, "s", ""),
    (600, "m", "s"),
    (3 * 3600, "m", ""),
    (8 * 3600, "h", "m"),
    (48 * 3600, "h", ""),
    (8 * 86_400, "d", "h"),
    (2 * 365 * 86_400, "d", ""),
    (8 * 365 * 86_400, "y", "d"),
    (math.inf, "y", ""),
)
"""Up to how many seconds a duration is told in which unit, and in which smaller one beside it."""


def age(timestamp: str | None, now: datetime) -> str:
    """How long ago, in kubectl's short form; "<unknown>" without a time."""
    if not timestamp:
        return "<unknown>"
    return duration(int((now - datetime.fromisoformat(timestamp)).total_seconds()))


def duration(seconds: int) -> str:
    """Seconds as kubectl prints them: 119s, 9m5s, 2h59m, 47h, 7d23h, 729d, 3y5d."""
    if seconds < 0:
        return "0s" if seconds >= -1 else "<invalid>"
    return next(_compound(seconds, unit, below) for limit, unit, below in _STEPS if seconds < limit)


def _compound(seconds: int, unit: str, below: str) -> str:
    whole, rest = divmod(seconds, _UNITS[unit])
    small = rest // _UNITS[below] if below else 0
    return f"{whole}{unit}{small}{below}" if small else f"{whole}{unit}"


def pod_reason(pod: Object) -> str:
    """The Status column of a pod."""
    status = pod.get("status", {})
    conditions = {each["type"]: each for each in status.get("conditions", ())}
    phase = status.get("phase", "")
    reason = status.get("reason") or phase
    if conditions.get("PodScheduled", {}).get("reason") == "SchedulingGated":
        reason = "SchedulingGated"
    starting = _init_reason(pod)
    if starting and conditions.get("Initialized", {}).get("status") != "True":
        reason = starting
    else:
        reason = _container_reason(status, reason, ready=conditions.get("Ready", {}).get("status") == "True")
    if "deletionTimestamp" in pod["metadata"]:
        if status.get("reason") == "NodeLost":
            return "Unknown"
        if phase not in {"Succeeded", "Failed"}:
            return "Terminating"
    return reason


def _init_reason(pod: Object) -> str:
    """What initialization waits for, or failed of; "" where it is over."""
    sidecars = {
        each["name"]
        for each in pod["spec"].get("initContainers", ())
        if each.get("restartPolicy") == "Always"
    }
    for index, container in enumerate(pod.get("status", {}).get("initContainerStatuses", ())):
        state = container.get("state", {})
        ended, waiting = state.get("terminated"), state.get("waiting")
        if ended is not None and ended.get("exitCode") == 0:
            continue
        if container["name"] in sidecars and container.get("started"):
            continue
        if ended is not None:
            return f"Init:{_end_of(ended)}"
        if waiting is not None and waiting.get("reason", "PodInitializing") != "PodInitializing":
            return f"Init:{waiting['reason']}"
        return f"Init:{index}/{len(pod['spec'].get('initContainers', ()))}"
    return ""


def _container_reason(status: Object, reason: str, *, ready: bool) -> str:
    running, failed = False, ""
    for container in reversed(status.get("containerStatuses", [])):
        state = container.get("state", {})
        ended, waiting = state.get("terminated"), state.get("waiting")
        if waiting is not None and waiting.get("reason"):
            reason = waiting["reason"]
        elif ended is not None:
            reason = _end_of(ended)
            failed = reason if ended.get("exitCode") else failed
        elif container.get("ready") and state.get("running") is not None:
            running = True
    if reason != "Completed":
        return reason
    if running and ready:
        return "Running"
    return failed or ("NotReady" if running else reason)


def _end_of(terminated: Object) -> str:
    if terminated.get("reason"):
        return str(terminated["reason"])
    if terminated.get("signal"):
        return f"Signal:{terminated['signal']}"
    return f"ExitCode:{terminated.get('exitCode', 0)}"


def ready_containers(spec: Object, status: Object) -> str:
    """The Ready column of a pod: containers, and sidecars among the init containers."""
    sidecars = {
        each["name"] for each in spec.get("initContainers", ()) if each.get("restartPolicy") == "Always"
    }
    ready = sum(
        bool(each.get("ready")) and "running" in each.get("state", {})
        for each in status.get("containerStatuses", ())
    )
    ready += sum(
        bool(each.get("ready") and each.get("started"))
        for each in status.get("initContainerStatuses", ())
        if each["name"] in sidecars
    )
    return f"{ready}/{len(spec.get('containers', ())) + len(sidecars)}"


def restarts(status: Object, now: datetime) -> str:
    """The Restarts column of a pod, with the age of the last one."""
    statuses = status.get("containerStatuses", [])
    count = sum(each.get("restartCount", 0) for each in statuses)
    ends = [(each.get("lastState") or {}).get("terminated", {}).get("finishedAt") for each in statuses]
    known = [each for each in ends if each]
    return f"{count} ({age(max(known), now)} ago)" if count and known else str(count)


def roles(labels: Mapping[str, str]) -> str:
    """The Roles column of a node."""
    prefix = "node-role.kubernetes.io/"
    found = {key.removeprefix(prefix) for key in labels if key.startswith(prefix) and key != prefix}
    if labels.get("kubernetes.io/role"):
        found.add(labels["kubernetes.io/role"])
    return ",".join(sorted(found))


def addresses(status: Object, kind: str) -> str:
    """The first address of a kind, or <none>."""
    found = [each["address"] for each in status.get("addresses", ()) if each["type"] == kind]
    return str(found[0]) if found else "<none>"


def containers(spec: Object) -> list[Object]:
    """The containers of a workload's template."""
    found: list[Object] = spec.get("template", {}).get("spec", {}).get("containers", [])
    return found


def container_names(parts: Iterable[Object]) -> str:
    """Names, joined."""
    return ",".join(each.get("name", "") for each in parts)


def images(parts: Iterable[Object]) -> str:
    """Images, joined."""
    return ",".join(each.get("image", "") for each in parts)


def labels_text(labels: Mapping[str, str]) -> str:
    """Labels as `a=b,c=d`, or <none>."""
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items())) or "<none>"


def selector_text(selector: Object) -> str:
    """A label selector as the query string that selects the same."""
    terms = [(key, f"{key}={value}") for key, value in selector.get("matchLabels", {}).items()]
    for each in selector.get("matchExpressions", ()):
        values = f"({','.join(sorted(each.get('values', ())))})"
        word = {"In": f" in {values}", "NotIn": f" notin {values}"}.get(each["operator"], "")
        bang = "!" if each["operator"] == "DoesNotExist" else ""
        terms.append((each["key"], f"{bang}{each['key']}{word}"))
    return ",".join(text for _, text in sorted(terms)) or "<none>"


def ports_text(ports: Iterable[Object]) -> str:
    """Service ports as `80:30080/TCP`, or <none>."""
    found = [
        f"{each['port']}{':{}'.format(each['nodePort']) if each.get('nodePort') else ''}"
        f"/{each.get('protocol', 'TCP')}"
        for each in ports
    ]
    return ",".join(found) or "<none>"


def source_text(event: Object) -> str:
    """Who reported an event: component and host."""
    source = event.get("source") or {}
    component = source.get("component") or event.get("reportingComponent", "")
    host = source.get("host") or event.get("reportingInstance", "")
    return f"{component}, {host}" if host else component
