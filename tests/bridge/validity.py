"""What an API server and a controller would hold against a status: rules of core/v1, written anew for tests.

`ValidateContainerStateTransition` and `ContainerShouldRestart` of Kubernetes 1.36 are the model.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.model.container import Container
from app.model.pod import Pod

STATES = ("waiting", "running", "terminated")
TERMINAL = ("Succeeded", "Failed")


def complaints(pod: Pod, status: Mapping[str, Any]) -> list[str]:
    """What is wrong with writing this status over the pod's; empty where nothing is."""
    found = []
    phase = status.get("phase", pod.status.phase)
    if pod.status.phase in TERMINAL and phase != pod.status.phase:
        found.append(f"phase {pod.status.phase} became {phase}")
    return [
        *found,
        *_of_containers(
            pod, pod.spec.containers, pod.status.container_statuses, status.get("containerStatuses", ())
        ),
        *_of_containers(
            pod,
            pod.spec.init_containers,
            pod.status.init_container_statuses,
            status.get("initContainerStatuses", ()),
        ),
    ]


def _of_containers(
    pod: Pod,
    containers: Sequence[Container],
    before: Sequence[Mapping[str, Any]],
    after: Sequence[Mapping[str, Any]],
) -> Iterable[str]:
    known = {each["name"]: each for each in before}
    specs = {each.name: each for each in containers}
    for each in after:
        name = each["name"]
        if name not in specs:
            yield f"{name} is no container of the pod"
            continue
        states = [kind for kind in STATES if each["state"].get(kind)]
        if len(states) != 1:
            yield f"{name} has the states {states}"
        yield from _of_change(pod, specs[name], known.get(name, {}), each)


def _of_change(
    pod: Pod, container: Container, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterable[str]:
    if after["restartCount"] < before.get("restartCount", 0):
        yield f"{container.name} has fewer restarts than before"
    ended = (before.get("state") or {}).get("terminated") or {}
    regressed = bool(ended) and not after["state"].get("terminated")
    if regressed and not _may_restart(pod, container, ended["exitCode"]):
        yield f"{container.name} may not leave its terminated state ({ended['exitCode']})"
    if "running" not in after["state"] and after["started"]:
        yield f"{container.name} is started and does not run"


def _may_restart(pod: Pod, container: Container, code: int) -> bool:
    policy = container.restart_policy or pod.spec.restart_policy
    return policy == "Always" or (policy == "OnFailure" and code != 0)
