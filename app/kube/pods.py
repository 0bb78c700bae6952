"""Pods (`app.ports.kubernetes.Pods` for those on our nodes, `PendingPods` for those without one).

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
"""

from collections.abc import Mapping, Sequence

from app.kube import paths
from app.kube.answers import decoded
from app.kube.transport import JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH, Transport
from app.model.pod import Pod
from app.model.wire import Json
from app.ports.failures import Conflict, NotFound


class Pods:
    """Reads and patches; a uid that no longer fits answers Conflict."""

    def __init__(self, connection: Transport) -> None:
        self._connection = connection

    async def get(self, namespace: str, name: str) -> Pod:
        """A consistent read. Raises NotFound."""
        path = paths.pod(namespace, name)
        return decoded(await self._connection.request("GET", path), Pod, asked=f"GET {path}")

    async def amend(
        self,
        pod: Pod,
        *,
        annotations: Mapping[str, str],
        tolerations: Sequence[Json] | None = None,
    ) -> Pod:
        """Set annotations and, where given, the whole list of tolerations.

        The API server lets a bound pod's tolerations grow, and a tolerationSeconds change, nothing else.
        Raises NotFound, Conflict; Refused for tolerations that take something away.
        """
        body: dict[str, Json] = {"metadata": {"uid": pod.uid, "annotations": dict(annotations)}}
        if tolerations is not None:
            body["spec"] = {"tolerations": list(tolerations)}
        return await self._patch(paths.pod(pod.metadata.namespace, pod.metadata.name), body, kind=MERGE_PATCH)

    async def tolerate(self, pod: Pod, toleration: Mapping[str, Json]) -> Pod:
        """Add a toleration behind those that the pod has. Raises NotFound, Conflict.

        The patch names no toleration but the new one: fields of the others that we do not know stay as they
        are. uid and resourceVersion are written as read, which makes them preconditions: so nothing that
        others add meanwhile is lost, and a repeated patch adds nothing twice.
        """
        path = paths.pod(pod.metadata.namespace, pod.metadata.name)
        return await self._patch(path, _appended(pod, toleration), kind=JSON_PATCH)

    async def set_status(self, pod: Pod, status: Mapping[str, Json]) -> Pod:
        """Strategic merge patch of the status; conditions merge by type. Raises NotFound, Conflict."""
        body = {"metadata": {"uid": pod.uid}, "status": dict(status)}
        path = f"{paths.pod(pod.metadata.namespace, pod.metadata.name)}/status"
        return await self._patch(path, body, kind=STRATEGIC_MERGE_PATCH)

    async def remove(self, pod: Pod) -> None:
        """DELETE with grace 0 and the uid as precondition; gone or replaced already is success."""
        body = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "gracePeriodSeconds": 0,
            "preconditions": {"uid": pod.uid},
        }
        path = paths.pod(pod.metadata.namespace, pod.metadata.name)
        try:
            await self._connection.request("DELETE", path, body=body)
        except (NotFound, Conflict):
            return

    async def _patch(self, path: str, body: Json, *, kind: str) -> Pod:
        data = await self._connection.request("PATCH", path, body=body, content_type=kind)
        return decoded(data, Pod, asked=f"PATCH {path}")


def _appended(pod: Pod, toleration: Mapping[str, Json]) -> list[dict[str, Json]]:
    """RFC 6902; `add` creates the list where there is none, for `-` needs one."""
    where, value = (
        ("/spec/tolerations/-", toleration) if pod.spec.tolerations else ("/spec/tolerations", [toleration])
    )
    return [
        {"op": "add", "path": "/metadata/uid", "value": pod.uid},
        {"op": "add", "path": "/metadata/resourceVersion", "value": pod.metadata.resource_version},
        {"op": "add", "path": where, "value": value},
    ]
