"""The one place of the issuer that writes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, assert_never

from app.issuer.certificates import Ca, bundle
from app.issuer.commands import (
    Command,
    DropNext,
    Inject,
    IssueLeaf,
    KeepPrevious,
    MakeCa,
    MakeNext,
    Promote,
    Publish,
    Tidy,
)
from app.issuer.config import IssuerConfig
from app.issuer.holdings import (
    CA_CERT,
    CA_KEY,
    CA_KEYS,
    NEXT_CERT,
    NEXT_KEY,
    PREVIOUS,
    SINCE,
    TLS_CERT,
    TLS_KEY,
    TLS_KEYS,
    Objects,
)
from app.model.objects import Secret
from app.model.times import rfc3339_micro
from app.ports.failures import Conflict
from app.ports.issuing import TlsSecrets, WebhookBundles
from app.tls.authority import Authority

_COMMON_NAME: Final = "spillway"
_DAY: Final = 86400.0


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
        match command:
            case MakeCa() | MakeNext() | DropNext() | Promote() | KeepPrevious():
                await self._write_ca(seen.ca, self._ca_data(command, seen, now))
                return self._config.ca_secret
            case IssueLeaf():
                pair = self._leaf(command, seen, now)
                await self._write_tls(seen.tls, {**pair, CA_CERT: command.bundle}, command.since)
                return self._config.tls_secret
            case Publish():
                await self._write_tls(seen.tls, {CA_CERT: command.bundle}, command.since)
                return self._config.tls_secret
            case Inject():
                await self._inject(command, seen)
                return self._config.registration
            case Tidy():
                await self._tidy(command, seen)
                return command.secret
            case _:
                assert_never(command)

    def _ca_data(
        self,
        command: MakeCa | MakeNext | DropNext | Promote | KeepPrevious,
        seen: Objects,
        now: datetime,
    ) -> dict[str, bytes | None]:
        match command:
            case MakeCa():
                made = self._authority(now)
                signing = {CA_CERT: made.cert_pem, CA_KEY: made.key_pem}
                return {**signing, NEXT_CERT: None, NEXT_KEY: None, PREVIOUS: _pem(command.previous)}
            case MakeNext():
                made = self._authority(now)
                return {NEXT_CERT: made.cert_pem, NEXT_KEY: made.key_pem}
            case DropNext():
                return {NEXT_CERT: None, NEXT_KEY: None}
            case Promote():
                data = seen.ca.data if seen.ca is not None else {}
                signing = {CA_CERT: data[NEXT_CERT], CA_KEY: data[NEXT_KEY]}
                return {**signing, NEXT_CERT: None, NEXT_KEY: None, PREVIOUS: _pem(command.previous)}
            case KeepPrevious():
                return {PREVIOUS: _pem(command.previous)}

    def _authority(self, now: datetime) -> Authority:
        """Its name has the time in it, so that people can tell two apart."""
        name = f"{_COMMON_NAME}-ca@{now.timestamp():.0f}"
        return Authority.create(name, now=now, days=self._config.ca_validity.total_seconds() / _DAY)

    def _leaf(self, command: IssueLeaf, seen: Objects, now: datetime) -> dict[str, bytes]:
        data = seen.ca.data if seen.ca is not None else {}
        made = Authority(cert_pem=data[CA_CERT], key_pem=data[CA_KEY]).issue(
            _COMMON_NAME,
            now=now,
            dns=self._config.dns,
            ips=self._config.ips,
            server=True,
            days=(command.until - now).total_seconds() / _DAY,
        )
        return {TLS_CERT: made.cert_pem, TLS_KEY: made.key_pem}

    async def _write_ca(self, secret: Secret | None, data: Mapping[str, bytes | None]) -> None:
        if secret is None:
            await self._secrets.create(self._config.ca_secret, _there(data), annotations={})
        else:
            await self._secrets.change(secret, data, annotations={})

    async def _write_tls(self, secret: Secret | None, data: Mapping[str, bytes], since: datetime) -> None:
        annotations = {SINCE: rfc3339_micro(since)}
        if secret is None:
            await self._secrets.create(self._config.tls_secret, data, annotations=annotations)
        else:
            await self._secrets.change(secret, data, annotations=annotations)

    async def _inject(self, command: Inject, seen: Objects) -> None:
        if seen.registration is None:
            raise Conflict(f"{self._config.registration} was not there; look again")
        await self._bundles.inject(seen.registration, command.bundle)

    async def _tidy(self, command: Tidy, seen: Objects) -> None:
        secret, wanted = (
            (seen.ca, CA_KEYS) if command.secret == self._config.ca_secret else (seen.tls, TLS_KEYS)
        )
        if secret is not None:
            await self._secrets.change(secret, _extra(secret, wanted), annotations={})


def _pem(authorities: tuple[Ca, ...]) -> bytes | None:
    return bundle(authorities) or None


def _there(data: Mapping[str, bytes | None]) -> dict[str, bytes]:
    return {key: value for key, value in data.items() if value is not None}


def _extra(secret: Secret, wanted: frozenset[str]) -> dict[str, None]:
    return dict.fromkeys(sorted(secret.data.keys() - wanted))
