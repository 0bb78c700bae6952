"""When a certificate is asked for anew, and what becomes of a request. Pure.

A request is filed, approved by somebody, signed, and collected by the cluster in the end; the
certificate before stays in service until there is another.

https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#request-signing-process
"""

from datetime import datetime, timedelta
from typing import Final

import msgspec

EARLIEST: Final = 0.7
LATEST: Final = 0.9
"""Of a certificate's life: between them it is renewed, each at a time of its own, as the kubelet does it."""

LOOK: Final = timedelta(seconds=5)
SLOW_LOOK: Final = timedelta(seconds=30)
PATIENCE: Final = timedelta(minutes=2)
"""Somebody approves within that time, or is reminded, and looked for less often."""

REMIND: Final = timedelta(minutes=10)
AFTER_A_NO: Final = timedelta(minutes=10)


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """From when until when a certificate is valid."""

    since: datetime
    until: datetime


class Filed(msgspec.Struct, frozen=True, kw_only=True):
    """A request, as it stands.

    Attributes:
        name: its name, which people approve.
        at: when it was filed.
        approved: somebody has approved it.
        certificate: what was signed; empty before.
        problem: why it never will be.
        reminded: when somebody was told last that it waits.
    """

    name: str
    at: datetime
    approved: bool = False
    certificate: str = ""
    problem: str = ""
    reminded: datetime | None = None


class Rest(msgspec.Struct, frozen=True):
    """Nothing to do until then."""

    until: datetime


class File(msgspec.Struct, frozen=True):
    """Ask for a certificate."""


class Approve(msgspec.Struct, frozen=True):
    """Approve our own request."""

    name: str


class Look(msgspec.Struct, frozen=True):
    """See how far the request is, after so long."""

    name: str
    after: timedelta
    remind: bool


class Present(msgspec.Struct, frozen=True):
    """Serve the certificate."""

    certificate: str


class GiveUp(msgspec.Struct, frozen=True):
    """Tell of the problem, and ask again then."""

    name: str
    problem: str
    until: datetime


Step = Rest | File | Approve | Look | Present | GiveUp
"""All that can be next."""


def renew_at(life: Life, *, jitter: float) -> datetime:
    """When it is renewed: at 70 to 90 per cent of its life, by `jitter` from 0 to 1."""
    return life.since + (life.until - life.since) * (EARLIEST + (LATEST - EARLIEST) * jitter)


def step(life: Life | None, filed: Filed | None, *, now: datetime, jitter: float, approve: bool) -> Step:
    """What is next.

    Args:
        life: of the certificate that the cluster signed and that is in service; None before the first.
        filed: the request under way; None where there is none, or where the cluster collected it.
        now: the time.
        jitter: from 0 to 1; the same for one certificate's whole life.
        approve: whether we approve our own requests.
    """
    if filed is None:
        due = renew_at(life, jitter=jitter) if life is not None else now
        return File() if due <= now else Rest(due)
    if filed.problem:
        return GiveUp(filed.name, filed.problem, now + AFTER_A_NO)
    if filed.certificate:
        return Present(filed.certificate)
    if approve and not filed.approved:
        return Approve(filed.name)
    return _look(filed, now=now)


def _look(filed: Filed, *, now: datetime) -> Look:
    waited = now - filed.at >= PATIENCE
    remind = filed.reminded is None or now - filed.reminded >= REMIND
    return Look(filed.name, SLOW_LOOK if waited else LOOK, remind)
