"""Keeps a serving context current: the certificate in its files, the authorities of its clients."""

from pathlib import Path
from typing import Final

from app.ports.access import ClientAuthorities
from app.ports.clock import Clock
from app.ports.failures import PortFailure, Unavailable
from app.telemetry import logs
from app.tls.reload import FilePair
from app.tls.serving_context import ServingContext

LOOK_EVERY: Final = 10.0
"""Seconds between questions for the authorities while none are known."""

ASK_EVERY: Final = 60.0
"""Seconds between questions for the authorities; the kubelet's informer resyncs as often."""

_log = logs.get(__name__)


class FileAuthorities:
    """Authorities in a PEM file (`app.ports.access.ClientAuthorities`)."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def pem(self) -> str:
        """The file's content. Raises Unavailable where it cannot be read."""
        try:
            return self._path.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise Unavailable(f"{self._path}: {error}") from error


async def keep_presenting(context: ServingContext, *, cert: Path, key: Path, clock: Clock) -> None:
    """Serve the pair anew whenever its files change (`app.tls.reload`), until cancelled."""
    files = FilePair(cert=cert, key=key, take_up=context.present, served=context.pair)
    await files.run(clock)


class Trust:
    """Whose client certificates a context lets in: what the source says, asked again and again.

    While the source does not answer, or says something that is no PEM, what it said before holds.
    """

    def __init__(self, context: ServingContext, source: ClientAuthorities, *, clock: Clock) -> None:
        self._context = context
        self._source = source
        self._clock = clock
        self._known: str | None = None

    async def look(self) -> None:
        """Ask once.

        Raises:
            PortFailure: the source's.
            ssl.SSLError: what it said is no PEM.
        """
        found = await self._source.pem()
        if found == self._known:
            return
        self._context.trust(found)
        self._known = found
        _log.info("authorities of client certificates taken up", any=bool(found.strip()))

    async def run(self) -> None:
        """Ask again and again, more often while nothing is known, until cancelled; trouble is told once."""
        told = ""
        while True:
            await self._clock.sleep(ASK_EVERY if self._known is not None else LOOK_EVERY)
            try:
                await self.look()
            except (PortFailure, OSError) as error:
                if str(error) != told:
                    _log.warning("authorities of client certificates not renewed", error=str(error))
                told = str(error)
            else:
                told = ""
