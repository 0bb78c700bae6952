"""What the chart writes into a cluster is what the programs and the schedulers expect there."""

from collections.abc import Mapping

import pytest
import yaml

from app.local.registration import webhook_configuration
from app.local.scheduler_configuration import scheduler_configuration
from tests.chart.rendering import Json, container, environment, merged, one, pod_spec, rendered, template

CONFIGURATION = "MutatingWebhookConfiguration/spillway"


def entries(all_objects: tuple[Json, ...]) -> dict[str, Json]:
    return {each["name"]: each for each in one(all_objects, CONFIGURATION)["webhooks"]}


@pytest.mark.parametrize("name", ["default", "own-scheduler"])
def test_the_webhook_is_registered_as_it_is_in_the_local_stack(
    combinations: Mapping[str, tuple[Json, ...]], name: str
) -> None:
    local = webhook_configuration(url="https://x", ca_pem=b"", tolerant=name == "own-scheduler")
    found = entries(combinations[name])
    assert list(found) == [each["name"] for each in local["webhooks"]]
    for each in local["webhooks"]:
        assert plain(found[each["name"]]) == plain(each)


def plain(entry: Json) -> Json:
    """An entry without where it is called and which namespaces are left out."""
    selector = {
        key: value for key, value in entry.get("namespaceSelector", {}).items() if key == "matchLabels"
    }
    rest = {key: value for key, value in entry.items() if key not in {"clientConfig", "namespaceSelector"}}
    return {**rest, "selector": selector}


def test_each_entry_calls_its_path_of_our_service(combinations: Mapping[str, tuple[Json, ...]]) -> None:
    called = {
        name: each["clientConfig"]["service"] for name, each in entries(combinations["own-scheduler"]).items()
    }
    assert called == {
        f"{path}.overflow.spillway.dev": {
            "name": "spillway-webhook",
            "namespace": "spillway",
            "path": f"/mutate/{path}",
            "port": 443,
        }
        for path in ("enabled", "permitted", "tolerant")
    }


def test_the_system_and_our_own_pods_are_never_asked_about(default: tuple[Json, ...]) -> None:
    for each in entries(default).values():
        (expression,) = each["namespaceSelector"]["matchExpressions"]
        assert expression == {
            "key": "kubernetes.io/metadata.name",
            "operator": "NotIn",
            "values": ["kube-system", "spillway"],
        }


def test_the_services_lead_to_the_ports_of_their_pods(default: tuple[Json, ...]) -> None:
    for name in ("webhook", "extender"):
        (port,) = one(default, f"Service/spillway-{name}")["spec"]["ports"]
        (served,) = container(one(default, f"Deployment/spillway-{name}"))["ports"]
        assert (port["targetPort"], served["containerPort"]) == (served["name"], 8443)


@pytest.fixture(scope="session")
def scheduling(combinations: Mapping[str, tuple[Json, ...]]) -> tuple[Json, ...]:
    return combinations["second-scheduler"]


def configuration(all_objects: tuple[Json, ...]) -> Json:
    return dict(yaml.safe_load(one(all_objects, "ConfigMap/spillway-scheduler")["data"]["scheduler.yaml"]))


def test_the_second_scheduler_asks_the_extender_as_the_local_one_does(scheduling: tuple[Json, ...]) -> None:
    (found,) = configuration(scheduling)["extenders"]
    (local,) = scheduler_configuration(
        kubeconfig_path="",
        extender_url="https://spillway-extender.spillway.svc:443",
        ca_data=b"x",
        prioritize=True,
        marked_only=True,
    )["extenders"]
    assert found.pop("tlsConfig") == {
        "caFile": "/authority/ca.crt",
        "serverName": "spillway-extender.spillway.svc",
    }
    assert found == {key: value for key, value in local.items() if key != "tlsConfig"}


def test_the_scheduler_is_asked_to_score_only_for_early_burst() -> None:
    made = rendered(merged(SECOND, {"extender": {"settings": {"earlyBurst": False}}}))
    assert "prioritizeVerb" not in configuration(made)["extenders"][0]


SECOND = {"actuator": "scheduler", "scheduler": {"enabled": True}}


def test_pods_that_may_overflow_get_the_second_scheduler(scheduling: tuple[Json, ...]) -> None:
    profile = configuration(scheduling)["profiles"][0]
    named = environment(one(scheduling, "Deployment/spillway-webhook"))["SPILLWAY_SCHEDULER_NAME"]
    assert named == profile["schedulerName"] == "spillway-scheduler"
    assert profile["pluginConfig"][0]["name"] == "NodeResourcesFit"


def test_our_own_pods_never_wait_for_the_second_scheduler(scheduling: tuple[Json, ...]) -> None:
    assert [each for each in scheduling if "schedulerName" in str(each.get("spec", {}).get("template"))] == []


@pytest.mark.parametrize(
    ("version", "tag"),
    [("1.29.3", "v1.29.3"), ("v1.33.4-eks-99d6cc0", "v1.33.4"), ("v1.34.2+k3s1", "v1.34.2")],
)
def test_the_second_scheduler_is_of_the_clusters_own_version(version: str, tag: str) -> None:
    made = rendered(SECOND, kubernetes=version)
    image = container(one(made, "Deployment/spillway-scheduler"))["image"]
    assert image == f"registry.k8s.io/kube-scheduler:{tag}"


