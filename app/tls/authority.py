"""A self-signed certificate authority and the leaves it issues: ECDSA P-256, SHA-256.

RFC 5280 profile: the CA carries keyCertSign, each leaf names what it may be used for, and every server name
stands in the SAN (Go clients, the API server among them, ignore the common name).
"""

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SKEW: Final = timedelta(minutes=5)
"""Certificates are valid from a little before now: clocks of a cluster differ."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A certificate with its key, both PEM (PKCS#8, unencrypted)."""

    cert_pem: bytes
    key_pem: bytes


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority; `cert_pem` is what clients trust."""

    cert_pem: bytes
    key_pem: bytes

    @classmethod
    def create(cls, common_name: str, *, now: datetime, days: float = 365) -> Self:
        """A new authority with its own key."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        public = key.public_key()
        certificate = (
            _builder(subject=name, issuer=name, key=public, now=now, days=days)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(key, hashes.SHA256())
        )
        return cls(cert_pem=_cert_pem(certificate), key_pem=key_pem(key))

    def issue(  # noqa: PLR0913  (a certificate has that many independent fields)
        self,
        common_name: str,
        *,
        now: datetime,
        organizations: tuple[str, ...] = (),
        dns: tuple[str, ...] = (),
        ips: tuple[str, ...] = (),
        client: bool = False,
        server: bool = False,
        days: float = 30,
    ) -> Leaf:
        """A leaf signed by this authority.

        Args:
            common_name: the subject's CN; Kubernetes reads it as the user name of a client.
            now: the time it is issued at.
            organizations: the subject's O; Kubernetes reads them as the client's groups.
            dns: server names for the SAN.
            ips: server addresses for the SAN.
            client: whether it may identify a TLS client.
            server: whether it may identify a TLS server.
            days: how long it is valid.
        """
        authority = x509.load_pem_x509_certificate(self.cert_pem)
        signer = serialization.load_pem_private_key(self.key_pem, password=None)
        if not isinstance(signer, ec.EllipticCurvePrivateKey):
            raise TypeError("the authority's key is not an elliptic-curve key; create the authority anew")
        key = ec.generate_private_key(ec.SECP256R1())
        public = key.public_key()
        builder = _builder(
            subject=_subject(common_name, organizations),
            issuer=authority.subject,
            key=public,
            now=now,
            days=days,
        )
        names = alternative_names(dns, ips)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate = (
            builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(_purposes(client=client, server=server)), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
            )
            .sign(signer, hashes.SHA256())
        )
        return Leaf(cert_pem=_cert_pem(certificate), key_pem=key_pem(key))


def expires(cert_pem: bytes) -> datetime:
    """When the certificate ends, timezone-aware UTC."""
    return x509.load_pem_x509_certificate(cert_pem).not_valid_after_utc


def _builder(
    *, subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, days: float
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + timedelta(days=days))
    )


def _subject(common_name: str, organizations: tuple[str, ...]) -> x509.Name:
    groups = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, each) for each in organizations]
    return x509.Name([*groups, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def alternative_names(dns: tuple[str, ...], ips: tuple[str, ...]) -> list[x509.GeneralName]:
    """Names and addresses as the SAN has them. Raises ValueError where one of `ips` is no address."""
    addresses = [x509.IPAddress(ipaddress.ip_address(each)) for each in ips]
    return [*(x509.DNSName(each) for each in dns), *addresses]


def _purposes(*, client: bool, server: bool) -> list[x509.ObjectIdentifier]:
    purposes = []
    if server:
        purposes.append(ExtendedKeyUsageOID.SERVER_AUTH)
    if client:
        purposes.append(ExtendedKeyUsageOID.CLIENT_AUTH)
    return purposes


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _cert_pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The key as PKCS#8, unencrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
