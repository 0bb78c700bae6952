"""Certificates and keys, read from whatever anybody wrote."""

import base64
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from app.issuer import certificates
from app.issuer.certificates import Ca, Flaw, Served
from app.tls.authority import Authority
from tests.builders import NOON
from tests.issuer.fakes import CONFIG
from tests.issuer.material import DAY, a_ca, a_leaf, an_odd_ca

OURS = a_ca("ours", life=10 * DAY)
LEAF = a_leaf(OURS, life=DAY)
TRUST = certificates.trusted(OURS.cert_pem, now=NOON)[0]


def _a_usage(*, key_cert_sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def test_a_ca_knows_when_it_was_made_and_when_it_ends() -> None:
    read = certificates.authority(OURS.cert_pem, OURS.key_pem, now=NOON)
    assert isinstance(read, Ca)
    assert (read.since, read.until) == (NOON, NOON + 10 * DAY)
    assert read.announce_successor_at() == NOON + 8 * DAY
    assert read.retire_at(NOON + 8 * DAY) == NOON + 9 * DAY


@pytest.mark.parametrize(
    ("announced", "signs"),
    [
        pytest.param(7 * DAY, 9 * DAY, id="early"),
        pytest.param(8 * DAY, 9 * DAY, id="in time"),
        pytest.param(9 * DAY, 9.5 * DAY, id="late"),
        pytest.param(9.8 * DAY, 9.9 * DAY, id="very late"),
    ],
)
def test_a_successor_that_is_announced_late_leaves_half_of_the_time_that_is_left(
    announced: timedelta, signs: timedelta
) -> None:
    read = certificates.authority(OURS.cert_pem, OURS.key_pem, now=NOON)
    assert isinstance(read, Ca)
    assert read.retire_at(NOON + announced) == NOON + signs


def test_a_leaf_knows_its_names_and_its_ca() -> None:
    read = certificates.leaf(LEAF.cert_pem, LEAF.key_pem, TRUST, now=NOON)
    assert isinstance(read, Served)
    assert (read.names, read.signed_by) == (CONFIG.names, TRUST[0])
    assert (read.since, read.until) == (NOON, NOON + DAY)


def test_addresses_are_names_too() -> None:
    leaf = OURS.issue("x", now=NOON, ips=("10.0.0.7", "fd00::1"), server=True)
    read = certificates.leaf(leaf.cert_pem, leaf.key_pem, TRUST, now=NOON)
    assert isinstance(read, Served)
    assert read.names == {"10.0.0.7", "fd00::1"}


def test_a_leaf_without_names_has_none() -> None:
    leaf = OURS.issue("x", now=NOON, server=True)
    read = certificates.leaf(leaf.cert_pem, leaf.key_pem, TRUST, now=NOON)
    assert isinstance(read, Served)
    assert read.names == frozenset()


def test_a_key_of_another_kind_cannot_sign() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    assert certificates.authority(OURS.cert_pem, pem, now=NOON) == Flaw("its key is no elliptic-curve key")


@pytest.mark.parametrize(
    ("odd", "problem"),
    [
        pytest.param(an_odd_ca(_a_usage(key_cert_sign=False)), "may not sign others", id="key usage"),
        pytest.param(
            an_odd_ca(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])),
            "not for servers",
            id="clients'",
        ),
        pytest.param(
            an_odd_ca(x509.NameConstraints([x509.DNSName("example.org")], None)),
            "some names",
            id="some names'",
        ),
        pytest.param(an_odd_ca(curve=ec.SECP256K1()), "on a curve", id="a curve that Go does not know"),
    ],
)
def test_a_ca_whose_leaves_no_api_server_would_believe_cannot_sign(odd: Authority, problem: str) -> None:
    read = certificates.authority(odd.cert_pem, odd.key_pem, now=NOON)
    assert isinstance(read, Flaw)
    assert problem in read.problem


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(an_odd_ca(), id="nothing said"),
        pytest.param(an_odd_ca(_a_usage(key_cert_sign=True)), id="key usage"),
        pytest.param(an_odd_ca(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])), id="servers'"),
        pytest.param(an_odd_ca(curve=ec.SECP521R1()), id="another curve"),
    ],
)
def test_a_ca_of_others_whose_leaves_are_believed_can_sign(odd: Authority) -> None:
    assert isinstance(certificates.authority(odd.cert_pem, odd.key_pem, now=NOON), Ca)


def test_a_ca_that_is_not_valid_yet_stays_trusted_and_does_not_sign() -> None:
    later = a_ca(made=NOON + DAY)
    (found,), flaws = certificates.trusted(later.cert_pem, now=NOON)
    assert (found.pem, flaws) == (later.cert_pem, ())
    read = certificates.authority(later.cert_pem, later.key_pem, now=NOON)
    assert isinstance(read, Flaw)
    assert "not valid before" in read.problem


def test_an_encrypted_key_cannot_sign() -> None:
    key = serialization.load_pem_private_key(OURS.key_pem, password=None)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    assert isinstance(certificates.authority(OURS.cert_pem, pem, now=NOON), Flaw)


@pytest.mark.parametrize(
    ("pem", "flaws"),
    [
        pytest.param(b"", 0, id="nothing"),
        pytest.param(b"  \n", 0, id="blank"),
        pytest.param(b"words", 1, id="no PEM"),
        pytest.param(b"# ours\n" + OURS.cert_pem + b"\n\n" + OURS.cert_pem, 0, id="comments, and twice"),
        pytest.param(OURS.cert_pem + a_ca(life=timedelta(seconds=-1)).cert_pem, 1, id="one that has ended"),
        pytest.param(OURS.cert_pem[:-40], 1, id="cut off"),
        pytest.param(
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 1, id="no certificate"
        ),
    ],
)
def test_of_a_bundle_the_good_ones_count_and_the_rest_is_told(pem: bytes, flaws: int) -> None:
    found, told = certificates.trusted(pem, now=NOON)
    assert len(told) == flaws
    assert {each.pem for each in found} <= {OURS.cert_pem}


def armoured(der: bytes) -> bytes:
    return b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der) + b"-----END CERTIFICATE-----\n"


def der_of(authority: Authority) -> bytes:
    certificate = x509.load_pem_x509_certificate(authority.cert_pem)
    return certificate.public_bytes(serialization.Encoding.DER)


DERS = (
    der_of(OURS),
    x509.load_pem_x509_certificate(LEAF.cert_pem).public_bytes(serialization.Encoding.DER),
)


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@given(der=st.sampled_from(DERS), where=st.integers(min_value=0, max_value=600), value=st.integers(0, 255))
@settings(max_examples=300)
def test_no_damage_is_more_than_a_flaw(der: bytes, where: int, value: int) -> None:
    at = where % len(der)
    pem = armoured(der[:at] + bytes([value]) + der[at + 1 :])
    for key in (OURS.key_pem, LEAF.key_pem, pem):
        assert isinstance(certificates.authority(pem, key, now=NOON), Ca | Flaw)
        assert isinstance(certificates.leaf(pem, key, TRUST, now=NOON), Served | Flaw)
    found, _ = certificates.trusted(pem, now=NOON)
    assert isinstance(certificates.leaf(LEAF.cert_pem, LEAF.key_pem, found, now=NOON), Served | Flaw)