def test_another_version_of_the_second_scheduler_can_be_named() -> None:
    made = rendered(merged(SECOND, {"scheduler": {"image": {"tag": "v1.35.9"}}}))
    assert container(one(made, "Deployment/spillway-scheduler"))["image"].endswith(":v1.35.9")


def test_a_change_of_its_configuration_restarts_the_second_scheduler() -> None:
    before, after = (
        one(rendered(merged(SECOND, {"scheduler": {"qps": qps}})), "Deployment/spillway-scheduler")
        for qps in (100, 200)
    )
    assert checksum(before) != checksum(after)


def checksum(workload: Json) -> str:
    return str(workload["spec"]["template"]["metadata"]["annotations"]["checksum/configuration"])


def test_flags_of_the_second_scheduler_may_name_its_variables() -> None:
    variable = {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
    own = {"env": [variable], "extraArgs": ["--bind-address=$(POD_IP)"]}
    found = container(one(rendered(merged(SECOND, {"scheduler": own})), "Deployment/spillway-scheduler"))
    assert found["env"] == [variable]
    assert found["args"][-1] == "--bind-address=$(POD_IP)"


def test_a_cluster_that_is_too_old_is_refused() -> None:
    assert "1.28.0" in template(kubernetes="1.28.0").errors


def test_cert_manager_injects_the_authority_and_signs_for_both_services(
    combinations: Mapping[str, tuple[Json, ...]],
) -> None:
    made = combinations["cert-manager"]
    annotations = one(made, CONFIGURATION)["metadata"]["annotations"]
    certificate = one(made, "Certificate/spillway-tls")["spec"]
    assert annotations == {"cert-manager.io/inject-ca-from": "spillway/spillway-tls"}
    assert certificate["secretName"] == "spillway-cert-manager-tls"
    assert {"spillway-webhook.spillway.svc", "spillway-extender.spillway.svc"} < set(certificate["dnsNames"])
    assert "Deployment/spillway-issuer" not in {f"{each['kind']}/{each['metadata']['name']}" for each in made}


def test_a_given_certificate_is_mounted_and_its_authority_registered(
    combinations: Mapping[str, tuple[Json, ...]],
) -> None:
    made = combinations["provided-certificate"]
    (volume,) = (
        each for each in pod_spec(one(made, "Deployment/spillway-webhook"))["volumes"] if "secret" in each
    )
    assert volume["secret"]["secretName"] == "spillway-from-vault"
    assert {each["clientConfig"]["caBundle"][:8] for each in entries(made).values()} == {"LS0tLS1C"}


def test_pods_wait_for_their_certificate(default: tuple[Json, ...]) -> None:
    for name in ("webhook", "extender"):
        (volume,) = (
            each["secret"]
            for each in pod_spec(one(default, f"Deployment/spillway-{name}"))["volumes"]
            if "secret" in each
        )
        assert [each["key"] for each in volume["items"]] == ["tls.crt", "tls.key"]
        assert "optional" not in volume


def test_a_bridge_keeps_its_identity_and_tells_its_address(default: tuple[Json, ...]) -> None:
    taken = {
        each["name"]: each["valueFrom"]["fieldRef"]["fieldPath"]
        for each in container(one(default, "StatefulSet/spillway-bridge"))["env"]
        if "valueFrom" in each
    }
    assert taken == {"SPILLWAY_IDENTITY": "metadata.name", "SPILLWAY_INTERNAL_IP": "status.podIP"}


def test_the_node_of_each_zone_has_a_port_of_its_own(combinations: Mapping[str, tuple[Json, ...]]) -> None:
    ports = container(one(combinations["several-nodes"], "StatefulSet/spillway-bridge"))["ports"]
    assert [each["containerPort"] for each in ports] == [8080, 10250, 10350]


def test_on_the_nodes_network_the_old_pod_goes_first(combinations: Mapping[str, tuple[Json, ...]]) -> None:
    def rolling(name: str) -> Json:
        return dict(
            one(combinations[name], "Deployment/spillway-webhook")["spec"]["strategy"]["rollingUpdate"]
        )

    assert rolling("default") == {"maxUnavailable": 0, "maxSurge": 1}
    assert rolling("kube2iam-host-network") == {"maxUnavailable": 1, "maxSurge": 0}


def test_rights_follow_the_names_of_the_nodes(combinations: Mapping[str, tuple[Json, ...]]) -> None:
    for name in ("bridge", "extender"):
        named = {
            tuple(rule["resourceNames"])
            for rule in one(combinations["several-nodes"], f"ClusterRole/spillway-{name}")["rules"]
            if "nodes/status" in rule["resources"]
        }
        assert named == {("fargate-a", "fargate-b")}


def test_a_further_bridge_brings_nothing_of_webhook_and_extender(
    combinations: Mapping[str, tuple[Json, ...]],
) -> None:
    components = {
        each["metadata"]["labels"]["app.kubernetes.io/component"] for each in combinations["bridge-alone"]
    }
    assert components == {"bridge", "drain"}
