"""Settings: flags over environment over defaults, and every fault named with its mend."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.settings import BridgeSettings, ExtenderSettings, SettingsError, WebhookSettings, load


@pytest.fixture
def pem(tmp_path: Path) -> str:
    path = tmp_path / "some.pem"
    path.write_text("pem")
    return str(path)


@pytest.fixture(autouse=True)
def loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers of these tests listen on loopback, where they need no certificate."""
    monkeypatch.setenv("SPILLWAY_HOST", "127.0.0.1")


def kubelet(pem: str) -> dict[str, str]:
    return {"kubelet_cert": pem, "kubelet_key": pem, "kubelet_client_ca": pem, "subnets": "subnet-a"}


def test_a_flag_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPILLWAY_PORT", "1111")
    assert load(ExtenderSettings, {"port": "2222"}).port == 2222


def test_the_environment_wins_over_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPILLWAY_PORT", "1111")
    assert load(ExtenderSettings, {"port": None}).port == 1111


def test_an_empty_variable_is_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPILLWAY_PORT", "")
    assert load(ExtenderSettings, {}).port == 8443


def test_lists_are_written_with_commas(monkeypatch: pytest.MonkeyPatch, pem: str) -> None:
    monkeypatch.setenv("SPILLWAY_SECURITY_GROUPS", "sg-1, sg-2")
    loaded = load(BridgeSettings, {**kubelet(pem), "subnets": "subnet-a,subnet-b"})
    assert (loaded.subnets, loaded.security_groups) == (("subnet-a", "subnet-b"), ("sg-1", "sg-2"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("90", timedelta(seconds=90), id="plain seconds"),
        pytest.param("2m", timedelta(minutes=2), id="minutes"),
        pytest.param("1h30m", timedelta(minutes=90), id="mixed"),
    ],
)
def test_durations_are_written_as_people_do(text: str, expected: timedelta) -> None:
    assert load(ExtenderSettings, {"max_wait": text}).max_wait == expected


def test_a_wrong_value_is_named_with_its_flag_and_variable() -> None:
    with pytest.raises(SettingsError, match=r"--max-wait \(SPILLWAY_MAX_WAIT\).*1h30m"):
        load(ExtenderSettings, {"max_wait": "soon"})


def test_every_fault_is_named_not_the_first() -> None:
    with pytest.raises(SettingsError) as caught:
        load(ExtenderSettings, {"port": "99999", "grant_ttl": "x", "log_level": "loud"})
    assert len(str(caught.value).splitlines()) == 3


def test_a_webhook_without_a_certificate_is_refused() -> None:
    with pytest.raises(SettingsError, match="HTTPS only"):
        load(WebhookSettings, {})


def test_a_certificate_without_its_key_is_refused(pem: str) -> None:
    with pytest.raises(SettingsError, match="go together"):
        load(ExtenderSettings, {"tls_cert": pem})


def test_a_certificate_that_is_not_there_is_refused(pem: str) -> None:
    with pytest.raises(SettingsError, match="is not a file"):
        load(ExtenderSettings, {"tls_cert": pem + ".missing", "tls_key": pem})


def test_a_bridge_without_subnets_is_refused(pem: str) -> None:
    with pytest.raises(SettingsError, match="subnet-0abc"):
        load(BridgeSettings, {**kubelet(pem), "subnets": ""})


def test_a_bridge_that_anyone_may_read_logs_from_is_refused(pem: str) -> None:
    with pytest.raises(SettingsError, match="kubelet-client-ca"):
        load(BridgeSettings, {"subnets": "subnet-a", "kubelet_cert": pem, "kubelet_key": pem})


def test_a_nodes_lease_must_leave_time_to_renew_it(pem: str) -> None:
    with pytest.raises(SettingsError, match="write 4s or more"):
        load(BridgeSettings, {**kubelet(pem), "subnets": "subnet-a", "lease_duration": "3s"})


def test_an_extender_without_a_certificate_listens_on_loopback_alone() -> None:
    with pytest.raises(SettingsError, match="plain HTTP is for loopback only"):
        load(ExtenderSettings, {"host": "0.0.0.0"})


def test_settings_do_not_change() -> None:
    loaded = load(ExtenderSettings, {})
    with pytest.raises(ValueError, match="frozen"):
        loaded.port = 1
