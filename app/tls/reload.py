"""Taking up a renewed certificate without a restart, and without a handshake that fails."""

import ssl
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from app.ports.clock import Clock
from app.telemetry import logs
from app.tls.authority import Leaf
from app.tls.expiry import Loaded
from app.tls.serving_context import load_pair, pair_of
from app.tls.validity import refuse_ended

_log = logs.get(__name__)

RELOAD_EVERY: Final = 10.0
"""Seconds between looks at the certificate's files."""

TakeUp = Callable[[Leaf], None]
"""Serves a pair from now on; raises OSError, and serves the one before on, where the pair cannot be used."""


class FilePair:
    """Keeps a server on the pair that its files hold.

    New handshakes get the new certificate; those under way and open connections keep theirs. A pair that
    cannot be used (half-written, or not matching) or has ended leaves the old one in service, and is looked
    at again.
    """

    def __init__(self, *, cert: Path, key: Path, take_up: TakeUp, served: Leaf | None = None) -> None:
        """Read nothing yet; `served` is the pair that is in service already."""
        self._cert = cert
        self._key = key
        self._take_up = take_up
        self._pair = served
        self._told = ""

    def look(self, *, now: datetime) -> None:
        """Take up what the files hold now.

        Raises:
            OSError: the pair cannot be read, does not belong together, or has ended where the old has not.
        """
        pair = pair_of(self._cert, self._key)
        if pair == self._pair:
            return
        refuse_ended(pair, served=self._pair, now=now)
        self._take_up(pair)
        if self._pair is not None:
            _log.info("certificate reloaded", cert=str(self._cert))
        self._pair = pair

    async def run(self, clock: Clock) -> None:
        """Look again and again, until cancelled; each trouble is told once."""
        while True:
            await clock.sleep(RELOAD_EVERY)
            try:
                self.look(now=clock.now())
            except OSError as error:
                self._tell(str(error))
            else:
                self._told = ""

    def _tell(self, error: str) -> None:
        if error != self._told:
            cert = str(self._cert)
            _log.warning("certificate not reloaded: the one before is served on", cert=cert, error=error)
        self._told = error


def into(context: ssl.SSLContext, *, loaded: Loaded) -> TakeUp:
    """Serve pairs with a context that a server holds already.

    Each is tried with another context before: OpenSSL drops the old key the moment it is handed a certificate
    of another, and the kubelet may swap the files between the two reads.

    Args:
        context: the server's.
        loaded: hears of each pair that is in service.
    """

    def take_up(pair: Leaf) -> None:
        load_pair(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), pair)
        load_pair(context, pair)
        loaded(pair)

    return take_up
