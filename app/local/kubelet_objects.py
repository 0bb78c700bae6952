"""What a fake kubelet writes: its Node, the node's status, its pods' statuses; pure functions of values."""

from datetime import datetime
from typing import Final

import msgspec

from app.local.loopback import LOOPBACK
from app.model.names import ARCH_LABEL, OS_LABEL, REGION_LABEL, ZONE_LABEL
from app.model.pod import Pod, condition
from app.model.quantity import QuantityError, exact
from app.model.times import rfc3339
from app.model.wire import Json

RUN_SECONDS: Final = "local.spillway.dev/run-seconds"
"""Pod annotation: the fake containers end with exit code 0 after so many seconds."""

_PRESSURES: Final = ("MemoryPressure", "DiskPressure", "PIDPressure")


class FakeNode(msgspec.Struct, frozen=True, kw_only=True):
    """One node; quantities as Kubernetes writes them."""

    name: str
    cpu: str = "2"
    memory: str = "4Gi"
    zone: str = "us-east-1a"
    pods: int = 110


def require_quantities(fake: FakeNode) -> None:
    """Raise ValueError where the node's cpu or memory is no quantity."""
    for name, text in (("cpu", fake.cpu), ("memory", fake.memory)):
        try:
            exact(text)
        except QuantityError as error:
            raise ValueError(f"the {name} of node {fake.name}: {error}") from error


def node_manifest(fake: FakeNode) -> dict[str, Json]:
    """The Node as a kubelet on EC2 registers it."""
    labels = {
        OS_LABEL: "linux",
        ARCH_LABEL: "amd64",
        "kubernetes.io/hostname": fake.name,
        "node.kubernetes.io/instance-type": "m5.large",
        REGION_LABEL: fake.zone[:-1],
        ZONE_LABEL: fake.zone,
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": fake.name, "labels": labels},
        "spec": {"providerID": f"aws:///{fake.zone}/i-{fake.name}"},
    }


def status_manifest(fake: FakeNode, *, now: datetime) -> dict[str, Json]:
    """The status of a healthy node, for server-side apply."""
    room = {"cpu": fake.cpu, "memory": fake.memory, "pods": str(fake.pods), "ephemeral-storage": "100Gi"}
    info = {
        "kubeletVersion": "v1.36.0",
        "containerRuntimeVersion": "fake://1",
        "operatingSystem": "linux",
        "architecture": "amd64",
        **dict.fromkeys(
            ("machineID", "systemUUID", "bootID", "kernelVersion", "osImage", "kubeProxyVersion"), ""
        ),
    }
    conditions = [
        *(_condition(kind, now, status="False", reason="Sufficient") for kind in _PRESSURES),
        _condition("Ready", now, status="True", reason="KubeletReady"),
    ]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": fake.name},
        "status": {
            "capacity": room,
            "allocatable": room,
            "conditions": [{**each, "lastHeartbeatTime": rfc3339(now)} for each in conditions],
            "nodeInfo": info,
        },
    }


def running(pod: Pod, *, started: datetime, now: datetime, address: str) -> dict[str, Json]:
    """The status of a pod whose containers all run since `started`, and are ready since now."""
    state = {"running": {"startedAt": rfc3339(started)}}
    kinds = ("PodReadyToStartContainers", "Initialized", "ContainersReady", "Ready")
    return {
        "phase": "Running",
        "hostIP": LOOPBACK,
        "hostIPs": [{"ip": LOOPBACK}],
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": rfc3339(started),
        "conditions": [_condition(kind, now, status="True") for kind in kinds],
        "containerStatuses": _container_statuses(pod, state, ready=True),
    }


def ended(pod: Pod, *, began: datetime, now: datetime) -> dict[str, Json]:
    """The status of a pod whose containers all ended well."""
    over = {"exitCode": 0, "reason": "Completed", "startedAt": rfc3339(began), "finishedAt": rfc3339(now)}
    kinds = ("ContainersReady", "Ready")
    return {
        "phase": "Succeeded",
        "conditions": [_condition(kind, now, status="False", reason="PodCompleted") for kind in kinds],
        "containerStatuses": _container_statuses(pod, {"terminated": over}, ready=False),
    }


def run_seconds(pod: Pod) -> float | None:
    """How long the pod's containers run; None for ever, which an unreadable annotation means as well."""
    try:
        return max(0.0, float(pod.metadata.annotations[RUN_SECONDS]))
    except (KeyError, ValueError):
        return None


def says_ready(pod: Pod) -> bool:
    """Whether the pod's condition Ready is True."""
    ready = condition(pod, "Ready")
    return ready is not None and ready.status == "True"


def _container_statuses(pod: Pod, state: dict[str, Json], *, ready: bool) -> list[Json]:
    return [
        {
            "name": container.name,
            "image": container.image,
            "imageID": container.image,
            "containerID": f"fake://{pod.uid}/{container.name}",
            "ready": ready,
            "started": ready,
            "restartCount": 0,
            "state": state,
        }
        for container in pod.spec.containers
    ]


def _condition(kind: str, now: datetime, *, status: str, reason: str = "") -> dict[str, Json]:
    condition = {"type": kind, "status": status, "lastTransitionTime": rfc3339(now)}
    return condition | ({"reason": reason} if reason else {})
