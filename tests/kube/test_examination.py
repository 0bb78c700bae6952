"""One look at an installation: which requests it makes, and what it makes of the answers."""

import base64

import msgspec
import pytest

from app.kube.examination import Examination
from app.model.webhook_configuration import ServiceReference
from app.ports.failures import NotFound, Refused, Unavailable
from tests.builders import a_pod
from tests.kube.fakes import FakeTransport, a_list

DEPLOYMENT = {
    "metadata": {"name": "spillway-webhook", "labels": {"app.kubernetes.io/component": "webhook"}},
    "spec": {
        "replicas": 2,
        "template": {
            "metadata": {"labels": {"a": "b"}},
            "spec": {"serviceAccountName": "w", "containers": [{"name": "w", "image": "spillway:1"}]},
        },
    },
    "status": {"readyReplicas": 1},
}
NODE = {
    "metadata": {"name": "fargate"},
    "status": {
        "addresses": [{"type": "InternalIP", "address": "10.0.0.7"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "declaredFeatures": ["ExtendWebSocketsToKubelet"],
    },
}
WEBHOOK = {
    "metadata": {"name": "spillway"},
    "webhooks": [
        {
            "name": "enabled.overflow.spillway.dev",
            "failurePolicy": "Ignore",
            "clientConfig": {
                "service": {"name": "w", "namespace": "s", "path": "/mutate/enabled", "port": 443},
                "caBundle": base64.b64encode(b"pem").decode(),
            },
            "namespaceSelector": {"matchLabels": {"spillway.dev/overflow": "enabled"}},
        }
    ],
}


async def test_workloads_are_deployments_and_stateful_sets() -> None:
    bridge = {**DEPLOYMENT, "metadata": {"name": "spillway-bridge"}}
    transport = FakeTransport(a_list(DEPLOYMENT), a_list(bridge))
    webhook, second = await Examination(transport).workloads("spillway")
    assert (webhook.spec.replicas, webhook.status.ready_replicas) == (2, 1)
    assert webhook.spec.template.spec.service_account_name == "w"
    assert second.metadata.name == "spillway-bridge"
    assert [each.path.rpartition("/")[2] for each in transport.asked] == ["deployments", "statefulsets"]


async def test_pods_that_wait_are_asked_for_alone() -> None:
    transport = FakeTransport(a_list(msgspec.to_builtins(a_pod("web"))))
    [found] = await Examination(transport).waiting()
    assert found.key == "shop/web"
    [asked] = transport.asked
    assert (asked.path, asked.query["fieldSelector"]) == ("/api/v1/pods", "spec.nodeName=")


async def test_a_cluster_without_stateful_sets_has_deployments() -> None:
    found = await Examination(FakeTransport(a_list(DEPLOYMENT), NotFound("404"))).workloads("spillway")
    assert [each.metadata.name for each in found] == ["spillway-webhook"]


async def test_what_may_not_be_read_is_not_taken_for_nothing() -> None:
    with pytest.raises(Refused):
        await Examination(FakeTransport(Refused("403"))).workloads("spillway")


async def test_a_webhooks_entry_says_whom_it_calls_and_whom_it_trusts() -> None:
    [found] = await Examination(FakeTransport(a_list(WEBHOOK))).webhooks()
    [entry] = found.webhooks
    service = entry.client_config.service
    assert service is not None
    assert (service.namespace, service.name, service.port) == ("s", "w", 443)
    assert (entry.client_config.ca_bundle, entry.failure_policy) == (b"pem", "Ignore")


async def test_a_host_says_where_it_listens() -> None:
    host = await Examination(FakeTransport(NODE)).host("fargate")
    assert host.status.daemon_endpoints.kubelet_endpoint.port == 10250
    assert host.status.declared_features == ("ExtendWebSocketsToKubelet",)


async def test_a_nodes_health_is_asked_for_through_the_api_server() -> None:
    transport = FakeTransport(b"ok\n")
    assert await Examination(transport).health("fargate") == "ok"
    assert transport.asked[0].path == "/api/v1/nodes/fargate/proxy/healthz"


async def test_a_service_is_asked_over_tls_through_the_api_server() -> None:
    transport = FakeTransport(b"ok")
    service = ServiceReference(namespace="s", name="w", path="/mutate/enabled", port=443)
    assert await Examination(transport).readiness(service) == "ok"
    assert transport.asked[0].path == "/api/v1/namespaces/s/services/https:w:443/proxy/readyz"


async def test_a_trial_is_a_dry_run() -> None:
    transport = FakeTransport(a_pod("x"))
    found = await Examination(transport).trial("shop", {"kind": "Pod"})
    [asked] = transport.asked
    assert (asked.method, asked.path, asked.query) == (
        "POST",
        "/api/v1/namespaces/shop/pods",
        {"dryRun": "All"},
    )
    assert found.metadata.name == "x"


@pytest.mark.parametrize("allowed", [True, False])
async def test_whether_somebody_may_is_the_api_servers_word(*, allowed: bool) -> None:
    transport = FakeTransport({"status": {"allowed": allowed}})
    assert await Examination(transport).may("u", ("g",), {"verb": "get"}) is allowed
    spec = transport.asked[0].body["spec"]
    assert spec == {"user": "u", "groups": ["g"], "resourceAttributes": {"verb": "get"}}


async def test_of_a_secret_the_certificate_alone_is_kept() -> None:
    data = {"tls.crt": base64.b64encode(b"pem").decode(), "tls.key": base64.b64encode(b"key").decode()}
    assert await Examination(FakeTransport({"data": data})).certificate("s", "tls") == b"pem"
    assert await Examination(FakeTransport({"data": {}})).certificate("s", "tls") == b""


async def test_what_is_no_secret_is_not_repeated_in_the_failure() -> None:
    with pytest.raises(Unavailable) as caught:
        await Examination(FakeTransport(b'{"data": "hunter2"}')).certificate("s", "tls")
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_karpenter_is_there_where_the_api_server_knows_it() -> None:
    assert await Examination(FakeTransport(b"{}")).has_karpenter()
    assert not await Examination(FakeTransport(NotFound("404"))).has_karpenter()
