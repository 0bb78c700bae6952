"""The node's pods as core/v1 PodLists. Pure.

https://github.com/kubernetes/kubernetes/blob/v1.36.0/pkg/kubelet/server/server.go (getPods, getRunningPods)
"""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

import msgspec

from app.kubelet.messages import Answer
from app.model.pod import Pod
from app.model.wire import Json

_JSON: Final = (("Content-Type", "application/json"),)


def bound_pods(pods: Iterable[Pod]) -> Answer:
    """`/pods`: all that are bound to the node, with spec and status as far as we read them."""
    return _answer([_without_nulls(msgspec.to_builtins(pod)) for pod in pods])


def running_pods(pods: Iterable[Pod]) -> Answer:
    """`/runningpods/`: those of which a container runs, by what a runtime knows: names and images."""
    running = ((pod, _running(pod)) for pod in pods)
    return _answer([_as_runtime(pod, containers) for pod, containers in running if containers])


def _running(pod: Pod) -> list[Json]:
    statuses = (*pod.status.init_container_statuses, *pod.status.container_statuses)
    return [
        {"name": each.get("name", ""), "image": each.get("image", ""), "resources": {}}
        for each in statuses
        if (each.get("state") or {}).get("running") is not None
    ]


def _as_runtime(pod: Pod, containers: list[Json]) -> Json:
    named = {"name": pod.metadata.name, "namespace": pod.metadata.namespace, "uid": pod.uid}
    return {"metadata": named, "spec": {"containers": containers}, "status": {}}


def _answer(items: list[Json]) -> Answer:
    listed = {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items}
    return Answer(status=HTTPStatus.OK, text=msgspec.json.encode(listed).decode(), headers=_JSON)


def _without_nulls(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _without_nulls(each) for name, each in value.items() if each is not None}
    if isinstance(value, list | tuple):
        return [_without_nulls(each) for each in value]
    return value
