"""CAs and leaves as the issuer makes them, some of them broken."""

from datetime import datetime, timedelta

from app.issuer.holdings import SINCE
from app.model.meta import ObjectMeta
from app.model.objects import Secret
from app.model.times import rfc3339_micro
from app.tls.authority import Authority, Leaf
from tests.builders import NOON
from tests.issuer.fakes import CONFIG

DAY = timedelta(days=1)
LIFE = CONFIG.ca_validity


def a_ca(name: str = "ca", *, made: datetime = NOON, life: timedelta = LIFE) -> Authority:
    return Authority.create(name, now=made, days=life / DAY)


def a_leaf(
    ca: Authority,
    *,
    made: datetime = NOON,
    life: timedelta = CONFIG.leaf_validity,
    dns: tuple[str, ...] = CONFIG.dns,
) -> Leaf:
    return ca.issue("spillway", now=made, dns=dns, server=True, days=life / DAY)


def ca_data(
    ca: Authority, *, following: Authority | None = None, previous: tuple[Authority, ...] = ()
) -> dict[str, bytes]:
    """What the CA's Secret holds."""
    data = {"ca.crt": ca.cert_pem, "ca.key": ca.key_pem}
    if following is not None:
        data |= {"next.crt": following.cert_pem, "next.key": following.key_pem}
    if previous:
        data["previous.crt"] = b"".join(each.cert_pem for each in previous)
    return data


def tls_data(leaf: Leaf, *trusted: Authority) -> dict[str, bytes]:
    """What the servers' Secret holds."""
    bundle = b"".join(each.cert_pem for each in trusted)
    return {"tls.crt": leaf.cert_pem, "tls.key": leaf.key_pem, "ca.crt": bundle}


def since(moment: datetime = NOON) -> dict[str, str]:
    """The annotation that tells since when the bundle is held."""
    return {SINCE: rfc3339_micro(moment)}


def a_secret(data: dict[str, bytes], annotations: dict[str, str] | None = None) -> Secret:
    return Secret(metadata=ObjectMeta(annotations=annotations or {}), data=data)
