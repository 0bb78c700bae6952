"""Placeholder pods and their PriorityClass (`app.ports.kubernetes.Placeholders`).

https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/#priorityclass
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from app.kube import paths
from app.kube.pods import Pods
from app.kube.transport import Transport
from app.model.pod import Pod
from app.model.setting import named
from app.model.wire import Json
from app.ports.failures import Conflict

DESCRIPTION: Final = "Spillway's placeholders: they ask for nodes, and give way to everybody."

_POLICY: Final = "Never"


class Placeholders:
    """Creates and deletes pods of Spillway's own namespace."""

    def __init__(self, connection: Transport) -> None:
        self._connection = connection
        self._pods = Pods(connection)

    async def create(self, manifest: Mapping[str, Json]) -> None:
        """Create the pod. Raises Conflict where it is there already, Refused."""
        path = paths.pods(manifest["metadata"]["namespace"])
        await self._connection.request("POST", path, body=dict(manifest))

    async def remove(self, pod: Pod) -> None:
        """DELETE with grace 0 and the uid as precondition; gone or replaced already is success."""
        await self._pods.remove(pod)

    async def ensure_priority(self, name: str, *, value: int) -> None:
        """Create the PriorityClass, or see that the one of that name is as ours would be.

        Raises Conflict where it is another's, with the mend, and Refused where RBAC does not let us.
        """
        body = {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": name},
            "value": value,
            "preemptionPolicy": _POLICY,
            "description": DESCRIPTION,
        }
        try:
            await self._connection.request("POST", paths.PRIORITY_CLASSES, body=body)
        except Conflict:
            found = await self._connection.request("GET", paths.priority_class(name))
            _see_that_it_is_ours(msgspec.json.decode(found, type=dict[str, Json]), name, value)


def _see_that_it_is_ours(found: Mapping[str, Json], name: str, value: int) -> None:
    has, policy = found.get("value", 0), found.get("preemptionPolicy", "PreemptLowerPriority")
    if (has, policy) != (value, _POLICY):
        raise Conflict(
            f"PriorityClass {name} is there with value {has} and preemptionPolicy {policy}, where "
            f"placeholders need {value} and {_POLICY}: delete it, or "
            f"name another with {named('extender', 'placeholder_priority_class')}"
        )
