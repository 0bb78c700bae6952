"""Certificates as their callers judge them."""

import ssl
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.doctor.certificates import check
from app.doctor.finding import Level
from app.doctor.seen import Served, Unread
from app.tls.authority import Authority
from tests.builders import NOON
from tests.doctor.look import a_look, not_ok

NAME = "spillway-webhook.spillway.svc"
OURS = Authority.create("ours", now=NOON)
ANOTHER = Authority.create("another", now=NOON)
OLD = Authority.create("old", now=NOON - timedelta(days=90), days=89)


def a_leaf(
    *,
    authority: Authority = OURS,
    dns: tuple[str, ...] = (NAME,),
    ips: tuple[str, ...] = (),
    made: datetime = NOON,
    days: int = 90,
) -> bytes:
    return authority.issue("leaf", now=made, dns=dns, ips=ips, server=True, days=days).cert_pem


def served(chain: bytes | Unread, **changes: Any) -> Served:
    fields = {
        "what": "the webhook's certificate",
        "where": "Secret spillway/spillway-tls",
        "host": NAME,
        "trusted": OURS.cert_pem,
        "chain": chain,
    }
    return Served(**{**fields, **changes})


@pytest.mark.parametrize(
    "certificate",
    [
        pytest.param(served(a_leaf()), id="signed-by-the-bundle"),
        pytest.param(served(a_leaf(), trusted=ANOTHER.cert_pem + OURS.cert_pem), id="one-of-two-in-rotation"),
        pytest.param(served(a_leaf(dns=("*.spillway.svc",))), id="wildcard"),
        pytest.param(served(a_leaf(dns=(), ips=("10.0.0.7",)), host="10.0.0.7"), id="address"),
        pytest.param(served(a_leaf(), trusted=b""), id="trust-unknown"),
        pytest.param(served(OURS.cert_pem, host=""), id="the-authority-itself"),
    ],
)
def test_what_callers_trust_is_well(certificate: Served) -> None:
    assert not_ok(check, a_look(certificates=(certificate,))) == []


@pytest.mark.parametrize(
    ("certificate", "level", "said"),
    [
        pytest.param(
            served(a_leaf(authority=ANOTHER)), Level.FAIL, "not signed by whom callers trust", id="stranger"
        ),
        pytest.param(served(a_leaf(), trusted=b"garbage"), Level.FAIL, "not signed by", id="garbage-bundle"),
        pytest.param(served(a_leaf(dns=("other.svc",))), Level.FAIL, f"is not for {NAME}", id="name"),
        pytest.param(served(a_leaf(dns=())), Level.FAIL, f"is not for {NAME}", id="no-names"),
        pytest.param(
            served(a_leaf(), host="10.0.0.7", what="the node's API of fargate", is_verified=False),
            Level.WARN,
            "is not for 10.0.0.7",
            id="node-api",
        ),
        pytest.param(
            served(a_leaf(made=NOON - timedelta(days=10), days=7)),
            Level.FAIL,
            "ended at 2025-12-29",
            id="ended",
        ),
        pytest.param(
            served(a_leaf(made=NOON + timedelta(days=1))),
            Level.FAIL,
            "is not valid before 2026-01-02T11:55:00Z",
            id="not-begun",
        ),
        pytest.param(
            served(a_leaf(authority=OLD), trusted=OLD.cert_pem),
            Level.FAIL,
            "not signed by",
            id="ended-bundle",
        ),
        pytest.param(served(a_leaf(days=13)), Level.WARN, "in 13 days", id="ends-soon"),
        pytest.param(served(b""), Level.FAIL, "is not there yet", id="empty-secret"),
        pytest.param(served(b"x"), Level.FAIL, "is none that can be read", id="no-certificate"),
        pytest.param(served(Unread("no route")), Level.SKIP, "(no route)", id="unseen"),
    ],
)
def test_what_callers_refuse_is_told(certificate: Served, level: Level, said: str) -> None:
    [(found, seen)] = not_ok(check, a_look(certificates=(certificate,)))
    assert (found, said in seen) == (level, True)


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@given(where=st.integers(min_value=0, max_value=600), value=st.integers(0, 255), in_bundle=st.booleans())
@settings(max_examples=300)
def test_no_damage_keeps_the_doctor_from_its_line(where: int, value: int, in_bundle: bool) -> None:
    whole = OURS.cert_pem if in_bundle else a_leaf()
    der = ssl.PEM_cert_to_DER_cert(whole.decode())
    at = where % len(der)
    damaged = ssl.DER_cert_to_PEM_cert(der[:at] + bytes([value]) + der[at + 1 :]).encode()
    seen = served(a_leaf(), trusted=damaged) if in_bundle else served(damaged)
    [found] = check(a_look(certificates=(seen,)))
    assert found.subject == "certificate"
