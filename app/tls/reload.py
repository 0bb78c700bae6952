"""Taking up a renewed certificate without a restart, and without a handshake that fails."""

import ssl
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.ports.clock import Clock
from app.telemetry import logs
from app.tls.expiry import Loaded
from app.tls.serving_context import load_pair, pair_of
from app.tls.validity import refuse_ended

if TYPE_CHECKING:
    from app.tls.authority import Leaf

_log = logs.get(__name__)

RELOAD_EVERY: Final = 10.0
"""Seconds between looks at the certificate's files."""


class FilePair:
    """Keeps a context on the pair that its files hold.

    New handshakes get the new certificate; those under way and open connections keep theirs. A pair that
    cannot be loaded (half-written, or not matching) or has ended leaves the old one in service.
    """

    def __init__(self, context: ssl.SSLContext, *, cert: Path, key: Path, loaded: Loaded) -> None:
        """Read nothing yet; `loaded` hears of each pair that is taken up."""
        self._context = context
        self._cert = cert
        self._key = key
        self._loaded = loaded
        self._pair: Leaf | None = None
        self._told = ""

    def look(self, *, now: datetime) -> None:
        """Take up what the files hold now.

        Both are read once, tried, and then loaded: OpenSSL drops the old key from a context the moment it is
        handed a certificate of another, and the kubelet may swap the files at any moment.

        Raises:
            OSError: the pair cannot be read, does not belong together, or has ended where the old has not.
        """
        pair = pair_of(self._cert, self._key)
        if pair == self._pair:
            return
        refuse_ended(pair, served=self._pair, now=now)
        load_pair(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), pair)
        load_pair(self._context, pair)
        renewed, self._pair = self._pair is not None, pair
        self._loaded(pair)
        if renewed:
            _log.info("certificate reloaded", cert=str(self._cert))

    async def run(self, clock: Clock) -> None:
        """Look again and again, until cancelled."""
        while True:
            await clock.sleep(RELOAD_EVERY)
            try:
                self.look(now=clock.now())
            except OSError as error:
                if str(error) != self._told:
                    _log.warning(
                        "certificate not reloaded: the one before is served on",
                        cert=str(self._cert),
                        error=str(error),
                    )
                self._told = str(error)
            else:
                self._told = ""
