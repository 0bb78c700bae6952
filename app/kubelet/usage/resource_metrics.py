"""`GET /metrics/resource`: what metrics-server reads. Pure.

https://kubernetes.io/docs/reference/instrumentation/node-metrics/ and
https://github.com/kubernetes/kubernetes/blob/v1.36.0/pkg/kubelet/metrics/collectors/resource_metrics.go
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from app.model.usage import ContainerUsage, NodeUsage, PodUsage

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CPU: Final = "Cumulative cpu time consumed by the {} in core-seconds"
_MEMORY: Final = "Current working set of the {} in bytes"

_Row = tuple[str, float, datetime | None]
"""Labels as text, the value, and when it was measured; None for what is no measurement."""


def resource_metrics(node: NodeUsage, pods: Sequence[PodUsage]) -> str:
    """The exposition in text format 0.0.4; times of measurements in milliseconds.

    A node on which nothing was measured yet is left out: metrics-server would take its zeros as an error.
    """
    nodes = [node] if node.working_set else []
    containers = [(pod, each) for pod in pods for each in pod.containers]
    families = (
        _family("node_cpu_usage_seconds_total", "counter", _CPU.format("node"), _node_cpu(nodes)),
        _family("node_memory_working_set_bytes", "gauge", _MEMORY.format("node"), _node_memory(nodes)),
        _family(
            "container_start_time_seconds",
            "gauge",
            "Start time of the container since unix epoch in seconds",
            ((_of(pod, each), _seconds(each.started), None) for pod, each in containers),
        ),
        _family(
            "container_cpu_usage_seconds_total",
            "counter",
            _CPU.format("container"),
            ((_of(pod, each), each.cpu_seconds, each.at) for pod, each in containers),
        ),
        _family(
            "container_memory_working_set_bytes",
            "gauge",
            _MEMORY.format("container"),
            ((_of(pod, each), each.working_set, each.at) for pod, each in containers),
        ),
        _family("pod_cpu_usage_seconds_total", "counter", _CPU.format("pod"), _pod_cpu(pods)),
        _family("pod_memory_working_set_bytes", "gauge", _MEMORY.format("pod"), _pod_memory(pods)),
        _family(
            "resource_scrape_error",
            "gauge",
            "1 if there was an error while getting container metrics, 0 otherwise",
            [("", 0, None)],
        ),
    )
    return "".join(f"{line}\n" for family in families for line in family)


def _node_cpu(nodes: Iterable[NodeUsage]) -> Iterator[_Row]:
    return (("", each.cpu_seconds, each.at) for each in nodes)


def _node_memory(nodes: Iterable[NodeUsage]) -> Iterator[_Row]:
    return (("", each.working_set, each.at) for each in nodes)


def _pod_cpu(pods: Iterable[PodUsage]) -> Iterator[_Row]:
    return ((_of(pod), sum(each.cpu_seconds for each in pod.containers), _newest(pod)) for pod in pods)


def _pod_memory(pods: Iterable[PodUsage]) -> Iterator[_Row]:
    return ((_of(pod), sum(each.working_set for each in pod.containers), _newest(pod)) for pod in pods)


def _family(name: str, kind: str, words: str, rows: Iterable[_Row]) -> Iterator[str]:
    """A metric with its samples; nothing at all where it has none."""
    for number, (labels, value, at) in enumerate(rows):
        if not number:
            yield f"# HELP {name} [STABLE] {words}"
            yield f"# TYPE {name} {kind}"
        yield f"{name}{labels} {value:.10g}{_time(at)}"


def _of(pod: PodUsage, container: ContainerUsage | None = None) -> str:
    """Labels; Kubernetes' names need no escaping."""
    own = f'container="{container.name}",' if container is not None else ""
    return f'{{{own}namespace="{pod.namespace}",pod="{pod.name}"}}'


def _newest(pod: PodUsage) -> datetime:
    return max(each.at for each in pod.containers)


def _seconds(at: datetime) -> float:
    return (at - _EPOCH).total_seconds()


def _time(at: datetime | None) -> str:
    return "" if at is None else f" {(at - _EPOCH) // timedelta(milliseconds=1)}"
