"""values.schema.json and the chart's own checks refuse what cannot work."""

from typing import Any

import pytest

from tests.chart.rendering import Json, rendered, template

BOTH = pytest.mark.parametrize("major", [3, 4])


def settings(program: str, **values: Any) -> Json:
    return {program: {"settings": values}}


UNKNOWN = [
    pytest.param({"webhok": {}}, "webhok", id="a program"),
    pytest.param({"webhook": {"replica": 2}}, "replica", id="a value of a program"),
    pytest.param(settings("extender", maxPod=3), "maxPod", id="a setting"),
    pytest.param(
        settings("bridge", kubeconfig="/x"), "kubeconfig", id="a setting that is the chart's concern"
    ),
    pytest.param({"bridge": {"nodes": [{"name": "a", "zones": "b"}]}}, "zones", id="a field of a node"),
    pytest.param({"certificates": {"secretName": "x"}}, "secretName", id="a value in the wrong place"),
    pytest.param({"image": {"registry": "x"}}, "registry", id="a value of the image"),
    pytest.param(
        {"monitoring": {"serviceMonitor": {"enable": True}}}, "enable", id="a value of the monitoring"
    ),
]
EVIL = 'it\'s "q" {{ .Values.x }}\n- a: b #c'
NAMES = [
    ("priorityClassName",),
    ("fullnameOverride",),
    ("nameOverride",),
    ("image", "repository"),
    ("image", "tag"),
    ("webhook", "serviceAccount", "name"),
    ("bridge", "serviceAccount", "name"),
    ("bridge", "kubeletTls", "existingSecret"),
    ("bridge", "kubeletClientCa", "existingConfigMap"),
    ("bridge", "settings", "nodeName"),
    ("certificates", "provided", "secretName"),
    ("extender", "settings", "placeholderPriorityClass"),
    ("scheduler", "name"),
]
"""Values that become names of objects, or parts of them."""


def at(path: tuple[str, ...], value: Any) -> Json:
    """The value at that place."""
    for name in reversed(path):
        value = {name: value}
    return dict(value)


