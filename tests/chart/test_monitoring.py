"""Alerts, dashboard and monitors say what the programs really count and serve."""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry

from app.aws.metrics import AwsMetrics
from app.bridge.metrics import BridgeMetrics
from app.extender.lookouts import LookoutMetrics
from app.extender.metrics import GateMetrics, HandoverMetrics, HomingMetrics, ServerMetrics
from app.issuer.metrics import IssuerMetrics
from app.kube.metrics import WatchMetrics
from app.kubelet.metrics import KubeletMetrics
from app.tls.expiry import CertificateExpiry
from app.webhook.metrics import WebhookMetrics
from tests.chart.rendering import (
    CHART,
    KUBERNETES,
    ROOT,
    Json,
    combination,
    helm,
    metric_names,
    objects,
    one,
    rendered,
)

ALERTS = yaml.safe_load((CHART / "rules" / "alerts.yaml").read_text())["groups"]
DASHBOARD = json.loads((CHART / "dashboards" / "spillway.json").read_text())
ALERT_NAMES = {rule["alert"] for group in ALERTS for rule in group["rules"]}
RULES = [pytest.param(rule, id=rule["alert"]) for group in ALERTS for rule in group["rules"]]
QUERIES = [
    pytest.param(target["expr"], id=f"{panel['title']} {target['refId']}")
    for panel in DASHBOARD["panels"]
    for target in panel.get("targets", [])
]


@pytest.fixture(scope="session")
def fresh() -> CollectorRegistry:
    """What the programs show at their start."""
    registry = CollectorRegistry()
    for metrics in (
        AwsMetrics,
        BridgeMetrics,
        CertificateExpiry,
        GateMetrics,
        HandoverMetrics,
        HomingMetrics,
        IssuerMetrics,
        KubeletMetrics,
        LookoutMetrics,
        ServerMetrics,
        WatchMetrics,
        WebhookMetrics,
    ):
        metrics(registry)
    return registry


@pytest.fixture(scope="session")
def counted(fresh: CollectorRegistry) -> frozenset[str]:
    """The names of all series that the programs have."""
    return frozenset(fresh._names_to_collectors)


KUBE_STATE_METRICS = {"kube_deployment_status_replicas_available"}
"""Of kube-state-metrics: what the second kube-scheduler itself serves takes a token."""


@pytest.mark.parametrize("rule", RULES)
def test_an_alert_asks_for_metrics_that_there_are(rule: Json, counted: frozenset[str]) -> None:
    asked = set(re.findall(r"\b(?:spillway|kube)_[a-z0-9_]+", rule["expr"]))
    assert asked
    assert asked - counted - KUBE_STATE_METRICS == set()


FIRST_TIME = re.compile(r'increase\((\w+)\{outcome=~?"([^"]+)"\}\[\w+\]\)\) > 0$')
OUTCOMES = [
    pytest.param(found[1], outcome, id=f"{found[1]} {outcome}")
    for group in ALERTS
    for rule in group["rules"]
    for found in FIRST_TIME.finditer(rule["expr"])
    for outcome in found[2].split("|")
]


@pytest.mark.parametrize(("counter", "outcome"), OUTCOMES)
def test_what_raises_an_alarm_the_first_time_is_counted_from_zero(
    fresh: CollectorRegistry, counter: str, outcome: str
) -> None:
    """A series that begins with 1 has not increased, for Prometheus."""
    found = [
        sample.value
        for metric in fresh.collect()
        for sample in metric.samples
        if sample.name == counter and sample.labels["outcome"] == outcome
    ]
    assert set(found) == {0.0}


@pytest.mark.parametrize("query", QUERIES)
def test_a_panel_asks_for_metrics_that_there_are(query: str, counted: frozenset[str]) -> None:
    assert metric_names(query)
    assert metric_names(query) - counted == set()


@pytest.mark.parametrize("rule", RULES)
def test_an_alert_says_what_it_means_and_what_to_do(rule: Json) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert len(rule["annotations"]["summary"]) < 80
    assert len(rule["annotations"]["description"]) > 60


def test_every_alert_has_its_section_in_the_runbook() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    headings = {line.strip("#` ") for line in text.splitlines() if line.startswith("#")}
    assert ALERT_NAMES - headings == set()


