"""What the kubelet and the Services ask the API server, as a cluster admin, in plain JSON."""

import json
from base64 import b64decode
from typing import Any

from app.kube.connection import Connection
from app.kube.transport import JSON, MERGE_PATCH
from app.ports.failures import NotFound

Json = dict[str, Any]


class Cluster:
    """A few requests."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get(self, path: str, **query: str) -> Json:
        """An object or a list."""
        return dict(json.loads(await self._connection.request("GET", path, query=query)))

    async def pods(self, **query: str) -> list[Json]:
        """Pods of all namespaces."""
        return list((await self.get("/api/v1/pods", **query))["items"])

    async def set_status(self, pod: Json, status: Json) -> None:
        """Write into a pod's status; nothing where the pod is gone."""
        body = {"metadata": {"uid": pod["metadata"]["uid"]}, "status": status}
        await self._unless_gone("PATCH", f"{path_of(pod)}/status", body, MERGE_PATCH)

    async def remove(self, pod: Json) -> None:
        """The last step of a deletion, which is the kubelet's."""
        body = {"gracePeriodSeconds": 0, "preconditions": {"uid": pod["metadata"]["uid"]}}
        await self._unless_gone("DELETE", path_of(pod), body, JSON)

    async def data(self, kind: str, namespace: str, name: str) -> dict[str, bytes] | None:
        """The keys of a Secret (`secrets`) or ConfigMap (`configmaps`); None where there is none."""
        try:
            found = await self.get(f"/api/v1/namespaces/{namespace}/{kind}/{name}")
        except NotFound:
            return None
        data = found.get("data", {})
        return {key: b64decode(text) if kind == "secrets" else text.encode() for key, text in data.items()}

    async def token(self, pod: Json, source: Json) -> bytes:
        """A token of the pod's service account that is bound to the pod, as the projected volume asks."""
        namespace, account = pod["metadata"]["namespace"], pod["spec"]["serviceAccountName"]
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
        bound = {"kind": "Pod", "apiVersion": "v1"} | {key: pod["metadata"][key] for key in ("name", "uid")}
        audience = {"audiences": [source["audience"]]} if "audience" in source else {}
        spec = {"expirationSeconds": source["expirationSeconds"], "boundObjectRef": bound} | audience
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        answer = json.loads(await self._connection.request("POST", path, body=body))
        return str(answer["status"]["token"]).encode()

    async def _unless_gone(self, method: str, path: str, body: Json, content_type: str) -> None:
        try:
            await self._connection.request(method, path, body=body, content_type=content_type)
        except NotFound:
            return


def path_of(pod: Json) -> str:
    """Where the pod lives."""
    return f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
