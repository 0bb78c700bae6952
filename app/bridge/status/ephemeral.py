"""Ephemeral containers (`kubectl debug`), which a task cannot take up: they wait for ever, and say why.

https://kubernetes.io/docs/concepts/workloads/pods/ephemeral-containers/
"""

from collections.abc import Iterable
from typing import Final

from app.model.pod import Pod
from app.model.wire import Json

UNSUPPORTED: Final = "EphemeralContainersUnsupported"
"""What such a container waits for, and the Event's reason."""

_MESSAGE: Final = (
    "Fargate adds no container to a task that runs; use kubectl exec, "
    "or kubectl debug --copy-to for a new pod"
)


def named(pod: Pod) -> frozenset[str]:
    """The names of the pod's ephemeral containers."""
    return frozenset(str(each["name"]) for each in pod.spec.ephemeral_containers)


def statuses(pod: Pod) -> list[dict[str, Json]]:
    """A status for each, waiting; `kubectl debug` prints the message."""
    return [
        {
            "name": str(each["name"]),
            "image": str(each.get("image", "")),
            "imageID": "",
            "ready": False,
            "restartCount": 0,
            "lastState": {},
            "state": {"waiting": {"reason": UNSUPPORTED, "message": _MESSAGE}},
        }
        for each in pod.spec.ephemeral_containers
    ]


def news(pod: Pod) -> Iterable[str]:
    """The Event's message for each that the pod's status does not tell of yet."""
    told = {each.get("name") for each in pod.status.ephemeral_container_statuses}
    return [
        f"ephemeral container {each['name']}: {_MESSAGE}"
        for each in pod.spec.ephemeral_containers
        if each["name"] not in told
    ]
