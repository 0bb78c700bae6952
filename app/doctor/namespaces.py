"""Whether any namespace lets its pods overflow.

What namespaces say that means nothing is `spillway status`' judgement, and repeated in `app.doctor.gate`.
"""

from collections.abc import Iterator
from typing import Final

from app.doctor.finding import Finding, ok, warn
from app.doctor.seen import Seen, opted_in
from app.model.names import ENABLED, OVERFLOW, PERMITTED
from app.model.namespace import Namespace

SUBJECT: Final = "namespaces"
_EXCLUDED: Final = "kube-system"
_SHOWN: Final = 5


def check(seen: Seen) -> Iterator[Finding]:
    """All of them."""
    found = opted_in(seen.namespaces)
    if found:
        names = ", ".join(each.name for each in found[:_SHOWN])
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        yield ok(SUBJECT, f"pods may overflow in {names}{more}")
    else:
        yield warn(
            SUBJECT,
            f"no namespace has the label {OVERFLOW}: nothing bursts",
            f"kubectl label namespace NAME {OVERFLOW}={ENABLED} (or {PERMITTED})",
        )
    for each in seen.namespaces:
        yield from _words(each, seen)


def _words(namespace: Namespace, seen: Seen) -> Iterator[Finding]:
    if OVERFLOW in namespace.metadata.labels and namespace.name in {_EXCLUDED, seen.namespace}:
        yield warn(
            SUBJECT,
            f"{namespace.name} has the label {OVERFLOW}, and its pods never overflow",
            f"kubectl label namespace {namespace.name} {OVERFLOW}-",
        )
