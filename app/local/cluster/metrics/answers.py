"""Usage as NodeMetrics and PodMetrics, at the paths where metrics-server serves them.

https://kubernetes.io/docs/tasks/debug/debug-cluster/resource-metrics-pipeline/#metrics-api
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from app.local.cluster.apiserver import errors
from app.local.cluster.apiserver.access import Attributes
from app.local.cluster.apiserver.api import Api
from app.local.cluster.apiserver.discovery import METRICS_GROUP, METRICS_VERSION
from app.local.cluster.apiserver.objects import Object
from app.local.cluster.apiserver.selectors import matcher
from app.local.cluster.metrics.points import Usage
from app.local.cluster.metrics.scraper import Scraper
from app.model.times import rfc3339

_API_VERSION: Final = f"{METRICS_GROUP}/{METRICS_VERSION}"
_KIBI: Final = 1024


class Metrics:
    """Answers GET requests from what the scraper knows."""

    def __init__(self, api: Api, scraper: Scraper) -> None:
        self._api = api
        self._scraper = scraper

    def wanted(self, path: str) -> Attributes | None:
        """What a path asks for; None for a path that is not the group's. Raises ApiError 404."""
        if not path.startswith(f"/apis/{_API_VERSION}/"):
            return None
        match [part for part in path.split("/") if part][3:]:
            case ["nodes" | "pods" as resource]:
                return _attributes(resource)
            case ["nodes", name]:
                return _attributes("nodes", name=name)
            case ["namespaces", namespace, "pods"]:
                return _attributes("pods", namespace=namespace)
            case ["namespaces", namespace, "pods", name]:
                return _attributes("pods", namespace=namespace, name=name)
            case _:
                raise errors.no_such_resource()

    def answer(self, wanted: Attributes, *, labels: str = "", fields: str = "") -> Object:
        """The metrics of one object, or of those selected. Raises ApiError 400, 404."""
        shown = self._nodes if wanted.resource == "nodes" else self._pods
        if wanted.name:
            fields = f"metadata.name={wanted.name}"
        selected = matcher(wanted.resource, labels=labels, fields=fields)
        objects = self._api.list(wanted.resource, wanted.namespace)
        items = list(shown(each for each in objects if selected is None or selected(each)))
        if not wanted.name:
            kind = "NodeMetricsList" if wanted.resource == "nodes" else "PodMetricsList"
            return {"kind": kind, "apiVersion": _API_VERSION, "metadata": {}, "items": items}
        if not items:
            where = f"{wanted.namespace}/{wanted.name}" if wanted.namespace else wanted.name
            raise errors.not_found(f"{wanted.resource}.{METRICS_GROUP}", where)
        return items[0]

    def _nodes(self, nodes: Iterable[Object]) -> Iterable[Object]:
        for node in nodes:
            usage = self._scraper.node(node["metadata"]["name"])
            if usage is not None:
                yield _head("NodeMetrics", node, usage) | {"usage": _resources(usage)}

    def _pods(self, pods: Iterable[Object]) -> Iterable[Object]:
        for pod in pods:
            metadata = pod["metadata"]
            usages = self._scraper.pod(metadata["namespace"], metadata["name"])
            if usages and pod.get("status", {}).get("phase") == "Running":
                yield _pod(pod, usages)


def _attributes(resource: str, *, namespace: str = "", name: str = "") -> Attributes:
    verb = "get" if name else "list"
    return Attributes(verb=verb, resource=resource, group=METRICS_GROUP, namespace=namespace, name=name)


def _pod(pod: Object, usages: Mapping[str, Usage]) -> Object:
    oldest = min(usages.values(), key=lambda usage: usage.at)
    containers = [{"name": name, "usage": _resources(usage)} for name, usage in sorted(usages.items())]
    return _head("PodMetrics", pod, oldest) | {"containers": containers}


def _head(kind: str, obj: Object, usage: Usage) -> Object:
    kept = ("name", "namespace", "creationTimestamp", "labels")
    metadata = obj["metadata"]
    return {
        "kind": kind,
        "apiVersion": _API_VERSION,
        "metadata": {name: metadata[name] for name in kept if name in metadata},
        "timestamp": rfc3339(datetime.fromtimestamp(usage.at, tz=UTC)),
        "window": f"{usage.window:.3f}s",
    }


def _resources(usage: Usage) -> Object:
    memory = f"{usage.memory // _KIBI}Ki" if usage.memory % _KIBI == 0 else str(usage.memory)
    return {"cpu": f"{usage.cpu}n", "memory": memory}
