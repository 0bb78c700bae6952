"""What pods refer to (`app.ports.kubernetes.Sources`), and pods as they are; each read is a fresh one."""

from datetime import datetime
from typing import Final, TypeVar

import msgspec

from app.kube import paths
from app.kube.answers import decoded
from app.kube.transport import Transport
from app.model.meta import ObjectMeta
from app.model.objects import ConfigMap, PersistentVolume, Secret, ServiceAccount
from app.model.pod import Pod
from app.model.volume import ClaimSpec
from app.model.wire import Json, Wire
from app.ports.failures import NotFound, Unavailable
from app.ports.kubernetes import Token

T = TypeVar("T")

_BOUND: Final = "Bound"


class _ClaimStatus(Wire, frozen=True):
    phase: str = "Pending"


class _Claim(Wire, frozen=True):
    """https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/persistent-volume-claim-v1/."""

    metadata: ObjectMeta = ObjectMeta()
    spec: ClaimSpec = ClaimSpec()
    status: _ClaimStatus = _ClaimStatus()


class _Named(msgspec.Struct, frozen=True):
    uid: str = ""


class _RawPod(msgspec.Struct, frozen=True):
    metadata: _Named = _Named()
    spec: dict[str, Json] = {}


class _TokenStatus(Wire, frozen=True):
    token: str
    expiration_timestamp: datetime


class _TokenRequest(Wire, frozen=True):
    status: _TokenStatus


class Sources:
    """Reads, and requests tokens. What Secrets and tokens hold never gets into a failure."""

    def __init__(self, connection: Transport) -> None:
        self._connection = connection

    async def config_map(self, namespace: str, name: str) -> ConfigMap:
        """A ConfigMap. Raises NotFound."""
        return await self._get(paths.config_map(namespace, name), ConfigMap)

    async def secret(self, namespace: str, name: str) -> Secret:
        """A Secret. Raises NotFound, Refused where RBAC does not reach."""
        path = paths.secret(namespace, name)
        return _confidential(await self._connection.request("GET", path), Secret, asked=f"GET {path}")

    async def account(self, namespace: str, name: str) -> ServiceAccount:
        """A ServiceAccount. Raises NotFound."""
        return await self._get(paths.service_account(namespace, name), ServiceAccount)

    async def volume(self, namespace: str, claim: str) -> PersistentVolume | None:
        """The volume that a claim is bound to; None while it is bound to none, or its volume is gone.

        The volume has to name the claim, too: whoever may write claims may write any volume's name into one.

        Raises NotFound for no such claim.
        """
        found = await self._get(paths.claim(namespace, claim), _Claim)
        if found.status.phase != _BOUND or not found.spec.volume_name:
            return None
        try:
            volume = await self._get(paths.volume(found.spec.volume_name), PersistentVolume)
        except NotFound:
            return None
        bound_to = volume.spec.claim_ref
        return volume if bound_to is not None and bound_to.uid == found.metadata.uid else None

    async def pod_spec(self, pod: Pod) -> Json:
        """The pod's spec with every field that the API server has (`app.ports.kubernetes.PodSpecs`).

        Raises NotFound where the pod is gone, or its name another's, Refused where RBAC does not reach.
        """
        path = paths.pod(pod.metadata.namespace, pod.metadata.name)
        found = await self._get(path, _RawPod)
        if found.metadata.uid != pod.uid:
            raise NotFound(f"GET {path}: it has uid {found.metadata.uid}, not {pod.uid}")
        return found.spec

    async def token(self, pod: Pod, *, audience: str, seconds: int) -> Token:
        """A token that is good for as long as the pod is there, and no longer than the server allows.

        Raises NotFound for no such account; Conflict or Refused where the name belongs to another pod by now.
        """
        account = pod.spec.service_account_name or "default"
        path = f"{paths.service_account(pod.metadata.namespace, account)}/token"
        data = await self._connection.request("POST", path, body=_request(pod, audience, seconds))
        status = _confidential(data, _TokenRequest, asked=f"POST {path}").status
        return Token(status.token, status.expiration_timestamp)

    async def _get(self, path: str, kind: type[T]) -> T:
        return decoded(await self._connection.request("GET", path), kind, asked=f"GET {path}")


def _request(pod: Pod, audience: str, seconds: int) -> Json:
    reference = {"kind": "Pod", "apiVersion": "v1", "name": pod.metadata.name, "uid": pod.uid}
    return {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {
            "audiences": [audience] if audience else [],
            "expirationSeconds": seconds,
            "boundObjectRef": reference,
        },
    }


def _confidential(data: bytes, kind: type[T], *, asked: str) -> T:
    """As `decoded`, but the decoder's own words, which may quote the answer, are dropped.

    Raises:
        Unavailable: the answer is not one.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.MsgspecError:
        raise Unavailable(f"{asked}: the answer is not a {kind.__name__.lstrip('_')}") from None
