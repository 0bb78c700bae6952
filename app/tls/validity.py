"""Whether a pair that was mounted is worth taking up: one whose time is over is not, while another serves."""

from datetime import datetime

from app.tls.authority import Leaf, expires
from app.tls.reading import CANNOT_READ


def refuse_ended(pair: Leaf, *, served: Leaf | None, now: datetime) -> None:
    """Let no certificate that has ended take the place of one that has not.

    A backup that was restored brings such about; who issues certificates notices, and the next is there long
    before the one that is served has ended. One that is not valid yet is taken up: our clock may be behind.

    Raises:
        OSError: the pair has ended, and the one that is served has not.
    """
    if served is not None and not _has_ended(served, now) and _has_ended(pair, now):
        raise OSError(f"it ended at {expires(pair.cert_pem):%F %TZ}; see that its issuer runs")


def _has_ended(pair: Leaf, now: datetime) -> bool:
    """Of what cannot be read OpenSSL is the judge."""
    try:
        return expires(pair.cert_pem) <= now
    except CANNOT_READ:
        return False
