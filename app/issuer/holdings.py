"""What the Secrets and the webhook configuration hold, read and judged. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, TypeVar

import msgspec

from app.issuer import certificates
from app.issuer.certificates import Ca, Flaw, Served
from app.issuer.config import IssuerConfig
from app.model.objects import Secret
from app.model.setting import named
from app.model.webhook_configuration import MutatingWebhookConfiguration

CA_CERT: Final = "ca.crt"
CA_KEY: Final = "ca.key"
NEXT_CERT: Final = "next.crt"
NEXT_KEY: Final = "next.key"
PREVIOUS: Final = "previous.crt"
TLS_CERT: Final = "tls.crt"
TLS_KEY: Final = "tls.key"

CA_KEYS: Final = frozenset({CA_CERT, CA_KEY, NEXT_CERT, NEXT_KEY, PREVIOUS})
TLS_KEYS: Final = frozenset({CA_CERT, TLS_CERT, TLS_KEY})

SINCE: Final = "spillway.dev/bundle-since"
"""On the Secret that the servers mount: since when its ca.crt holds all that it holds."""

_FUTURE: Final = timedelta(minutes=5)
_OTHERS: Final = "cert-manager.io/inject-"

T = TypeVar("T")


class Objects(msgspec.Struct, frozen=True, kw_only=True):
    """The three objects as they were read; None where one is not there.

    `hidden` is why the webhook configuration may not be read, if so.
    """

    ca: Secret | None = None
    tls: Secret | None = None
    registration: MutatingWebhookConfiguration | None = None
    hidden: str = ""


class Holdings(msgspec.Struct, frozen=True, kw_only=True):
    """What is good in them, and what is not.

    Attributes:
        current: the CA that signs.
        next: its successor, which is announced and does not sign yet.
        previous: CAs that sign no more, and are trusted for a while.
        published: what the servers' Secret tells its readers to trust.
        since: since when it does; None where nobody knows.
        registered: what the API server trusts, entry by entry; None where that is unknown or not ours.
        trusted_there: the same, as certificates, each once, and what it trusted when all was in order last.
        leaf: what is served; None where it cannot be.
        raw_bundle: the servers' ca.crt as it stands.
        raw_previous: previous.crt as it stands.
        raw_next: whether there is anything in the successor's place.
        extra: keys that nobody asked for, by Secret.
        flaws: all that is wrong, for people.
    """

    current: Ca | None = None
    next: Ca | None = None
    previous: tuple[Ca, ...] = ()
    published: tuple[Ca, ...] = ()
    since: datetime | None = None
    registered: tuple[bytes, ...] | None = ()
    trusted_there: tuple[Ca, ...] = ()
    leaf: Served | None = None
    raw_bundle: bytes = b""
    raw_previous: bytes = b""
    raw_next: bool = False
    extra: Mapping[str, tuple[str, ...]] = {}
    flaws: tuple[str, ...] = ()

    def authorities(self) -> tuple[Ca, ...]:
        """All that clients are to trust: what the CA's Secret holds."""
        several = (self.current, self.next, *self.previous)
        return tuple(each for each in several if each is not None)


