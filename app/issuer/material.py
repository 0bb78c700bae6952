"""What a Secret is to hold after a command: new keys and certificates, and what stays of those before.

Here keys are made, so that nothing that decides ever sees one, and nothing that writes has to choose.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, assert_never

import msgspec

from app.issuer import commands
from app.issuer.certificates import Ca, bundle
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
from app.tls.authority import Authority

_COMMON_NAME: Final = "spillway"
_DAY: Final = 86400.0


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """A change of one Secret.

    Attributes:
        name: the Secret's.
        before: it, as it was read; None where it is not there.
        data: keys to set, and those to take out, which are None; all others stay.
        annotations: those to set.
    """

    name: str
    before: Secret | None
    data: Mapping[str, bytes | None]
    annotations: Mapping[str, str] = {}


def content(
    command: commands.SecretCommand, seen: Objects, *, config: IssuerConfig, now: datetime
) -> Content:
    """What the Secret of this command is to hold; with new keys at each call, where it wants new ones."""
    match command:
        case commands.IssueLeaf():
            pair = _leaf(command, seen, config, now)
            return _published(command.since, {**pair, CA_CERT: command.bundle}, seen, config)
        case commands.Publish():
            return _published(command.since, {CA_CERT: command.bundle}, seen, config)
        case commands.Tidy():
            return _tidied(command, seen, config)
        case _:
            data = _of_the_ca(command, seen, config, now)
            return Content(name=config.ca_secret, before=seen.ca, data=data)


def _of_the_ca(
    command: commands.CaCommand, seen: Objects, config: IssuerConfig, now: datetime
) -> Mapping[str, bytes | None]:
    nobody: dict[str, bytes | None] = {NEXT_CERT: None, NEXT_KEY: None}
    match command:
        case commands.MakeCa():
            made = _authority(config, now)
            signing = {CA_CERT: made.cert_pem, CA_KEY: made.key_pem}
            return {**signing, **nobody, PREVIOUS: _pem(command.previous)}
        case commands.MakeNext():
            made = _authority(config, now)
            return {NEXT_CERT: made.cert_pem, NEXT_KEY: made.key_pem}
        case commands.DropNext():
            return nobody
        case commands.Promote():
            data = _data(seen.ca)
            signing = {CA_CERT: data[NEXT_CERT], CA_KEY: data[NEXT_KEY]}
            return {**signing, **nobody, PREVIOUS: _pem(command.previous)}
        case commands.KeepPrevious():
            return {PREVIOUS: _pem(command.previous)}
        case _:
            assert_never(command)


def _authority(config: IssuerConfig, now: datetime) -> Authority:
    """Its name has the time in it, so that people can tell two apart."""
    name = f"{_COMMON_NAME}-ca@{now.timestamp():.0f}"
    return Authority.create(name, now=now, days=config.ca_validity.total_seconds() / _DAY)


def _leaf(
    command: commands.IssueLeaf, seen: Objects, config: IssuerConfig, now: datetime
) -> dict[str, bytes]:
    data = _data(seen.ca)
    made = Authority(cert_pem=data[CA_CERT], key_pem=data[CA_KEY]).issue(
        _COMMON_NAME,
        now=now,
        dns=config.dns,
        ips=config.ips,
        server=True,
        days=(command.until - now).total_seconds() / _DAY,
    )
    return {TLS_CERT: made.cert_pem, TLS_KEY: made.key_pem}


def _published(since: datetime, data: Mapping[str, bytes], seen: Objects, config: IssuerConfig) -> Content:
    annotations = {SINCE: rfc3339_micro(since)}
    return Content(name=config.tls_secret, before=seen.tls, data=data, annotations=annotations)


def _tidied(command: commands.Tidy, seen: Objects, config: IssuerConfig) -> Content:
    is_ca = command.secret == config.ca_secret
    before, wanted = (seen.ca, CA_KEYS) if is_ca else (seen.tls, TLS_KEYS)
    extra = sorted(_data(before).keys() - wanted)
    return Content(name=command.secret, before=before, data=dict.fromkeys(extra))


def _data(secret: Secret | None) -> Mapping[str, bytes]:
    return secret.data if secret is not None else {}


def _pem(authorities: tuple[Ca, ...]) -> bytes | None:
    return bundle(authorities) or None
