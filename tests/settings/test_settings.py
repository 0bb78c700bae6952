"""Settings: flags over environment over defaults, and every fault named with its mend."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

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
    with pytest.raises(SettingsError, match=r"SPILLWAY_MAX_WAIT, extender\.settings\.maxWait.*1h30m"):
        load(ExtenderSettings, {"max_wait": "soon"})


def test_without_a_word_no_budget_holds_and_the_gate_is_automatic() -> None:
    loaded = load(ExtenderSettings, {})
    assert (loaded.gate, loaded.max_pods, loaded.max_vcpu, loaded.max_hourly_cost) == (
        "auto",
        None,
        None,
        None,
    )


def test_budgets_are_numbers_from_nothing_up() -> None:
    loaded = load(ExtenderSettings, {"max_pods": "0", "max_vcpu": "2.5", "max_hourly_cost": "12.50"})
    assert (loaded.max_pods, loaded.max_vcpu, loaded.max_hourly_cost) == (0, 2.5, 12.5)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("max_pods", "-1", id="less than nothing"),
        pytest.param("max_pods", "1.5", id="half a pod"),
        pytest.param("max_vcpu", "nan", id="no number"),
        pytest.param("max_hourly_cost", "inf", id="boundless"),
        pytest.param("max_hourly_cost", "$12", id="with its currency"),
        pytest.param("gate", "shut", id="an unknown mode"),
    ],
)
def test_a_budget_or_a_mode_that_means_nothing_is_refused(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match="--" + name.replace("_", "-")):
        load(ExtenderSettings, {name: text})


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


def test_a_bridge_needs_a_certificate_or_somebody_who_signs_one(pem: str) -> None:
    given = {"subnets": "subnet-a"}
    with pytest.raises(SettingsError, match=r"or --kubelet-cert-signer \(bridge\.settings\."):
        load(BridgeSettings, given)
    load(BridgeSettings, {**given, "kubelet_cert": pem, "kubelet_key": pem})
    load(BridgeSettings, {**given, "kubelet_cert_signer": "kubernetes.io/kubelet-serving"})


def test_half_a_certificate_is_refused_even_with_a_signer(pem: str) -> None:
    signer = {"kubelet_cert_signer": "kubernetes.io/kubelet-serving", "subnets": "subnet-a"}
    with pytest.raises(SettingsError, match=r"--kubelet-key \(bridge\.kubeletTls\.existingSecret\)"):
        load(BridgeSettings, {**signer, "kubelet_cert": pem})


def test_approving_needs_a_signer(pem: str) -> None:
    with pytest.raises(SettingsError, match="name it in --kubelet-cert-signer"):
        load(BridgeSettings, {**kubelet(pem), "kubelet_cert_approve": True})


def test_authorities_that_are_no_file_are_refused(pem: str) -> None:
    with pytest.raises(SettingsError, match="is not a file"):
        load(BridgeSettings, {**kubelet(pem), "kubelet_client_ca": pem + ".missing"})


def test_a_nodes_lease_must_leave_time_to_renew_it(pem: str) -> None:
    with pytest.raises(SettingsError, match="write 4s or more"):
        load(BridgeSettings, {**kubelet(pem), "subnets": "subnet-a", "lease_duration": "3s"})


def test_usage_is_not_asked_for_more_often_than_every_second(pem: str) -> None:
    with pytest.raises(SettingsError, match="write 1s or more"):
        load(BridgeSettings, {**kubelet(pem), "subnets": "subnet-a", "usage_period": "0s"})


def test_an_extender_without_a_certificate_listens_on_loopback_alone() -> None:
    with pytest.raises(SettingsError, match="plain HTTP is for loopback only"):
        load(ExtenderSettings, {"host": "0.0.0.0"})


def test_priority_classes_are_written_as_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPILLWAY_PRIORITY_CLASSES", "batch=wait, *=burst")
    assert load(ExtenderSettings, {}).priority_classes == ("batch=wait", "*=burst")


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        pytest.param("batch=evict", "preempt-first", id="an unknown word"),
        pytest.param("batch", 'has no "="', id="no word"),
        pytest.param("a=wait,a=burst", "twice", id="a name twice"),
    ],
)
def test_priority_classes_that_mean_nothing_are_named_with_the_mend(text: str, mend: str) -> None:
    with pytest.raises(SettingsError, match=rf"--priority-classes.*{mend}"):
        load(ExtenderSettings, {"priority_classes": text})


def test_a_scheduler_of_ones_own_and_the_toleration_exclude_each_other(tmp_path: Path) -> None:
    pem = tmp_path / "tls.pem"
    pem.touch()
    flags = {"tls_cert": str(pem), "tls_key": str(pem), "scheduler_name": "overflow"}
    assert load(WebhookSettings, flags).scheduler_name == "overflow"
    with pytest.raises(SettingsError, match=r"--actuator \(actuator\) toleration exclude each other"):
        load(WebhookSettings, {**flags, "actuator": "toleration"})


def test_an_actuator_that_is_none_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"--actuator \(SPILLWAY_ACTUATOR, actuator\)"):
        load(ExtenderSettings, {"actuator": "webhook"})


def test_settings_do_not_change() -> None:
    loaded = load(ExtenderSettings, {})
    with pytest.raises(ValueError, match="frozen"):
        loaded.port = 1


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        pytest.param({"low_watermark": 0.9}, "highWatermark) 0.9: the pressure", id="both at once"),
        pytest.param(
            {"high_watermark": 0.5}, "lowWatermark) 0.75 is not less", id="high below the default low"
        ),
        pytest.param({"high_watermark": 1.5}, "--high-watermark", id="more than all of it"),
        pytest.param({"dwell": "soon"}, "--dwell", id="no duration"),
    ],
)
def test_watermarks_that_make_no_sense_are_refused(flags: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(said)):
        load(ExtenderSettings, flags)


def test_early_burst_needs_a_scheduler_that_asks() -> None:
    with pytest.raises(SettingsError, match=r"set --actuator \(actuator\) to scheduler"):
        load(ExtenderSettings, {"early_burst": True, "actuator": "toleration"})


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        pytest.param({"node_shape": "m7i.large"}, "cpu=3900m,memory=14Gi", id="a shape that is a type"),
        pytest.param({"node_hourly_price": "0"}, "--node-hourly-price", id="a node for nothing"),
        pytest.param({"node_stay": "0"}, "1s or more", id="no stay"),
        pytest.param({"handover_timeout": "0s"}, "1s or more", id="no patience"),
        pytest.param({"handover_max_nodes": "0"}, "--handover-max-nodes", id="no nodes"),
        pytest.param(
            {"handover": True, "return_home": False},
            "returnHome) does: leave the latter on",
            id="no way home",
        ),
    ],
)
def test_hand_overs_that_make_no_sense_are_refused(flags: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(ExtenderSettings, {"host": "127.0.0.1", **flags})
    assert said in str(caught.value)


def test_hand_over_spends_nothing_unless_it_is_switched_on() -> None:
    assert not load(ExtenderSettings, {"host": "127.0.0.1"}).handover


def test_kubectl_exec_is_let_in_by_itself_unless_told_otherwise(pem: str) -> None:
    assert load(BridgeSettings, kubelet(pem)).exec == "auto"
    assert load(BridgeSettings, {**kubelet(pem), "exec": "off"}).exec == "off"


def test_kubectl_exec_is_on_off_or_auto(pem: str) -> None:
    with pytest.raises(SettingsError, match="exec"):
        load(BridgeSettings, {**kubelet(pem), "exec": "sometimes"})
