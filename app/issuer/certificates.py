"""Reading certificates and keys: what they are good for, or what is wrong with them. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from app.tls.authority import SKEW
from app.tls.reading import CANNOT_READ, has_signed

ANNOUNCED: Final = 0.8
SIGNS: Final = 0.9
"""Of a CA's life: from then on its successor is in the bundle, and halfway from there to the end it signs.

kube-scheduler reads the CA of its extender at its start alone. Of ten years, a year lies in between.
"""

_CURVES: Final = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_SERVERS: Final = frozenset({ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE})
_BEGIN: Final = b"-----BEGIN CERTIFICATE-----"
_END: Final = b"-----END CERTIFICATE-----"


class Ca(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate that clients trust: one PEM block, when it was made, and when it ends."""

    pem: bytes
    since: datetime
    until: datetime

    @property
    def certificate(self) -> x509.Certificate:
        """The same, parsed; it was when it was read first."""
        return x509.load_pem_x509_certificate(self.pem)

    def announce_successor_at(self) -> datetime:
        """From when its successor is in the bundle."""
        return self.since + (self.until - self.since) * ANNOUNCED

    def retire_at(self, announced: datetime) -> datetime:
        """From when its successor signs, which was announced then.

        One that was announced late, since no issuer ran, leaves schedulers half of what is left.
        """
        in_time = self.since + (self.until - self.since) * SIGNS
        return max(in_time, announced + (self.until - announced) / 2)


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """A serving certificate: when it was made, when it ends, its names, and which CA signed it."""

    since: datetime
    until: datetime
    names: frozenset[str]
    signed_by: Ca


class Flaw(msgspec.Struct, frozen=True):
    """What is wrong, in words for people; never what a key holds."""

    problem: str


def trusted(pem: bytes, *, now: datetime) -> tuple[tuple[Ca, ...], tuple[Flaw, ...]]:
    """The certificates of a bundle, each once, and what else is in it.

    One that is not valid yet stays: whoever made it had another idea of the time, perhaps the right one.
    """
    found: dict[bytes, Ca] = {}
    flaws: dict[str, Flaw] = {}
    for block in _blocks(pem):
        judged = _ca(block, now=now)
        if isinstance(judged, Flaw):
            flaws[judged.problem] = judged
        else:
            found[judged.pem] = judged
    if pem.strip() and not found and not flaws:
        flaws[""] = Flaw("holds no certificate in PEM form")
    return tuple(found.values()), tuple(flaws.values())


def authority(cert: bytes, key: bytes, *, now: datetime) -> Ca | Flaw:
    """A CA that can sign; its key is an elliptic-curve one, as ours are."""
    try:
        private = serialization.load_pem_private_key(key, password=None)
        certificate = x509.load_pem_x509_certificate(cert)
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            return Flaw("its key is no elliptic-curve key")
        if _public(private) != _public(certificate):
            return Flaw("its key is not that of its certificate")
    except CANNOT_READ:
        return Flaw("its certificate and key are not both there in PEM form")
    problem = _unfit(certificate, private)
    if not problem and now < certificate.not_valid_before_utc:
        problem = f"its certificate is not valid before {certificate.not_valid_before_utc:%F %TZ}"
    return Flaw(problem) if problem else _ca(cert, now=now)


def leaf(cert: bytes, key: bytes, trust: Iterable[Ca], *, now: datetime) -> Served | Flaw:
    """A pair that can be served, and which clients believe that trust these."""
    try:
        private = serialization.load_pem_private_key(key, password=None)
        certificate = x509.load_pem_x509_certificate(cert)
        if _public(private) != _public(certificate):
            return Flaw("tls.key is not the key of tls.crt")
        life = _life(certificate)
        names = _names(certificate)
    except CANNOT_READ:
        return Flaw("tls.crt and tls.key are not both there in PEM form")
    if not certificate.not_valid_before_utc <= now < life[1]:
        return Flaw(f"tls.crt is valid from {life[0]:%F %TZ} to {life[1]:%F %TZ} only")
    signer = next((each for each in trust if has_signed(each.certificate, certificate)), None)
    if signer is None:
        return Flaw("tls.crt is signed by no CA that clients trust")
    return Served(since=life[0], until=life[1], names=names, signed_by=signer)


def bundle(authorities: Iterable[Ca]) -> bytes:
    """What clients get."""
    return b"".join(each.pem for each in authorities)


def _blocks(pem: bytes) -> list[bytes]:
    pieces = [piece.partition(_BEGIN) for piece in pem.split(_END)]
    return [begin + inside + _END + b"\n" for _, begin, inside in pieces if begin]


def _ca(pem: bytes, *, now: datetime) -> Ca | Flaw:
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        since, until = _life(certificate)
        whole = certificate.public_bytes(serialization.Encoding.PEM)
    except CANNOT_READ:
        return Flaw("holds a certificate that cannot be read")
    if now >= until:
        return Flaw(f"holds a certificate that ended at {until:%F %TZ}")
    return Ca(pem=whole, since=since, until=until)


def _life(certificate: x509.Certificate) -> tuple[datetime, datetime]:
    """When it was made, which is a little after it is valid from, and when it ends."""
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return min(begins + SKEW, max(begins, ends - timedelta(seconds=1))), ends


def _names(certificate: x509.Certificate) -> frozenset[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    addresses = (str(each) for each in found.get_values_for_type(x509.IPAddress))
    return frozenset((*found.get_values_for_type(x509.DNSName), *addresses))


def _unfit(certificate: x509.Certificate, private: ec.EllipticCurvePrivateKey) -> str:
    """Why API servers would not believe a leaf that it signs; empty where they would.

    Somebody may have put a CA of another purpose there. https://pkg.go.dev/crypto/x509#Certificate.Verify
    """
    try:
        found = {type(each.value): each.value for each in certificate.extensions}
    except CANNOT_READ:
        return "its certificate has extensions that cannot be read"
    basic, usage = found.get(x509.BasicConstraints), found.get(x509.KeyUsage)
    purposes = found.get(x509.ExtendedKeyUsage)
    problems = {
        "its certificate is not a CA's": not isinstance(basic, x509.BasicConstraints) or not basic.ca,
        "its key is on a curve that API servers do not know": not isinstance(private.curve, _CURVES),
        "its certificate may not sign others (key usage)": isinstance(usage, x509.KeyUsage)
        and not usage.key_cert_sign,
        "its certificate is not for servers (extended key usage)": isinstance(purposes, x509.ExtendedKeyUsage)
        and not _SERVERS & set(purposes),
        "its certificate is for some names alone (name constraints)": x509.NameConstraints in found,
    }
    return next((problem for problem, holds in problems.items() if holds), "")


def _public(holder: object) -> bytes:
    public = holder.public_key()  # type: ignore[attr-defined]  # keys and certificates alike
    return bytes(
        public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
