"""CertificateSigningRequests: whose they are, what may change in them, and what makes one invalid.

https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/
As pkg/registry/certificates/certificates/strategy.go and pkg/apis/certificates/validation.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from app.local.cluster.apiserver.errors import Cause, forbidden, invalid_value, required, unsupported
from app.local.cluster.apiserver.objects import Object

PLURAL: Final = "certificatesigningrequests"
APPROVAL: Final = "approval"
_VERDICTS: Final = ("Approved", "Denied")
_FINAL: Final = (*_VERDICTS, "Failed")
_SHORTEST: Final = 600
_SIGNER: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+/\S+")
_USAGES: Final = (
    "any",
    "cert sign",
    "client auth",
    "code signing",
    "content commitment",
    "crl sign",
    "data encipherment",
    "decipher only",
    "digital signature",
    "email protection",
    "encipher only",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "key agreement",
    "key encipherment",
    "microsoft sgc",
    "netscape sgc",
    "ocsp signing",
    "s/mime",
    "server auth",
    "signing",
    "timestamping",
)


def parsed(text: str) -> x509.CertificateSigningRequest:
    """The request in `spec.request`: base64 of PEM. Raises ValueError where it is none."""
    try:
        pem = base64.b64decode(text, validate=True)
    except binascii.Error as why:
        raise ValueError("illegal base64 data") from why
    if b"-----BEGIN CERTIFICATE REQUEST-----" not in pem:
        raise ValueError("PEM block type must be CERTIFICATE REQUEST")
    return x509.load_pem_x509_csr(pem)


def sign_in(obj: Object, user: Mapping[str, Any]) -> None:
    """Who asks is who sent it, whatever it says; and nobody approves in the same breath."""
    spec = obj.setdefault("spec", {})
    for name in ("username", "uid", "groups", "extra"):
        spec.pop(name, None)
    found = {name: user.get(name) for name in ("username", "uid", "groups")}
    spec |= {name: value for name, value in found.items() if value}
    obj["status"] = {}


def confined(before: Object, after: Object, subresource: str, *, now: str) -> Object:
    """`after` with what this path may not write taken from `before`, and its conditions dated."""
    old, new = before.get("status", {}), after.get("status", {})
    if not subresource:
        return after | {"spec": before["spec"], "status": old}
    conditions = [_dated(each, old.get("conditions", ()), now=now) for each in new.get("conditions", ())]
    kept = old if subresource == APPROVAL else new
    status = {name: value for name, value in kept.items() if name != "conditions"}
    if conditions:
        status["conditions"] = conditions
    return after | {"spec": before["spec"], "status": status}


def causes(obj: Object) -> list[Cause]:
    """What makes a request invalid."""
    spec = obj.get("spec", {})
    found: list[Cause] = []
    why = _bad_request(spec.get("request", ""))
    if why:
        found.append(invalid_value("spec.request", json.dumps(spec.get("request", "")), why))
    usages = spec.get("usages", [])
    if not usages:
        found.append(required("spec.usages"))
    for index, usage in enumerate(usages):
        field = f"spec.usages[{index}]"
        if usage not in _USAGES:
            found.append(unsupported(field, usage, _USAGES))
        if usage in usages[:index]:
            found.append(Cause("FieldValueDuplicate", f'Duplicate value: "{usage}"', field))
    return found + _signer(spec.get("signerName", "")) + _seconds(spec.get("expirationSeconds"))


def change_causes(before: Object, after: Object, subresource: str) -> list[Cause]:
    """Why a change is refused."""
    old, new = before.get("status", {}), after.get("status", {})
    found = _conditions(new.get("conditions", ()))
    for kind in _FINAL:
        had, has = _of_type(old, kind), _of_type(new, kind)
        if len(has) < len(had):
            found.append(_refused(f'updates may not remove a condition of type "{kind}"'))
        elif kind in _VERDICTS and subresource != APPROVAL and len(has) > len(had):
            found.append(_refused(f'updates may not add a condition of type "{kind}"'))
        elif kind in _VERDICTS and subresource != APPROVAL and has != had:
            found.append(_refused(f'updates may not modify a condition of type "{kind}"'))
    if old.get("certificate") and old["certificate"] != new.get("certificate"):
        found.append(forbidden("status.certificate", "updates may not modify existing certificate content"))
    return found


def _bad_request(text: str) -> str:
    try:
        return "" if parsed(text).is_signature_valid else "x509: the signature is not the key's"
    except (ValueError, InvalidSignature) as why:
        return str(why)


def _signer(name: str) -> list[Cause]:
    if not name:
        return [required("spec.signerName")]
    if _SIGNER.fullmatch(name):
        return []
    why = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
    return [invalid_value("spec.signerName", json.dumps(name), why)]


def _seconds(seconds: int | None) -> list[Cause]:
    if seconds is None or seconds >= _SHORTEST:
        return []
    why = "may not specify a duration less than 600 seconds (10 minutes)"
    return [invalid_value("spec.expirationSeconds", str(seconds), why)]


def _conditions(conditions: Any) -> list[Cause]:
    found: list[Cause] = []
    for index, condition in enumerate(conditions):
        field, status = f"status.conditions[{index}]", condition.get("status", "")
        allowed = ("True",) if condition.get("type") in _FINAL else ("False", "True", "Unknown")
        if not status:
            found.append(required(f"{field}.status"))
        elif status not in allowed:
            found.append(unsupported(f"{field}.status", status, allowed))
    verdicts = [each["type"] for each in conditions if each.get("type") in _VERDICTS]
    if len(set(verdicts)) > 1:
        why = "Approved and Denied conditions are mutually exclusive"
        found.append(invalid_value("status.conditions", json.dumps(verdicts[-1]), why))
    return found


def _of_type(status: Object, kind: str) -> list[Object]:
    return [each for each in status.get("conditions", ()) if each.get("type") == kind]


def _refused(why: str) -> Cause:
    return forbidden("status.conditions", why)


def _dated(condition: Object, known: Any, *, now: str) -> Object:
    """The condition with its times; the one of its last transition is kept while its status stays."""
    since = [
        each["lastTransitionTime"]
        for each in known
        if (each["type"], each.get("status")) == (condition.get("type"), condition.get("status"))
        and each.get("lastTransitionTime")
    ]
    first = {"lastUpdateTime": now, "lastTransitionTime": since[0] if since else now}
    return condition | {name: condition.get(name) or value for name, value in first.items()}
