"""Whether any namespace lets its pods overflow.

What namespaces say that means nothing is `spillway status`' judgement, and repeated in `app.doctor.gate`.
"""

from collections.abc import Iterator
from typing import Final

from app.doctor.finding import Finding, ok, unread, warn
from app.doctor.seen import Seen, Unread, left_out
from app.model.names import ENABLED, OVERFLOW, PERMITTED
from app.model.namespace import Namespace

SUBJECT: Final = "namespaces"
_SHOWN: Final = 5


def check(seen: Seen) -> Iterator[Finding]:
    """All of them."""
    if isinstance(seen.namespaces, Unread):
        yield unread(SUBJECT, "which namespaces' pods may overflow", seen.namespaces)
        return
    unasked = left_out(seen.webhooks, own=seen.namespace)
    found = [each for each in seen.opted_in if each.name not in unasked]
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
        if each.name in unasked:
            yield from _words(each)


def _words(namespace: Namespace) -> Iterator[Finding]:
    if OVERFLOW in namespace.metadata.labels:
        yield warn(
            SUBJECT,
            f"{namespace.name} has the label {OVERFLOW}, and the webhook leaves it out: of its pods only "
            "those overflow that tolerate the virtual nodes by themselves",
            f"kubectl label namespace {namespace.name} {OVERFLOW}-",
        )
