"""What a Secret is to hold after each command."""

from datetime import timedelta

import pytest

from app.issuer import certificates
from app.issuer.certificates import Ca, Served
from app.issuer.commands import (
    DropNext,
    IssueLeaf,
    KeepPrevious,
    MakeCa,
    MakeNext,
    Promote,
    Publish,
    SecretCommand,
    Tidy,
)
from app.issuer.holdings import SINCE, Objects
from app.issuer.material import Content, content
from tests.builders import NOON
from tests.issuer.fakes import CA, CONFIG, TLS
from tests.issuer.material import DAY, a_ca, a_leaf, a_secret, ca_data, tls_data

OURS, SUCCESSOR, FORMER = a_ca("ours"), a_ca("successor"), a_ca("former")
SEEN = Objects(
    ca=a_secret({**ca_data(OURS, following=SUCCESSOR), "token": b"x"}),
    tls=a_secret({**tls_data(a_leaf(OURS), OURS), "token": b"x"}),
)
TRUSTED = certificates.trusted(FORMER.cert_pem, now=NOON)[0]
UNTIL = NOON + CONFIG.leaf_validity
FEW_SECONDS = timedelta(seconds=5)


def wanted(command: SecretCommand, seen: Objects = SEEN) -> Content:
    return content(command, seen, config=CONFIG, now=NOON)


@pytest.mark.parametrize(
    ("command", "name", "put", "taken"),
    [
        pytest.param(
            MakeCa(previous=TRUSTED, why=""),
            CA,
            {"ca.crt", "ca.key", "previous.crt"},
            {"next.crt", "next.key"},
            id="a CA in the place of one that is lost",
        ),
        pytest.param(
            MakeCa(previous=(), why=""),
            CA,
            {"ca.crt", "ca.key"},
            {"next.crt", "next.key", "previous.crt"},
            id="the first CA",
        ),
        pytest.param(
            MakeNext(signs=NOON, why=""), CA, {"next.crt", "next.key"}, set(), id="an announced successor"
        ),
        pytest.param(DropNext(why=""), CA, set(), {"next.crt", "next.key"}, id="no successor"),
        pytest.param(
            Promote(previous=TRUSTED, why=""),
            CA,
            {"ca.crt", "ca.key", "previous.crt"},
            {"next.crt", "next.key"},
            id="a successor that signs",
        ),
        pytest.param(
            KeepPrevious(previous=TRUSTED, why=""), CA, {"previous.crt"}, set(), id="former CAs stay"
        ),
        pytest.param(KeepPrevious(previous=(), why=""), CA, set(), {"previous.crt"}, id="former CAs go"),
        pytest.param(
            IssueLeaf(until=UNTIL, bundle=b"b", since=NOON, why=""),
            TLS,
            {"tls.crt", "tls.key", "ca.crt"},
            set(),
            id="a leaf",
        ),
        pytest.param(Publish(bundle=b"b", since=NOON, why=""), TLS, {"ca.crt"}, set(), id="a bundle"),
        pytest.param(Tidy(secret=CA, why=""), CA, set(), {"token"}, id="a stranger beside the CA"),
        pytest.param(Tidy(secret=TLS, why=""), TLS, set(), {"token"}, id="a stranger beside the leaf"),
    ],
)
def test_a_command_sets_and_takes_out_its_own_keys_alone(
    command: SecretCommand, name: str, put: set[str], taken: set[str]
) -> None:
    found = wanted(command)
    assert found.name == name
    assert {key for key, value in found.data.items() if value is not None} == put
    assert {key for key, value in found.data.items() if value is None} == taken


def test_a_promoted_ca_keeps_its_own_key() -> None:
    data = wanted(Promote(previous=(), why="")).data
    assert (data["ca.crt"], data["ca.key"]) == (SUCCESSOR.cert_pem, SUCCESSOR.key_pem)


def test_each_new_ca_has_a_key_of_its_own_and_signs_for_as_long_as_it_is_configured() -> None:
    one, other = (wanted(MakeCa(previous=(), why="")).data for _ in range(2))
    read = certificates.authority(one["ca.crt"] or b"", one["ca.key"] or b"", now=NOON)
    assert isinstance(read, Ca)
    assert abs(read.until - NOON - CONFIG.ca_validity) < FEW_SECONDS
    assert one["ca.key"] != other["ca.key"]


def test_a_leaf_is_signed_by_the_current_ca_and_ends_when_it_was_decided() -> None:
    data = wanted(IssueLeaf(until=NOON + DAY, bundle=b"b", since=NOON, why="")).data
    trust = certificates.trusted(OURS.cert_pem, now=NOON)[0]
    read = certificates.leaf(data["tls.crt"] or b"", data["tls.key"] or b"", trust, now=NOON)
    assert isinstance(read, Served)
    assert abs(read.until - NOON - DAY) < FEW_SECONDS
    assert read.names == CONFIG.names


def test_since_when_a_bundle_is_held_goes_with_it() -> None:
    assert wanted(Publish(bundle=b"b", since=NOON, why="")).annotations == {
        SINCE: "2026-01-01T12:00:00.000000Z"
    }


def test_a_change_is_of_the_secret_that_was_read() -> None:
    assert wanted(Publish(bundle=b"b", since=NOON, why="")).before is SEEN.tls
    assert wanted(DropNext(why="")).before is SEEN.ca
    assert wanted(MakeCa(previous=(), why=""), Objects()).before is None