@pytest.mark.parametrize(
    ("verb", "file"),
    [
        pytest.param("check", CHART / "rules" / "alerts.yaml", id="they are valid"),
        pytest.param("test", Path(__file__).with_name("alerts_test.yaml"), id="they fire when they should"),
    ],
)
def test_prometheus_agrees_to_the_alerts(verb: str, file: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool (Debian's prometheus) is not on PATH")
    done = subprocess.run([promtool, verb, "rules", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def monitored(combinations: Mapping[str, tuple[Json, ...]]) -> tuple[Json, ...]:
    return combinations["monitoring"]


def groups(all_objects: tuple[Json, ...]) -> dict[str, Json]:
    (made,) = (each for each in all_objects if each["kind"] == "PrometheusRule")
    found = made["spec"]["groups"]
    return {rule["alert"]: rule for group in found for rule in group["rules"]}


RUNBOOK = "https://docs.example/spillway/operations/"


def test_rendered_alerts_carry_their_runbook_and_the_wished_labels(monitored: tuple[Json, ...]) -> None:
    found = groups(monitored)["SpillwayNobodyLeads"]
    assert found["annotations"]["runbook_url"] == f"{RUNBOOK}#spillwaynobodyleads"
    assert found["labels"] == {"severity": "critical", "team": "platform"}


def test_where_nobody_serves_the_runbook_no_alert_names_it() -> None:
    found = groups(rendered({"monitoring": {"prometheusRule": {"enabled": True}}}))
    assert [name for name, rule in found.items() if "runbook_url" in rule["annotations"]] == []


def test_alerts_can_be_left_out(monitored: tuple[Json, ...]) -> None:
    left_out = ALERT_NAMES - groups(monitored).keys()
    assert left_out == {"SpillwayOrphansStopped", "SpillwaySchedulerDown"}


def test_the_second_scheduler_is_watched_where_it_is_under_its_own_name() -> None:
    wish = {"monitoring": {"prometheusRule": {"enabled": True}}, "fullnameOverride": "burst"}
    rule = groups(rendered(wish, base="second-scheduler"))["SpillwaySchedulerDown"]
    assert 'namespace="spillway", deployment="burst-scheduler"' in rule["expr"]


def test_alerts_name_the_releases_own_namespace(monitored: tuple[Json, ...]) -> None:
    description = groups(monitored)["SpillwayWebhookAbsent"]["annotations"]["description"]
    assert "kubectl -n spillway describe" in description


def test_commands_of_alerts_name_the_releases_own_objects() -> None:
    outcome = helm(
        4,
        "template",
        "burst",
        CHART,
        "--namespace=overflow",
        f"--kube-version={KUBERNETES}",
        values=combination("monitoring"),
    )
    found = groups(objects(outcome.output))
    told = "\n".join(rule["annotations"]["description"] for rule in found.values())
    assert "--as=system:serviceaccount:overflow:burst-spillway-extender" in told
    assert not re.search(r"-n spillway|serviceaccount:spillway|spillway-bridge-0", told)


def test_who_does_not_run_raises_no_alarm() -> None:
    wish = {"monitoring": {"prometheusRule": {"enabled": True}}, "certificates": {"source": "certManager"}}
    names = groups(rendered(wish, base="bridge-alone")).keys()
    assert "SpillwayBridgeAbsent" in names
    assert not names & {"SpillwayWebhookAbsent", "SpillwayNobodyLeads", "SpillwayIssuerAbsent"}


@pytest.mark.parametrize(
    ("title", "port"),
    [
        ("ServiceMonitor/spillway-webhook", "https"),
        ("ServiceMonitor/spillway-extender", "https"),
        ("ServiceMonitor/spillway-bridge", "http"),
    ],
)
def test_a_monitor_selects_a_service_with_its_port(
    monitored: tuple[Json, ...], title: str, port: str
) -> None:
    monitor = one(monitored, title)
    service = one(monitored, title.replace("ServiceMonitor", "Service"))
    wanted = monitor["spec"]["selector"]["matchLabels"]
    assert wanted.items() <= service["metadata"]["labels"].items()
    assert [each["port"] for each in monitor["spec"]["endpoints"]] == [port]
    assert [each["name"] for each in service["spec"]["ports"]] == [port]


def test_metrics_over_https_are_verified(monitored: tuple[Json, ...]) -> None:
    (endpoint,) = one(monitored, "ServiceMonitor/spillway-extender")["spec"]["endpoints"]
    assert endpoint["tlsConfig"] == {
        "serverName": "spillway-extender.spillway.svc",
        "ca": {"secret": {"name": "spillway-tls", "key": "ca.crt"}},
    }


def test_a_budgets_namespace_is_not_taken_for_the_targets(monitored: tuple[Json, ...]) -> None:
    endpoints = [
        each
        for monitor in monitored
        if monitor["kind"] in {"ServiceMonitor", "PodMonitor"}
        for each in monitor["spec"].get("endpoints", monitor["spec"].get("podMetricsEndpoints"))
    ]
    assert [each["honorLabels"] for each in endpoints] == [True] * 4


def test_the_dashboard_is_what_grafana_loads(monitored: tuple[Json, ...]) -> None:
    found = one(monitored, "ConfigMap/spillway-dashboard")
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(found["data"]["spillway.json"]) == DASHBOARD


def test_what_is_shown_as_one_value_is_asked_for_now() -> None:
    """Over the whole range a gate would show the modes that it had, beside the one that it has."""
    asked = {
        panel["title"]: {(target["instant"], target["range"]) for target in panel["targets"]}
        for panel in DASHBOARD["panels"]
        if panel["type"] in {"stat", "bargauge"}
    }
    assert asked.keys() > {"Gate", "Leaders", "Certificates end in"}
    assert {way for ways in asked.values() for way in ways} == {(True, False)}


def test_the_gate_shows_its_mode_and_not_the_one_that_marks_it() -> None:
    """With a single series Grafana shows nothing but its value."""
    (gate,) = (panel for panel in DASHBOARD["panels"] if panel["title"] == "Gate")
    assert gate["options"] == {"textMode": "name"}


def test_no_panel_lies_over_another() -> None:
    cells = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
