"""When served certificates end, as a metric."""

import ssl

import pytest
import structlog
from prometheus_client import CollectorRegistry

from app.tls.authority import Authority, Leaf, expires
from app.tls.expiry import METRIC, CertificateExpiry, unheard
from app.tls.serving_context import ServingContext
from app.tls.validity import refuse_ended
from tests.builders import NOON

CA = Authority.create("ca", now=NOON, days=10)
PAIR = CA.issue("web", now=NOON, server=True, days=90)


def shown(registry: CollectorRegistry, certificate: str = "kubelet", node: str = "fargate") -> float | None:
    return registry.get_sample_value(METRIC, {"certificate": certificate, "node": node})


def test_it_is_the_unix_time_of_the_end() -> None:
    registry = CollectorRegistry()
    CertificateExpiry(registry).of("webhook")(PAIR)
    assert shown(registry, "webhook", "") == expires(PAIR.cert_pem).timestamp()


def test_a_chain_ends_with_its_first_to_end() -> None:
    registry = CollectorRegistry()
    chain = Leaf(cert_pem=PAIR.cert_pem + CA.cert_pem, key_pem=PAIR.key_pem)
    CertificateExpiry(registry).of("webhook")(chain)
    assert shown(registry, "webhook", "") == expires(CA.cert_pem).timestamp()


def test_each_node_has_its_own_and_it_follows_what_is_taken_into_service() -> None:
    registry = CollectorRegistry()
    expiry = CertificateExpiry(registry)
    context = ServingContext(loaded=expiry.of("kubelet", node="fargate"))
    assert shown(registry) is None
    context.present(PAIR)
    assert shown(registry) == expires(PAIR.cert_pem).timestamp()
    context.present(CA.issue("web", now=NOON, server=True, days=5))
    assert shown(registry) == (NOON.timestamp() + 5 * 86400)
    assert shown(registry, node="other") is None


def test_a_pair_that_cannot_be_served_shows_nothing_new() -> None:
    registry = CollectorRegistry()
    context = ServingContext(loaded=CertificateExpiry(registry).of("kubelet", node="fargate"))
    context.present(PAIR)
    with pytest.raises(OSError, match="KEY_VALUES_MISMATCH"):
        context.present(Leaf(cert_pem=CA.cert_pem, key_pem=PAIR.key_pem))
    assert shown(registry) == expires(PAIR.cert_pem).timestamp()


def test_what_cannot_be_read_is_told_and_not_shown() -> None:
    registry = CollectorRegistry()
    expiry = CertificateExpiry(registry)
    expiry.shows("kubelet", PAIR.cert_pem, node="fargate")
    with structlog.testing.capture_logs() as told:
        expiry.shows("kubelet", b"junk", node="fargate")
    assert shown(registry) is None
    assert [each["certificate"] for each in told] == ["kubelet"]


def test_what_is_gone_is_shown_no_longer_and_nothing_is_told() -> None:
    registry = CollectorRegistry()
    expiry = CertificateExpiry(registry)
    expiry.shows("ca", CA.cert_pem)
    with structlog.testing.capture_logs() as told:
        expiry.shows("ca", b"")
        expiry.forget("ca")
    assert shown(registry, "ca", "") is None
    assert told == []


def test_a_server_need_not_be_followed() -> None:
    context = ServingContext(loaded=unheard)
    context.present(PAIR)
    assert context.pair == PAIR


def test_a_certificate_of_a_version_that_nobody_uses_has_no_end_and_breaks_nothing() -> None:
    """OpenSSL takes it; `cryptography` does not."""
    der = ssl.PEM_cert_to_DER_cert(PAIR.cert_pem.decode())
    v2 = ssl.DER_cert_to_PEM_cert(der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x01", 1)).encode()
    odd = Leaf(cert_pem=v2, key_pem=PAIR.key_pem)
    registry = CollectorRegistry()
    ServingContext(loaded=CertificateExpiry(registry).of("webhook")).present(odd)
    refuse_ended(odd, served=PAIR, now=NOON)
    assert shown(registry, "webhook", "") is None
