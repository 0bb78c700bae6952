"""The issuer's settings: lifetimes as people write them, and combinations that cannot work."""

import re
from datetime import timedelta

import pytest

from app.settings import IssuerSettings, SettingsError, load


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("90d", timedelta(days=90), id="days"),
        pytest.param("2160h", timedelta(days=90), id="hours"),
        pytest.param("60d12h", timedelta(days=60, hours=12), id="mixed"),
        pytest.param("7776000", timedelta(days=90), id="plain seconds"),
    ],
)
def test_lifetimes_are_written_as_people_do(text: str, expected: timedelta) -> None:
    assert load(IssuerSettings, {"leaf_validity": text}).leaf_validity == expected


@pytest.mark.parametrize("text", ["", "soon", "-1d", "0s", "1y", "99999d", "1.5d"])
def test_what_is_no_lifetime_is_named(text: str) -> None:
    with pytest.raises(
        SettingsError,
        match=r"SPILLWAY_LEAF_VALIDITY, issuer\.settings\.leafValidity.*90d",
    ):
        load(IssuerSettings, {"leaf_validity": text})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param(
            {"renew_before": "90d"},
            "(issuer.settings.renewBefore) must be shorter",
            id="always due",
        ),
        pytest.param({"renew_before": "5m"}, ".propagation) shorter than --renew-before", id="too late"),
        pytest.param(
            {"ca_validity": "299d"}, "at least ten times --renew-before", id="a CA that is too short"
        ),
        pytest.param({"services": ","}, "give --services or --extra-names (issuer.", id="no name"),
        pytest.param(
            {"ca_secret": "spillway-tls"}, "name another than --tls-secret", id="one Secret for both"
        ),
        pytest.param({"extra_names": "Web.example"}, "Web.example is no DNS name", id="capitals"),
        pytest.param({"services": "a b"}, "a b is no DNS name", id="a blank"),
    ],
)
def test_what_cannot_work_is_told_with_its_mend(given: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(said)):
        load(IssuerSettings, given)


@pytest.mark.parametrize("name", ["localhost", "*.example.com", "10.0.0.7", "fd00::1", "web-1.shop.svc"])
def test_further_names_are_dns_names_and_addresses(name: str) -> None:
    assert load(IssuerSettings, {"extra_names": name}).extra_names == (name,)
