"""Signs what was approved, with the cluster's authority; what breaks its signer's rules fails.

https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#signer
As pkg/controller/certificates/signer; the second signer is the one that EKS adds.
"""

import base64
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from app.local.cluster.apiserver.api import Api, ApiError, Object
from app.local.cluster.apiserver.signing_requests import PLURAL, parsed
from app.local.cluster.controllers.signing_rules import RULES
from app.local.cluster.controllers.watching import changes
from app.model.times import rfc3339
from app.ports.clock import Clock
from app.telemetry import logs
from app.tls.authority import SKEW, Authority

_LONGEST: Final = timedelta(days=365)
_SHORTEST: Final = timedelta(minutes=10)

log = logs.get(__name__)


class CertificateSigning:
    """Watches requests; the authority's key is in here alone."""

    def __init__(self, api: Api, *, authority: Authority, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._authority = x509.load_pem_x509_certificate(authority.cert_pem)
        key = serialization.load_pem_private_key(authority.key_pem, password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError("the authority's key is not an elliptic-curve key; create the authority anew")
        self._key = key

    async def run(self) -> None:
        """Sign until cancelled."""
        async for event in changes(self._api, PLURAL, clock=self._clock):
            if event.type != "DELETED" and _is_due(event.object):
                await self._sign(event.object)

    async def _sign(self, request: Object) -> None:
        spec, now = request["spec"], self._clock.now()
        asked = parsed(spec["request"])
        why = _refusal(asked, spec)
        if why:
            status = _failed(request, why, now=now)
        else:
            certificate = self._issued(asked, spec, now=now).public_bytes(serialization.Encoding.PEM)
            status = request["status"] | {"certificate": base64.b64encode(certificate).decode()}
        name = request["metadata"]["name"]
        try:
            await self._api.update(PLURAL, "", name, request | {"status": status}, subresource="status")
        except ApiError as error:
            # Changed or deleted meanwhile; where it is still to be signed, its change comes here too.
            log.info("certificate not signed", request=name, error=error.message)

    def _issued(
        self, asked: x509.CertificateSigningRequest, spec: Object, *, now: datetime
    ) -> x509.Certificate:
        ends = min(now + _duration(spec.get("expirationSeconds")), self._authority.not_valid_after_utc)
        usages = frozenset(spec["usages"])
        builder = (
            x509.CertificateBuilder()
            .subject_name(asked.subject)
            .issuer_name(self._authority.subject)
            .public_key(asked.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - SKEW)
            .not_valid_after(ends)
            .add_extension(_key_usage(usages), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        )
        for extension in asked.extensions:
            if isinstance(extension.value, x509.SubjectAlternativeName):
                builder = builder.add_extension(extension.value, critical=False)
        return builder.sign(self._key, hashes.SHA256())


def _refusal(asked: x509.CertificateSigningRequest, spec: Object) -> str:
    try:
        return RULES[spec["signerName"]](asked, frozenset(spec["usages"]))
    except ValueError as why:
        return f"the request's extensions cannot be read: {why}"


def _is_due(request: Object) -> bool:
    status = request.get("status", {})
    kinds = {each["type"] for each in status.get("conditions", ()) if each.get("status") == "True"}
    is_open = "Approved" in kinds and not kinds & {"Denied", "Failed"} and not status.get("certificate")
    return is_open and request["spec"].get("signerName") in RULES


def _failed(request: Object, why: str, *, now: datetime) -> Object:
    condition = {
        "type": "Failed",
        "status": "True",
        "reason": "SignerValidationFailure",
        "message": why,
        "lastUpdateTime": rfc3339(now),
    }
    status: Object = request["status"]
    return status | {"conditions": [*status["conditions"], condition]}


def _duration(seconds: int | None) -> timedelta:
    """How long it is valid: as asked for, within the signer's bounds."""
    if seconds is None:
        return _LONGEST
    return max(_SHORTEST, min(timedelta(seconds=seconds), _LONGEST))


def _key_usage(usages: frozenset[str]) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature="digital signature" in usages,
        key_encipherment="key encipherment" in usages,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
