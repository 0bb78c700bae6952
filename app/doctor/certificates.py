"""Whether the certificates that we serve are those that callers trust, and for how long."""

import ipaddress
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509

from app.doctor.finding import Finding, fail, ok, skip, unread, warn
from app.doctor.seen import Seen, Served, Unread
from app.model.times import rfc3339
from app.tls.reading import CANNOT_READ, has_signed

CERTIFICATE: Final = "certificate"
SOON: Final = timedelta(days=14)


def check(seen: Seen) -> Iterator[Finding]:
    """Each certificate that is served."""
    if isinstance(seen.webhooks, Unread):
        yield unread(CERTIFICATE, "where the webhook serves, and whom its callers trust,", seen.webhooks)
    for each in seen.certificates:
        yield judge(each, now=seen.now, namespace=seen.namespace)


def judge(served: Served, *, now: datetime, namespace: str) -> Finding:
    """One certificate, as its callers judge it."""
    issuer = f"kubectl -n {namespace} logs -l app.kubernetes.io/component=issuer (or cert-manager's)"
    if isinstance(served.chain, Unread):
        return skip(
            CERTIFICATE,
            f"{served.what}: not seen at {served.where} ({served.chain.why})",
            "look from inside the cluster (helm test, docs/operations.md), or as somebody who may read the "
            "Secret that it serves from",
        )
    told = f"{served.what} at {served.where}"
    try:
        chain = x509.load_pem_x509_certificates(served.chain)
    except CANNOT_READ:
        state = "is none that can be read" if served.chain else "is not there yet"
        return fail(CERTIFICATE, f"{told} {state}", issuer)
    untimely = _untimely(chain, now=now)
    if untimely:
        return fail(CERTIFICATE, f"{told} {untimely}", issuer)
    stranger = _stranger(served, chain, now=now)
    if stranger:
        level = fail if served.is_verified else warn
        return level(CERTIFICATE, f"{told} {stranger}", issuer)
    until = min(each.not_valid_after_utc for each in chain)
    if until - now < SOON:
        return warn(CERTIFICATE, f"{told} ends at {rfc3339(until)}, in {(until - now).days} days", issuer)
    return ok(CERTIFICATE, f"{told} is valid until {rfc3339(until)}")


def _untimely(chain: list[x509.Certificate], *, now: datetime) -> str:
    """Why it is not valid now; empty where it is."""
    since = max(each.not_valid_before_utc for each in chain)
    until = min(each.not_valid_after_utc for each in chain)
    if until <= now:
        return f"ended at {rfc3339(until)}"
    return f"is not valid before {rfc3339(since)} (or this machine's clock is behind)" if now < since else ""


def _stranger(served: Served, chain: list[x509.Certificate], *, now: datetime) -> str:
    """Why callers take it for somebody else's; empty where they do not."""
    if not _names(chain[0], served.host):
        return f"is not for {served.host}"
    if served.trusted and not _is_trusted(chain, served.trusted, now=now):
        return "is not signed by whom callers trust (caBundle, caData)"
    return ""


def _names(leaf: x509.Certificate, host: str) -> bool:
    """Whether it is for this name or address; a wildcard stands for one label."""
    if not host:
        return True
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, *CANNOT_READ):
        return False
    try:
        return ipaddress.ip_address(host) in found.get_values_for_type(x509.IPAddress)
    except ValueError:
        names = [each.lower() for each in found.get_values_for_type(x509.DNSName)]
        wild = f"*.{host.partition('.')[2]}"
        return not {host.lower(), wild.lower()}.isdisjoint(names)


def _is_trusted(chain: list[x509.Certificate], trusted: bytes, *, now: datetime) -> bool:
    """Whether one of the chain is signed by, or is itself, an authority of the bundle that has not ended."""
    try:
        found = x509.load_pem_x509_certificates(trusted)
    except CANNOT_READ:
        return False
    authorities = [each for each in found if now < each.not_valid_after_utc]
    return any(
        each == authority or has_signed(authority, each) for each in chain for authority in authorities
    )
