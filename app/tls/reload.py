"""Taking up a renewed certificate without a restart."""

import ssl
from pathlib import Path
from typing import Final

from app.ports.clock import Clock
from app.telemetry import logs

_log = logs.get(__name__)

RELOAD_EVERY: Final = 10.0
"""Seconds between looks at the certificate's file."""


async def keep_current(context: ssl.SSLContext, *, cert: Path, key: Path, clock: Clock) -> None:
    """Load the pair into `context` whenever a file changes, until cancelled.

    New handshakes get the new certificate; open connections keep theirs. A pair that cannot be loaded
    (half-written, or not matching) leaves the old one in service.
    """
    seen = _stamp(cert, key)
    while True:
        await clock.sleep(RELOAD_EVERY)
        stamp = _stamp(cert, key)
        if stamp in {seen, None}:
            continue
        try:
            _check(cert, key)
            context.load_cert_chain(cert, key)
        except OSError as error:
            _log.warning("certificate not reloaded", cert=str(cert), error=str(error))
            continue
        seen = stamp
        _log.info("certificate reloaded", cert=str(cert))


def _check(cert: Path, key: Path) -> None:
    """A trial: OpenSSL drops the old key from a context the moment it is handed a certificate of another.

    Raises:
        OSError: the pair cannot be read, or does not belong together.
    """
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key)


def _stamp(cert: Path, key: Path) -> tuple[int, int] | None:
    try:
        return (cert.stat().st_mtime_ns, key.stat().st_mtime_ns)
    except OSError:
        return None
