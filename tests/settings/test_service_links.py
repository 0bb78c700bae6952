"""Variables that Kubernetes sets for Services called like us are no settings."""

import pytest

from app.settings import BridgeSettings, ExtenderSettings, SettingsError, load
from app.settings.service_links import is_service_link

LINK = "tcp://10.96.0.10:443"


@pytest.fixture(autouse=True)
def loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers of these tests listen on loopback, where they need no certificate."""
    monkeypatch.setenv("SPILLWAY_HOST", "127.0.0.1")


def test_a_service_called_spillway_leaves_the_port_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPILLWAY_PORT", LINK)
    assert load(ExtenderSettings, {}).port == 8443


def test_a_flag_counts_beside_a_service_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPILLWAY_PORT", LINK)
    assert load(ExtenderSettings, {"port": "9443"}).port == 9443


def test_services_called_like_the_bridges_settings_leave_its_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KUBELET", "PROBE", "KUBERNETES"):
        monkeypatch.setenv(f"SPILLWAY_{name}_PORT", LINK)
    loaded = load(BridgeSettings, {"subnets": "subnet-a", "kubelet_cert_signer": "a.example/b"})
    assert (loaded.kubelet_port, loaded.probe_port) == (10250, 8080)


def test_any_other_bad_port_is_refused_and_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPILLWAY_PORT", "https")
    with pytest.raises(SettingsError, match=r'--port \(SPILLWAY_PORT, extender\.settings\.port\): "https": '):
        load(ExtenderSettings, {})


def test_a_long_bad_value_is_quoted_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPILLWAY_PORT", "x" * 1000)
    with pytest.raises(SettingsError) as caught:
        load(ExtenderSettings, {})
    assert f'"{"x" * 60}"' in str(caught.value)


def test_a_value_that_its_fault_quotes_already_is_quoted_once() -> None:
    with pytest.raises(SettingsError) as caught:
        load(ExtenderSettings, {"max_wait": "soon"})
    assert str(caught.value).count('"soon"') == 1


@pytest.mark.parametrize(
    ("name", "value", "is_link"),
    [
        pytest.param("SPILLWAY_PORT", LINK, True, id="docker's form"),
        pytest.param("SPILLWAY_PORT", "udp://[fd00::1]:53", True, id="docker's form, udp and IPv6"),
        pytest.param("SPILLWAY_PORT_443_TCP", LINK, True, id="of one port"),
        pytest.param("SPILLWAY_PORT_443_TCP_ADDR", "10.96.0.10", True, id="its address"),
        pytest.param("SPILLWAY_SERVICE_HOST", "10.96.0.10", True, id="the host"),
        pytest.param("SPILLWAY_WEBHOOK_SERVICE_PORT", "443", True, id="the port"),
        pytest.param("SPILLWAY_WEBHOOK_SERVICE_PORT_HTTPS", "443", True, id="a named port"),
        pytest.param("SPILLWAY_PORT", "8443", False, id="a port that somebody set"),
        pytest.param("SPILLWAY_PORT", "tcp://", False, id="half a link"),
        pytest.param("SPILLWAY_MAX_PODS", "5", False, id="another setting"),
    ],
)
def test_service_links_are_told_from_settings(name: str, value: str, is_link: bool) -> None:
    assert is_service_link(name, value) is is_link