WRONG = [
    *(pytest.param(at(path, EVIL), path[-1], id=f"{'.'.join(path)} that is no name") for path in NAMES),
    pytest.param({"fullnameOverride": "9lives"}, "fullnameOverride", id="a name that no Service can have"),
    pytest.param({"fullnameOverride": "a" * 41}, "fullnameOverride", id="a name that is too long"),
    pytest.param({"nameOverride": "our.name"}, "nameOverride", id="a name with a dot"),
    pytest.param({"commonLabels": {"app.kubernetes.io/name": "x"}}, "commonLabels", id="a label of ours"),
    pytest.param(
        {"webhook": {"podLabels": {"app.kubernetes.io/component": "x"}}},
        "podLabels",
        id="a label that pods are selected by",
    ),
    pytest.param({"bridge": {"nodes": [{"name": "A_b"}]}}, "name", id="no name of a node"),
    pytest.param(settings("webhook", port=0), "port", id="no port"),
    pytest.param(settings("extender", maxPods=10**25), "maxPods", id="a number that no program can read"),
    pytest.param({"drain": {"timeoutSeconds": 10**20}}, "timeoutSeconds", id="a drain for ever"),
    pytest.param(
        {"revisionHistoryLimit": 10**15}, "revisionHistoryLimit", id="more than Kubernetes can count"
    ),
    pytest.param({"webhook": {"replicas": 0}}, "replicas", id="a webhook without a pod"),
    pytest.param({"actuator": "tolerations"}, "actuator", id="an unknown actuator"),
    pytest.param({"logLevel": "trace"}, "logLevel", id="an unknown level"),
    pytest.param({"image": {"tag": "latest"}}, "tag", id="the tag latest"),
    pytest.param({"image": {"digest": "abc"}}, "digest", id="no digest"),
    pytest.param({"webhook": {"replicas": "2"}}, "replicas", id="a number as text"),
    pytest.param({"webhook": {"enabled": "yes"}}, "enabled", id="a text as yes or no"),
    pytest.param(
        {"webhook": {"timeoutSeconds": 31}}, "timeoutSeconds", id="a timeout that Kubernetes refuses"
    ),
    pytest.param({"bridge": {"replicas": 3}}, "replicas", id="three bridges"),
    pytest.param(settings("bridge", capacity="cheap"), "capacity", id="an unknown word for spot"),
    pytest.param(
        {"bridge": {"nodes": [{"name": "a", "capacity": "spots"}]}}, "capacity", id="the same for a node"
    ),
    pytest.param({"bridge": {"nodes": [{"zone": "a"}]}}, "name", id="a node without a name"),
    pytest.param(settings("bridge", subnets="subnet-0abc"), "subnets", id="a list as text"),
    pytest.param(settings("bridge", subnets=["sg-0abc"]), "subnets", id="a security group as a subnet"),
    pytest.param(settings("bridge", executionRole="spillway"), "executionRole", id="a role without its ARN"),
    pytest.param(settings("bridge", kubeletPort=70_000), "kubeletPort", id="a port that is none"),
    pytest.param(settings("extender", maxWait="soon"), "maxWait", id="a duration that is none"),
    pytest.param(settings("extender", maxWait=90), "maxWait", id="a duration as a number"),
    pytest.param(settings("extender", maxPods=-1), "maxPods", id="a budget below zero"),
    pytest.param(settings("extender", gate="ajar"), "gate", id="an unknown mode of the gate"),
    pytest.param(settings("extender", highWatermark=90), "highWatermark", id="a share in percent"),
    pytest.param(
        settings("extender", priorityClasses=["batch=later"]), "priorityClasses", id="an unknown preference"
    ),
    pytest.param(
        {"scheduler": {"name": "default-scheduler"}}, "name", id="a second scheduler of the first's name"
    ),
    pytest.param(
        {"drain": {"timeoutSeconds": 1}},
        "timeoutSeconds",
        id="no time to drain",
    ),
    pytest.param(
        {"certificates": {"provided": {"caBundle": "-----BEGIN PRIVATE KEY-----"}}},
        "caBundle",
        id="a key as a bundle",
    ),
    pytest.param(
        {"networkPolicy": {"apiServerCidrs": ["10.0.0.1"]}}, "apiServerCidrs", id="an address as a range"
    ),
    pytest.param(
        {"webhook": {"podDisruptionBudget": {"maxUnavailable": "0%"}}},
        "maxUnavailable",
        id="a budget that holds up every drain of a node",
    ),
    pytest.param(settings("bridge", capacityCpu="lots"), "capacityCpu", id="a quantity that is none"),
    pytest.param(settings("extender", nodeShape="4 cores"), "nodeShape", id="no room of a node"),
    pytest.param(settings("extender", nodeShape="gpu=1"), "nodeShape", id="a node's room in something else"),
]
TOGETHER = [
    pytest.param({"scheduler": {"enabled": True}}, "actuator", id="a second scheduler that nobody asks"),
    pytest.param(
        settings("extender", earlyBurst=True), "actuator", id="early burst without a scheduler that asks"
    ),
    pytest.param(
        settings("webhook", schedulerName="other"),
        "actuator",
        id="a scheduler's name for pods that keep theirs",
    ),
    pytest.param(
        {"actuator": "scheduler", "scheduler": {"enabled": True}, "extender": {"enabled": False}},
        "extender",
        id="a second scheduler without an extender",
    ),
    pytest.param(
        settings("extender", handover=True, returnHome=False),
        "returnHome",
        id="hand-over without the way home",
    ),
    pytest.param(
        {"certificates": {"source": "provided"}}, "secretName", id="a given certificate without its Secret"
    ),
    pytest.param(
        {"actuator": None, "scheduler": {"enabled": True}},
        "actuator",
        id="the second scheduler without the actuator that it takes",
    ),
    pytest.param(
        {"actuator": "scheduler", "scheduler": {"enabled": True, "profile": {"schedulerName": "other"}}},
        "schedulerName",
        id="the second scheduler's name in its profile",
    ),
    pytest.param(
        {"certificates": {"source": "provided", "provided": {"secretName": "x"}}},
        "caBundle",
        id="a given certificate without its authority",
    ),
]
CHECKED = [
    pytest.param(
        {"bridge": {"nodes": [{"name": "a", "kubeletPort": 10251}, {"name": "b"}]}},
        "a kubeletPort of its own",
        id="two nodes on one port",
    ),
    pytest.param(settings("bridge", kubeletPort=8080), "probePort", id="two servers on one port"),
    pytest.param(
        {"bridge": {"nodes": [{"name": "a"}, {"name": "b"}], "settings": {"kubeletPort": 65535}}},
        "65536",
        id="more nodes than ports",
    ),
    pytest.param(
        {"webhook": {"hostNetwork": True}, "extender": {"hostNetwork": True}},
        "extender.hostNetwork",
        id="two programs on one port of a node",
    ),
    pytest.param(settings("bridge", subnets=[]), "bridge.settings.subnets", id="no subnet"),
    pytest.param(
        settings("bridge", executionRole=""), "bridge.settings.executionRole", id="no execution role"
    ),
    pytest.param(
        {"bridge": {"nodes": [{"name": "a"}], "settings": {"subnets": []}}},
        "give subnets to a",
        id="a node without subnets",
    ),
    pytest.param(
        {"bridge": {"nodes": [{"name": "a"}, {"name": "a"}]}}, "a name of its own", id="two nodes of one name"
    ),
    pytest.param({"bridge": {"hostNetwork": True}}, "bridge.hostNetwork", id="the port of the real kubelet"),
    pytest.param(
        settings("bridge", kubeletCertSigner=""), "bridge.settings.kubeletCertSigner", id="no certificate"
    ),
    pytest.param(
        {"bridge": {"kubeletTls": {"existingSecret": "x"}, "settings": {"kubeletCertApprove": True}}},
        "kubeletCertApprove",
        id="approving what is never asked for",
    ),
    pytest.param(
        settings("extender", lowWatermark=0.95), "lowWatermark", id="watermarks the wrong way round"
    ),
    pytest.param(
        {
            "actuator": "scheduler",
            "scheduler": {"enabled": True},
            **settings("webhook", schedulerName="other"),
        },
        "webhook.settings.schedulerName",
        id="another scheduler's name than the second one's",
    ),
    *(
        pytest.param(
            {program: {"serviceAccount": {"create": False}}},
            f"{program}.serviceAccount.name",
            id=f"the {program} with rights of the namespace's default account",
        )
        for program in ("webhook", "extender", "bridge", "issuer", "drain", "doctor")
    ),
    pytest.param(
        {"actuator": "scheduler", "scheduler": {"enabled": True, "serviceAccount": {"create": False}}},
        "scheduler.serviceAccount.name",
        id="the same of the second scheduler",
    ),
    pytest.param(
        settings("issuer", leafValidity="720h"),
        "issuer.settings.renewBefore",
        id="a certificate that is always due for renewal",
    ),
    pytest.param(
        settings("issuer", propagation="720h"),
        "issuer.settings.propagation",
        id="a certificate that reaches pods too late",
    ),
    pytest.param(
        settings("issuer", caValidity="299d"), "issuer.settings.caValidity", id="a CA without a next one"
    ),
    pytest.param(
        {"certificates": {"source": "certManager", "certManager": {"duration": "720h"}}},
        "certificates.certManager.renewBefore",
        id="a certificate that cert-manager refuses",
    ),
    pytest.param(
        {"monitoring": {"serviceMonitor": {"enabled": True, "interval": "5s"}}},
        "monitoring.serviceMonitor.scrapeTimeout",
        id="a monitor that the Prometheus operator drops",
    ),
    pytest.param(
        {"monitoring": {"prometheusRule": {"enabled": True, "disabled": ["SpillwayNobodyLeeds"]}}},
        "there is no SpillwayNobodyLeeds",
        id="an alert to leave out that there is not",
    ),
    *(
        pytest.param(settings(program, **{name: value}), f"{program}.settings.{name}", id=f"{name} {value}")
        for program, name, value in (
            ("bridge", "leaseDuration", "3s"),
            ("bridge", "usagePeriod", "0s"),
            ("extender", "leaseDuration", "2"),
            ("extender", "nodeStay", "0s"),
            ("extender", "handoverTimeout", "0m"),
        )
    ),
]
FINE = [
    pytest.param(settings("issuer", leafValidity="30d1h"), id="a lifetime in days and hours"),
    pytest.param(settings("issuer", caValidity="7200h"), id="a CA of ten times that"),
    pytest.param(
        {"certificates": {"source": "certManager"}, **settings("issuer", leafValidity="1d")},
        id="lifetimes of an issuer that does not run",
    ),
    pytest.param({"monitoring": {"serviceMonitor": {"interval": "5s"}}}, id="the interval of no monitor"),
    pytest.param(
        {"monitoring": {"serviceMonitor": {"enabled": True, "interval": "1m", "scrapeTimeout": "1500ms"}}},
        id="times in other units",
    ),
    pytest.param(
        {"drainOnUninstall": False, "drain": {"serviceAccount": {"create": False}}},
        id="no account for what does not run",
    ),
    pytest.param(settings("bridge", leaseDuration="4"), id="seconds without a unit"),
    pytest.param(settings("bridge", leaseDuration="08s"), id="a number that is not octal"),
    pytest.param(settings("bridge", capacityMemory="1.5Ti"), id="a quantity with a point"),
    pytest.param(settings("extender", nodeShape="cpu=3900m,memory=14Gi,pods=58"), id="a node's room"),
]


