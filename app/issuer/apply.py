"""The one place of the issuer that writes."""

from datetime import datetime

from app.issuer.commands import Command, Inject
from app.issuer.config import IssuerConfig
from app.issuer.holdings import Objects
from app.issuer.material import Content, content
from app.ports.failures import Conflict
from app.ports.issuing import TlsSecrets, WebhookBundles


class Writer:
    """Carries commands out, each upon the objects that it was decided by.

    Conflict is raised where another was there first; nothing is written then.
    """

    def __init__(self, secrets: TlsSecrets, bundles: WebhookBundles, *, config: IssuerConfig) -> None:
        self._secrets = secrets
        self._bundles = bundles
        self._config = config

    async def apply(self, command: Command, seen: Objects, *, now: datetime) -> str:
        """One write; the name of the object."""
        if isinstance(command, Inject):
            await self._inject(command, seen)
            return self._config.registration
        wanted = content(command, seen, config=self._config, now=now)
        await self._write(wanted)
        return wanted.name

    async def _write(self, wanted: Content) -> None:
        if wanted.before is None:
            data = {key: value for key, value in wanted.data.items() if value is not None}
            await self._secrets.create(wanted.name, data, annotations=wanted.annotations)
        else:
            await self._secrets.change(wanted.before, wanted.data, annotations=wanted.annotations)

    async def _inject(self, command: Inject, seen: Objects) -> None:
        if seen.registration is None:
            raise Conflict(f"{self._config.registration} was not there; look again")
        await self._bundles.inject(seen.registration, command.bundle)
