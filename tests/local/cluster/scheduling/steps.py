"""What the contract tests do to a cluster, step by step."""

import itertools
from typing import Any

from app.model.names import TAINT_EFFECT, TAINT_KEY, TAINT_VALUE
from app.wiring.clock import SystemClock
from tests.local.cluster.scheduling.clusters import Cluster, eventually

HOST = "kubernetes.io/hostname"
READY = {"type": "Ready", "status": "True", "reason": "KubeletReady"}
_serial = itertools.count(1)


def a_container(name: str, resources: Any) -> dict[str, Any]:
    """A container that asks for these resources."""
    return {"name": name, "image": "app", "resources": resources}


async def emptied(cluster: Cluster) -> None:
    """Take all pods and nodes away, and let the scheduler see it."""
    for pod in await cluster.list("pods"):
        await cluster.delete("pods", pod["metadata"]["namespace"], pod["metadata"]["name"])
    for node in await cluster.list("nodes"):
        await cluster.delete("nodes", "", node["metadata"]["name"])
    await SystemClock().sleep(0.3)


async def add_node(cluster: Cluster, name: str, *, virtual: bool = False, **room: str) -> None:
    """A ready node; `virtual` gives it the provider taint and no host name."""
    labels = {"kubernetes.io/os": "linux"} | ({} if virtual else {HOST: name})
    taints = [{"key": TAINT_KEY, "value": TAINT_VALUE, "effect": TAINT_EFFECT}] if virtual else []
    body = {"metadata": {"name": name, "labels": labels}, "spec": {"taints": taints}}
    await cluster.create("nodes", "", body)
    await set_room(cluster, name, **room)
    await cluster.patch("nodes", "", name, {"status": {"conditions": [READY]}}, status=True)
    await cluster.patch("nodes", "", name, {"spec": {"taints": taints}})


async def set_room(cluster: Cluster, name: str, **room: str) -> None:
    amounts = {"cpu": "1", "memory": "4Gi", "pods": "10", **room}
    status = {"status": {"capacity": amounts, "allocatable": amounts}}
    await cluster.patch("nodes", "", name, status, status=True)


async def add_pod(
    cluster: Cluster, *, cpu: str = "600m", labels: Any = None, resources: Any = None, **spec: Any
) -> str:
    """A pod that dies at once when it is deleted, asking for `resources` besides the cpu; its name."""
    name = f"pod-{next(_serial)}"
    more: dict[str, Any] = resources or {}
    requests = {"cpu": cpu, **more.get("requests", {})}
    container = {"name": "main", "image": "app", "resources": {**more, "requests": requests}}
    await cluster.create(
        "pods",
        "default",
        {
            "metadata": {"name": name, "labels": labels or {}},
            "spec": {"containers": [container], "terminationGracePeriodSeconds": 0, **spec},
        },
    )
    return name


async def node_of(cluster: Cluster, pod: str, *, within: float = 60.0) -> str:
    async def bound() -> str:
        found = await cluster.get("pods", "default", pod)
        return str((found or {}).get("spec", {}).get("nodeName", ""))

    return str(await eventually(bound, within=within))


async def scheduled_condition(cluster: Cluster, pod: str) -> tuple[str, str]:
    """(reason, message) of the pod's `PodScheduled=False`."""

    async def told() -> tuple[str, str] | None:
        found = await cluster.get("pods", "default", pod)
        conditions = (found or {}).get("status", {}).get("conditions") or ()
        said = [each for each in conditions if each["type"] == "PodScheduled" and each["status"] == "False"]
        return (said[0]["reason"], said[0]["message"]) if said else None

    return (await eventually(told)) or ("", "")
