"""The virtual node as Kubernetes sees it: manifest, status, and the closed room.

https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/node-v1/
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from app.bridge.config import NodeConfig
from app.model import names
from app.model.grant import written
from app.model.node import Node, Taint, marks_virtual
from app.model.pod import Pod
from app.model.resources import Resources
from app.model.times import rfc3339
from app.model.virtual_node import FLOOR, room
from app.model.wire import Json

_HEALTHY: Final = (
    ("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("NetworkUnavailable", "RouteCreated", "each task has its own network interface"),
)
_VERSION: Final = re.compile(r"v?(?P<major>\d+)\.(?P<minor>\d+)")
_WEBSOCKETS: Final = "ExtendWebSocketsToKubelet"
_WEBSOCKETS_SINCE: Final = (1, 36)
_READY: Final = ("Ready", "KubeletReady", "the bridge is running")


def manifest(config: NodeConfig, *, now: datetime) -> dict[str, Json]:
    """The Node to create: Ready, with a closed allocatable, for one with capacity alone stands open."""
    body = status_body(config, node=None, now=now)
    return {
        **_head(),
        "metadata": {"name": config.name, "labels": labels(config)},
        "spec": _spec(config),
        "status": {**body["status"], "allocatable": FLOOR.wire()},
    }


def metadata_body(config: NodeConfig, node: Node) -> dict[str, Json]:
    """The part of an existing Node that is restored: our labels, and our taint beside the others'.

    The taints are always written, as a whole list: once applied they are ours, and to leave them out of a
    later application would take them away. The uid makes it this node's: without it, one that was removed
    meanwhile would be made anew, of these parts alone.
    """
    others = [_taint(each.key, each.value, each.effect) for each in node.spec.taints if not _is_ours(each)]
    return {
        **_head(),
        "metadata": {"name": config.name, "uid": node.metadata.uid, "labels": labels(config)},
        "spec": {"taints": [*others, _our_taint()]},
    }


def is_intact(config: NodeConfig, node: Node) -> bool:
    """Whether the node has our taint, with its effect, and our labels; others' beside them do not matter."""
    found = node.metadata.labels
    labelled = all(found.get(name) == value for name, value in labels(config).items())
    return labelled and any(_is_ours(each) for each in node.spec.taints)


def labels(config: NodeConfig) -> dict[str, str]:
    """The node's labels. No hostname: with it, hostname spread keeps pods Pending that never opted in."""
    return {
        names.NODE_TYPE_LABEL: names.VIRTUAL_KUBELET,
        names.COMPUTE_TYPE_LABEL: names.COMPUTE_TYPE,
        names.EXCLUDE_FROM_LOAD_BALANCERS: "true",
        names.OS_LABEL: "linux",
        names.ARCH_LABEL: config.architecture,
        names.REGION_LABEL: config.region,
        names.ZONE_LABEL: config.zone,
    }


def status_body(config: NodeConfig, *, node: Node | None, now: datetime) -> dict[str, Json]:
    """The status that the bridge applies to this node: everything but `allocatable`, which is the gate's.

    Only InternalIP is published: the API server prefers names, and ours would not resolve.
    """
    status: dict[str, Json] = {
        "capacity": dict(config.capacity),
        "conditions": conditions(node, now=now),
        "addresses": [{"type": "InternalIP", "address": config.internal_ip}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": config.kubelet_port}},
        "nodeInfo": _node_info(config),
    }
    features = declared_features(config)
    if features:
        status["declaredFeatures"] = features
    identity = {"name": config.name} | ({"uid": node.metadata.uid} if node is not None else {})
    return {**_head(), "metadata": identity, "status": status}


def declared_features(config: NodeConfig) -> list[str]:
    """What API servers may count on; sorted, each once.

    Those before 1.36 do not pass WebSockets on, and those before 1.35 answer an application of the field,
    which they do not know, with 500.

    https://kubernetes.io/docs/concepts/architecture/nodes/#declared-features
    """
    found = _VERSION.match(config.kubelet_version)
    if not config.websockets or found is None:
        return []
    version = (int(found["major"]), int(found["minor"]))
    return [_WEBSOCKETS] if version >= _WEBSOCKETS_SINCE else []


def closed_body(config: NodeConfig, *, bound: Iterable[Pod]) -> dict[str, Json]:
    """No grants, and no room but that of what runs there: what the gate would apply if it stood closed."""
    closed = room(bound=bound, granted=(), daemons=Resources())
    return {
        **_head(),
        "metadata": {"name": config.name, "annotations": {names.GRANTS: written(())}},
        "status": {"allocatable": closed.wire()},
    }


def conditions(node: Node | None, *, now: datetime) -> list[dict[str, Json]]:
    """Ready and the pressures, all well: the node is healthy while we run, whether or not ECS answers."""
    wanted = [(*_READY, "True"), *((*each, "False") for each in _HEALTHY)]
    since = {each.type: each for each in node.status.conditions} if node is not None else {}
    found: list[dict[str, Json]] = []
    for kind, reason, message, status in wanted:
        before = since.get(kind)
        kept = before.last_transition_time if before is not None and before.status == status else None
        found.append(
            {
                "type": kind,
                "status": status,
                "reason": reason,
                "message": message,
                "lastHeartbeatTime": rfc3339(now),
                "lastTransitionTime": rfc3339(kept or now),
            }
        )
    return found


def _head() -> dict[str, Json]:
    return {"apiVersion": "v1", "kind": "Node"}


def _spec(config: NodeConfig) -> dict[str, Json]:
    spec: dict[str, Json] = {"taints": [_our_taint()]}
    if config.provider_id:
        spec["providerID"] = config.provider_id
    return spec


def _is_ours(taint: Taint) -> bool:
    return marks_virtual(taint) and taint.effect == names.TAINT_EFFECT


def _our_taint() -> dict[str, str]:
    return _taint(names.TAINT_KEY, names.TAINT_VALUE, names.TAINT_EFFECT)


def _taint(key: str, value: str, effect: str) -> dict[str, str]:
    return {"key": key, "value": value, "effect": effect} if value else {"key": key, "effect": effect}


def _node_info(config: NodeConfig) -> dict[str, str]:
    """All of NodeSystemInfo's required fields; a machine that does not exist has empty ones."""
    return {
        "machineID": "",
        "systemUUID": "",
        "bootID": "",
        "kernelVersion": "",
        "osImage": "AWS Fargate",
        "containerRuntimeVersion": "fargate://1.4.0",
        "kubeletVersion": config.kubelet_version,
        "kubeProxyVersion": "",
        "operatingSystem": "linux",
        "architecture": config.architecture,
    }