@BOTH
@pytest.mark.parametrize(("values", "named"), [*UNKNOWN, *WRONG, *TOGETHER])
def test_the_schema_refuses_and_names_the_value(major: int, values: Json, named: str) -> None:
    outcome = template(values, major=major)
    assert outcome.code != 0
    assert "schema" in outcome.errors
    assert named in outcome.errors


@pytest.mark.parametrize(("values", "named"), CHECKED)
def test_the_chart_refuses_with_the_mend(values: Json, named: str) -> None:
    outcome = template(values)
    assert outcome.code != 0
    assert "these values cannot work" in outcome.errors
    assert named in outcome.errors


@pytest.mark.parametrize("values", FINE)
def test_the_chart_lets_pass_what_works(values: Json) -> None:
    assert rendered(values)


def test_every_fault_is_told_at_once() -> None:
    errors = template(settings("bridge", subnets=[], executionRole="")).errors
    assert "bridge.settings.subnets" in errors
    assert "bridge.settings.executionRole" in errors


def test_a_release_without_a_bridge_needs_nothing_of_aws() -> None:
    made = rendered({"bridge": {"enabled": False, "settings": {"subnets": [], "executionRole": ""}}})
    assert "StatefulSet" not in {each["kind"] for each in made}


def test_a_parent_charts_global_values_are_let_pass() -> None:
    assert rendered({"global": {"imageRegistry": "registry.example"}})
