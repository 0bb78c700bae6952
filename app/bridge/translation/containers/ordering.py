"""In which order a task's containers start and stop, and whose end is the task's.

A kubelet runs init containers one by one, starts sidecars among them without waiting for their end, then the
main containers; on the way down the sidecars go last, the later ones first. ECS's `dependsOn` says the same,
and is followed backwards when a task stops.
https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/ and
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDependency.html
"""

from collections.abc import Mapping, Sequence

from app.bridge.translation.containers import health
from app.bridge.translation.containers.helper import restart_policy
from app.bridge.translation.containers.parts import Part
from app.model.names import INSTALL_CONTAINER, KEEPER_CONTAINER
from app.model.pod import Pod


def dependencies(parts: Sequence[Part], *, installed: bool, kept: bool) -> Mapping[str, list[dict[str, str]]]:
    """What each container waits for, by its name, as ECS's `dependsOn`.

    Each waits for every sidecar before it, not only for the last: only direct dependencies hold on the way
    down.

    Args:
        parts: in the pod's order, init containers first.
        installed: whether the helper's files come first.
        kept: whether the keeper prints records: it must be there for them, and outlive who writes them.
    """
    found: dict[str, list[dict[str, str]]] = {}
    last = _on(INSTALL_CONTAINER, "SUCCESS") if installed else None
    running = [_on(KEEPER_CONTAINER, "START")] if kept else []
    for part in parts:
        found[part.name] = [*([last] if last else []), *running]
        if part.role == "init":
            last = _on(part.name, "SUCCESS")
        elif part.role == "sidecar":
            awaited = health.is_awaited(part.container)
            running.append(_on(part.name, "HEALTHY" if awaited else "START"))
    return found


def end_by_themselves(pod: Pod) -> bool:
    """Whether the pod has several main containers of which some may end before the others.

    None of them can be essential then, for ECS ends a task with its first essential container; the keeper is,
    and waits for all of them.
    """
    policies = {restart_policy(each, pod=pod) for each in pod.spec.containers}
    return len(pod.spec.containers) > 1 and policies != {"Always"}


def _on(name: str, condition: str) -> dict[str, str]:
    return {"containerName": name, "condition": condition}
