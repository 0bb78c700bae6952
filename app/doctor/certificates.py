"""Whether the certificates that we serve are those that callers trust, and for how long."""

import ipaddress
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from app.doctor.finding import Finding, fail, ok, skip, warn
from app.doctor.seen import Seen, Served, Unread
from app.model.times import rfc3339

CERTIFICATE: Final = "certificate"
SOON: Final = timedelta(days=14)
KUBELET: Final = "the node's API"
"""API servers verify it only where they are told to (--kubelet-certificate-authority)."""


def check(seen: Seen) -> Iterator[Finding]:
    """Each certificate that is served."""
    for each in seen.certificates:
        yield judge(each, now=seen.now, namespace=seen.namespace)


def judge(served: Served, *, now: datetime, namespace: str) -> Finding:
    """One certificate, as its callers judge it."""
    issuer = f"kubectl -n {namespace} logs -l app.kubernetes.io/component=issuer (or cert-manager's)"
    if isinstance(served.chain, Unread):
        return skip(CERTIFICATE, f"{served.what}: not seen at {served.where} ({served.chain.why})")
    told = f"{served.what} at {served.where}"
    try:
        chain = x509.load_pem_x509_certificates(served.chain)
    except ValueError:
        state = "is none that can be read" if served.chain else "is not there yet"
        return fail(CERTIFICATE, f"{told} {state}", issuer)
    until = min(each.not_valid_after_utc for each in chain)
    if until <= now:
        return fail(CERTIFICATE, f"{told} ended at {rfc3339(until)}", issuer)
    stranger = _stranger(served, chain)
    if stranger:
        level = warn if served.what.startswith(KUBELET) else fail
        return level(CERTIFICATE, f"{told} {stranger}", issuer)
    if until - now < SOON:
        return warn(CERTIFICATE, f"{told} ends at {rfc3339(until)}, in {(until - now).days} days", issuer)
    return ok(CERTIFICATE, f"{told} is valid until {rfc3339(until)}")


def _stranger(served: Served, chain: list[x509.Certificate]) -> str:
    """Why callers take it for somebody else's; empty where they do not."""
    if not _names(chain[0], served.host):
        return f"is not for {served.host}"
    if served.trusted and not _is_trusted(chain, served.trusted):
        return "is not signed by whom callers trust (caBundle, caData)"
    return ""


def _names(leaf: x509.Certificate, host: str) -> bool:
    """Whether it is for this name or address; a wildcard stands for one label."""
    if not host:
        return True
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    try:
        return ipaddress.ip_address(host) in found.get_values_for_type(x509.IPAddress)
    except ValueError:
        names = [each.lower() for each in found.get_values_for_type(x509.DNSName)]
        wild = f"*.{host.partition('.')[2]}"
        return not {host.lower(), wild.lower()}.isdisjoint(names)


def _is_trusted(chain: list[x509.Certificate], trusted: bytes) -> bool:
    """Whether one of the chain is signed by, or is itself, an authority of the bundle."""
    try:
        authorities = x509.load_pem_x509_certificates(trusted)
    except ValueError:
        return False
    return any(_is_of(each, authority) for each in chain for authority in authorities)


def _is_of(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    if certificate == authority:
        return True
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
