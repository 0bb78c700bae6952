"""Certificates as their callers judge them."""

from datetime import timedelta
from typing import Any

import pytest

from app.doctor.certificates import check
from app.doctor.finding import Level
from app.doctor.seen import Served, Unread
from app.tls.authority import Authority
from tests.builders import NOON
from tests.doctor.look import a_look, not_ok

NAME = "spillway-webhook.spillway.svc"
OURS = Authority.create("ours", now=NOON)
ANOTHER = Authority.create("another", now=NOON)


def a_leaf(
    *, authority: Authority = OURS, dns: tuple[str, ...] = (NAME,), ips: tuple[str, ...] = (), days: int = 90
) -> bytes:
    made = NOON if days > 0 else NOON - timedelta(days=10)
    life = days if days > 0 else 10 + days
    return authority.issue("leaf", now=made, dns=dns, ips=ips, server=True, days=life).cert_pem


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
            served(a_leaf(), host="10.0.0.7", what="the node's API of fargate"),
            Level.WARN,
            "is not for 10.0.0.7",
            id="node-api",
        ),
        pytest.param(served(a_leaf(days=-3)), Level.FAIL, "ended at 2025-12-29", id="ended"),
        pytest.param(served(a_leaf(days=13)), Level.WARN, "in 13 days", id="ends-soon"),
        pytest.param(served(b""), Level.FAIL, "is not there yet", id="empty-secret"),
        pytest.param(served(b"x"), Level.FAIL, "is none that can be read", id="no-certificate"),
        pytest.param(served(Unread("no route")), Level.SKIP, "(no route)", id="unseen"),
    ],
)
def test_what_callers_refuse_is_told(certificate: Served, level: Level, said: str) -> None:
    [(found, seen)] = not_ok(check, a_look(certificates=(certificate,)))
    assert (found, said in seen) == (level, True)
