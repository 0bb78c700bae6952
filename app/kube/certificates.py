"""CertificateSigningRequests (`app.ports.certificates.CertificateRequests`).

Needs `create` and `get` on them; to approve, `update` on `certificatesigningrequests/approval` and `approve`
on the signer (`signers`, by name) as well.

https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/certificate-signing-request-v1/
"""

import base64
import binascii
from typing import Final

import msgspec

from app.kube import paths
from app.kube.answers import decoded
from app.kube.transport import Transport
from app.model.meta import ObjectMeta
from app.model.wire import Json, Wire
from app.ports.certificates import Signing, Wanted
from app.ports.failures import Conflict, Unavailable

_PREFIX: Final = "spillway-"
_APPROVED: Final = "Approved"
_DENIED: Final = "Denied"
_FAILED: Final = "Failed"
_TRIES: Final = 5


class _Condition(Wire, frozen=True):
    type: str
    status: str = "True"
    reason: str = ""
    message: str = ""


class _Status(Wire, frozen=True):
    certificate: str = ""
    conditions: tuple[_Condition, ...] | None = None


class _Request(Wire, frozen=True):
    metadata: ObjectMeta
    status: _Status = _Status()


class Certificates:
    """Creates requests, reads them and approves them."""

    def __init__(self, connection: Transport) -> None:
        self._connection = connection

    async def create(self, wanted: Wanted) -> Signing:
        """A new request, under a name that the API server makes."""
        body = {
            "apiVersion": "certificates.k8s.io/v1",
            "kind": "CertificateSigningRequest",
            "metadata": {"generateName": _PREFIX},
            "spec": {
                "request": base64.b64encode(wanted.csr.encode()).decode(),
                "signerName": wanted.signer,
                "usages": list(wanted.usages),
            },
        }
        path = paths.SIGNING_REQUESTS
        return _signing(await self._connection.request("POST", path, body=body), asked=f"POST {path}")

    async def get(self, name: str) -> Signing:
        """As it is now. Raises NotFound where it was collected."""
        path = paths.signing_request(name)
        return _signing(await self._connection.request("GET", path), asked=f"GET {path}")

    async def approve(self, name: str, *, reason: str) -> Signing:
        """Approve it; approved already is success. Raises Conflict where others keep changing it."""
        path = paths.signing_request(name)
        for _ in range(_TRIES):
            data = await self._connection.request("GET", path)
            found = _signing(data, asked=f"GET {path}")
            if found.approved or found.problem:
                return found
            body = _approved(msgspec.json.decode(data), reason=reason)
            try:
                answer = await self._connection.request("PUT", f"{path}/approval", body=body)
            except Conflict:
                continue
            return _signing(answer, asked=f"PUT {path}/approval")
        raise Conflict(f"{name} was changed by others each time that it was to be approved")


def _approved(request: Json, *, reason: str) -> Json:
    """The request with one more condition, its version kept: others may write at the same time."""
    status = request.get("status") or {}
    approval = {"type": _APPROVED, "status": "True", "reason": "AutoApproved", "message": reason}
    conditions = [*(status.get("conditions") or []), approval]
    return {**request, "status": {**status, "conditions": conditions}}


def _signing(data: bytes, *, asked: str) -> Signing:
    request = decoded(data, _Request, asked=asked)
    conditions = request.status.conditions or ()
    problems = [each for each in conditions if each.type in {_DENIED, _FAILED} and each.status == "True"]
    return Signing(
        name=request.metadata.name,
        certificate=_pem(request.status.certificate, asked=asked),
        approved=any(each.type == _APPROVED and each.status == "True" for each in conditions),
        problem="; ".join(_words(each) for each in problems),
    )


def _words(condition: _Condition) -> str:
    return " ".join(part for part in (condition.type, condition.reason, condition.message) if part)


def _pem(text: str, *, asked: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Unavailable(f"{asked}: the certificate is not PEM in base64 ({error})") from error
