"""CAs and leaves as the issuer makes them, some of them broken."""

from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.issuer.holdings import SINCE
from app.model.meta import ObjectMeta
from app.model.objects import Secret
from app.model.times import rfc3339_micro
from app.tls.authority import Authority, Leaf, key_pem
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


def an_odd_ca(
    *extensions: x509.ExtensionType, curve: ec.EllipticCurve | None = None, made: datetime = NOON
) -> Authority:
    """A CA with these extensions besides, as others make them for other purposes."""
    key = ec.generate_private_key(curve or ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "odd")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(made)
        .not_valid_after(made + LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    )
    for each in extensions:
        builder = builder.add_extension(each, critical=False)
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return Authority(cert_pem=pem, key_pem=key_pem(key))


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
