"""`GET /stats/summary`: the kubelet's Summary API. Pure.

https://github.com/kubernetes/kubernetes/blob/v1.36.0/staging/src/k8s.io/kubelet/pkg/apis/stats/v1alpha1/types.go
"""

from collections.abc import Sequence
from datetime import datetime

from app.model.times import rfc3339
from app.model.usage import ContainerUsage, NodeUsage, PodUsage
from app.model.wire import Json

_NANO = 1_000_000_000


def summary(node: NodeUsage, pods: Sequence[PodUsage]) -> dict[str, Json]:
    """A Summary: CPU in nanocores and core nanoseconds, memory in bytes; what is not measured is absent."""
    return {
        "node": {
            "nodeName": node.name,
            "startTime": rfc3339(node.started),
            "cpu": _cpu(node.at, seconds=node.cpu_seconds, cores=node.cores),
            "memory": _memory(node.at, node.working_set),
        },
        "pods": [_pod(each) for each in pods],
    }


def _pod(pod: PodUsage) -> dict[str, Json]:
    at = max(each.at for each in pod.containers)
    known = [each.cores for each in pod.containers if each.cores is not None]
    cores = sum(known) if len(known) == len(pod.containers) else None
    return {
        "podRef": {"name": pod.name, "namespace": pod.namespace, "uid": pod.uid},
        "startTime": rfc3339(pod.started),
        "containers": [_container(each) for each in pod.containers],
        "cpu": _cpu(at, seconds=sum(each.cpu_seconds for each in pod.containers), cores=cores),
        "memory": _memory(at, sum(each.working_set for each in pod.containers)),
    }


def _container(container: ContainerUsage) -> dict[str, Json]:
    return {
        "name": container.name,
        "startTime": rfc3339(container.started),
        "cpu": _cpu(container.at, seconds=container.cpu_seconds, cores=container.cores),
        "memory": _memory(container.at, container.working_set),
    }


def _cpu(at: datetime, *, seconds: float, cores: float | None) -> dict[str, Json]:
    lately = {} if cores is None else {"usageNanoCores": round(cores * _NANO)}
    return {"time": rfc3339(at), **lately, "usageCoreNanoSeconds": round(seconds * _NANO)}


def _memory(at: datetime, working_set: int) -> dict[str, Json]:
    return {"time": rfc3339(at), "workingSetBytes": working_set}
