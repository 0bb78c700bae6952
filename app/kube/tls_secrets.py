"""The issuer's Secrets (`app.ports.issuing.TlsSecrets`).

Needs `get` and `patch` on them by name, and `create` where nobody else makes them.

https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/secret-v1/
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from app.kube import paths
from app.kube.transport import MERGE_PATCH, Transport
from app.model.objects import Secret
from app.model.wire import Json
from app.ports.failures import NotFound, Unavailable

MANAGER: Final = "spillway-issuer"

_LABELS: Final = {
    "app.kubernetes.io/name": "spillway",
    "app.kubernetes.io/component": "issuer",
    "app.kubernetes.io/managed-by": MANAGER,
    "app.kubernetes.io/part-of": "spillway",
}


class TlsSecrets:
    """Reads and patches. What a Secret holds never gets into a failure."""

    def __init__(self, connection: Transport, *, namespace: str) -> None:
        self._connection = connection
        self._namespace = namespace

    async def read(self, name: str) -> Secret | None:
        """A consistent read."""
        path = paths.secret(self._namespace, name)
        try:
            data = await self._connection.request("GET", path)
        except NotFound:
            return None
        try:
            return msgspec.json.decode(data, type=Secret)
        except msgspec.MsgspecError:
            raise Unavailable(f"GET {path}: the answer is not a Secret") from None

    async def create(self, name: str, data: Mapping[str, bytes], *, annotations: Mapping[str, str]) -> None:
        """POST, as an Opaque Secret with our labels."""
        body: dict[str, Json] = {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "Opaque",
            "metadata": {"name": name, "labels": _LABELS, "annotations": dict(annotations)},
            "data": dict(data),
        }
        path = paths.secrets(self._namespace)
        await self._connection.request("POST", path, query={"fieldManager": MANAGER}, body=body)

    async def change(
        self, secret: Secret, data: Mapping[str, bytes | None], *, annotations: Mapping[str, str]
    ) -> None:
        """A merge patch; for its resourceVersion the API server answers 409 where there is another by now."""
        metadata = {"resourceVersion": secret.metadata.resource_version, "annotations": dict(annotations)}
        await self._connection.request(
            "PATCH",
            paths.secret(self._namespace, secret.metadata.name),
            query={"fieldManager": MANAGER},
            body={"metadata": metadata, "data": dict(data)},
            content_type=MERGE_PATCH,
        )
