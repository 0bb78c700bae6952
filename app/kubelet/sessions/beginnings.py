"""When a container began to run, by what the node says of it. Pure."""

from collections.abc import Sequence
from datetime import datetime

from app.kubelet.routing import ContainerPath
from app.model.pod import Pod


def begun_at(pods: Sequence[Pod], path: ContainerPath) -> datetime | None:
    """When the container's present run began, or its last; None where that is not known."""
    for pod in pods:
        if (pod.metadata.namespace, pod.metadata.name) == (path.namespace, path.pod):
            return _begun_in(pod, path.container)
    return None


def _begun_in(pod: Pod, container: str) -> datetime | None:
    for each in (*pod.status.init_container_statuses, *pod.status.container_statuses):
        if each.get("name") == container:
            state = each.get("state") or {}
            run = state.get("running") or state.get("terminated") or {}
            return datetime.fromisoformat(run["startedAt"]) if run.get("startedAt") else None
    return None