def held(objects: Objects, *, config: IssuerConfig, now: datetime, known: tuple[Ca, ...] = ()) -> Holdings:
    """The objects, judged as of now; total over whatever anybody wrote into them.

    `known` is what the bundle was when all was in order last: who empties all objects at once
    (`helm upgrade --force`) takes no leaf out of a pod.
    """
    ca, tls = _data(objects.ca), _data(objects.tls)
    flaws: list[str] = []
    registered = _registered(objects, config, flaws)
    told = _Telling(flaws)
    current = told.authority(config.ca_secret, ca, CA_CERT, CA_KEY, now=now)
    following = told.authority(config.ca_secret, ca, NEXT_CERT, NEXT_KEY, now=now)
    previous = told.trusted(f"{config.ca_secret}: {PREVIOUS}", ca.get(PREVIOUS, b""), now=now)
    published = told.trusted(f"{config.tls_secret}: {CA_CERT}", tls.get(CA_CERT, b""), now=now)
    seen = certificates.trusted(b"".join(dict.fromkeys(registered or ())), now=now)[0]
    seen = tuple(dict.fromkeys((*seen, *(each for each in known if now < each.until))))
    own = (current, following, *previous)
    trust = (*(each for each in own if each is not None), *published, *seen)
    extra = _extra(config, ca=ca, tls=tls)
    flaws.extend(f"{name}: nobody asked for the keys {', '.join(keys)}" for name, keys in extra.items())
    return Holdings(
        current=current,
        next=following,
        previous=previous,
        published=published,
        since=_since(objects.tls, now=now),
        registered=registered,
        trusted_there=seen,
        leaf=told.leaf(config.tls_secret, tls, trust, now=now),
        raw_bundle=tls.get(CA_CERT, b""),
        raw_previous=ca.get(PREVIOUS, b""),
        raw_next=NEXT_CERT in ca or NEXT_KEY in ca,
        extra=extra,
        flaws=tuple(flaws),
    )


class _Telling:
    """Judges, and notes every flaw with where it is."""

    def __init__(self, flaws: list[str]) -> None:
        self._flaws = flaws

    def authority(
        self, secret: str, data: Mapping[str, bytes], cert: str, key: str, *, now: datetime
    ) -> Ca | None:
        if not data.get(cert) and not data.get(key):
            return None
        return self._good(
            f"{secret}: {cert}", certificates.authority(data.get(cert, b""), data.get(key, b""), now=now)
        )

    def leaf(
        self, secret: str, data: Mapping[str, bytes], trust: tuple[Ca, ...], *, now: datetime
    ) -> Served | None:
        if not data.get(TLS_CERT) and not data.get(TLS_KEY):
            return None
        judged = certificates.leaf(data.get(TLS_CERT, b""), data.get(TLS_KEY, b""), trust, now=now)
        return self._good(secret, judged)

    def trusted(self, where: str, pem: bytes, *, now: datetime) -> tuple[Ca, ...]:
        found, flaws = certificates.trusted(pem, now=now)
        self._flaws.extend(f"{where} {flaw.problem}" for flaw in flaws)
        return found

    def _good(self, where: str, judged: T | Flaw) -> T | None:
        if isinstance(judged, Flaw):
            self._flaws.append(f"{where}: {judged.problem}")
            return None
        return judged


def _registered(objects: Objects, config: IssuerConfig, flaws: list[str]) -> tuple[bytes, ...] | None:
    registration = objects.registration
    if objects.hidden:
        flaws.append(objects.hidden)
        return None
    if registration is None:
        flaws.append(
            f"MutatingWebhookConfiguration {config.registration} is not there (yet): no pod is mutated; "
            f"install it, or name another with {named('issuer', 'webhook_configuration')}"
        )
        return ()
    others = sorted(each for each in registration.metadata.annotations if each.startswith(_OTHERS))
    if others:
        flaws.append(
            f"MutatingWebhookConfiguration {config.registration} is cert-manager's: left alone; "
            f"take out the annotation {others[0]}, or the issuer"
        )
        return None
    return tuple(each.client_config.ca_bundle for each in registration.webhooks)


def _data(secret: Secret | None) -> Mapping[str, bytes]:
    return secret.data if secret is not None else {}


def _extra(
    config: IssuerConfig, *, ca: Mapping[str, bytes], tls: Mapping[str, bytes]
) -> dict[str, tuple[str, ...]]:
    found = {
        config.ca_secret: tuple(sorted(ca.keys() - CA_KEYS)),
        config.tls_secret: tuple(sorted(tls.keys() - TLS_KEYS)),
    }
    return {name: keys for name, keys in found.items() if keys}


def _since(tls: Secret | None, *, now: datetime) -> datetime | None:
    text = tls.metadata.annotations.get(SINCE, "") if tls is not None else ""
    try:
        since = datetime.fromisoformat(text)
    except ValueError:
        return None
    if since.tzinfo is None or since > now + _FUTURE:
        return None
    return since
