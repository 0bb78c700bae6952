"""What pods refer to, as the API server has it."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from app.kube import paths
from app.kube.listing import complete
from app.kube.sources import Sources
from app.model.objects import CsiSource, NetworkPolicy, Service
from app.ports.failures import NotFound, PortFailure, Refused, Unavailable
from tests.builders import a_pod
from tests.kube.fakes import FakeTransport, a_list

SHOP = "/api/v1/namespaces/shop"
PASSWORD = "hunter2-planted"
CLAIM = {
    "metadata": {"name": "data", "uid": "uid-data"},
    "spec": {"volumeName": "pv-1"},
    "status": {"phase": "Bound"},
}
TOKEN = {"status": {"token": "eyJ-raw", "expirationTimestamp": "2026-01-01T13:00:07Z"}}


def metadata(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "namespace": "shop",
        "uid": f"uid-{name}",
        "resourceVersion": "7",
        "managedFields": [{"manager": "kubectl"}],
    }


def b64(value: bytes) -> str:
    return base64.b64encode(value).decode()


async def test_a_config_map_is_read_with_its_bytes() -> None:
    server = FakeTransport(
        {
            "metadata": metadata("app"),
            "data": {"a": "1"},
            "binaryData": {"b": b64(b"\xff")},
            "immutable": True,
        }
    )

    found = await Sources(server).config_map("shop", "app")

    assert (found.data, found.binary_data) == ({"a": "1"}, {"b": b"\xff"})
    assert [(each.method, each.path, each.query) for each in server.asked] == [
        ("GET", f"{SHOP}/configmaps/app", {})
    ]


async def test_a_secret_is_read_decoded() -> None:
    server = FakeTransport(
        {"metadata": metadata("db"), "type": "Opaque", "data": {"password": b64(PASSWORD.encode())}}
    )

    found = await Sources(server).secret("shop", "db")

    assert found.data == {"password": PASSWORD.encode()}
    assert (found.metadata.uid, found.metadata.resource_version) == ("uid-db", "7")
    assert server.asked[0].path == f"{SHOP}/secrets/db"
    assert PASSWORD not in repr(found)


async def test_an_object_without_data_is_an_object() -> None:
    assert (await Sources(FakeTransport({"metadata": metadata("db")})).secret("shop", "db")).data == {}


async def test_an_account_is_read_with_its_pull_secrets_and_annotations() -> None:
    annotated = {**metadata("web"), "annotations": {"eks.amazonaws.com/role-arn": "arn"}}
    server = FakeTransport({"metadata": annotated, "imagePullSecrets": [{"name": "pull"}]})

    found = await Sources(server).account("shop", "web")

    assert [each.name for each in found.image_pull_secrets] == ["pull"]
    assert found.metadata.annotations == {"eks.amazonaws.com/role-arn": "arn"}
    assert server.asked[0].path == f"{SHOP}/serviceaccounts/web"


async def test_a_claim_leads_to_its_volume() -> None:
    csi = {"driver": "efs.csi.aws.com", "volumeHandle": "fs-1::fsap-2"}
    spec = {"csi": csi, "claimRef": {"name": "data", "uid": "uid-data"}}
    server = FakeTransport(CLAIM, {"metadata": {"name": "pv-1"}, "spec": spec})

    found = await Sources(server).volume("shop", "data")

    assert found is not None
    assert found.spec.csi == CsiSource(driver="efs.csi.aws.com", volume_handle="fs-1::fsap-2")
    assert [each.path for each in server.asked] == [
        f"{SHOP}/persistentvolumeclaims/data",
        "/api/v1/persistentvolumes/pv-1",
    ]


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param([{"spec": {}}], id="nothing bound"),
        pytest.param([{"spec": {"volumeName": "pv-1"}, "status": {"phase": "Pending"}}], id="being bound"),
        pytest.param([{"spec": {"volumeName": "pv-1"}, "status": {"phase": "Lost"}}], id="lost"),
        pytest.param([CLAIM, NotFound("no such volume")], id="the volume is gone"),
        pytest.param([CLAIM, {"spec": {"claimRef": {"uid": "another"}}}], id="the volume is another claim's"),
        pytest.param([CLAIM, {"spec": {}}], id="the volume names no claim"),
    ],
)
async def test_a_claim_that_is_not_bound_has_no_volume(answers: list[Any]) -> None:
    assert await Sources(FakeTransport(*answers)).volume("shop", "data") is None


async def test_a_claim_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound):
        await Sources(FakeTransport(NotFound("no claim"))).volume("shop", "data")


async def test_the_spec_of_a_pod_keeps_the_fields_that_nobody_here_knows() -> None:
    pod = a_pod(uid="u1")
    server = FakeTransport({"metadata": {"uid": "u1"}, "spec": {"containers": [], "teleport": True}})

    assert await Sources(server).pod_spec(pod) == {"containers": [], "teleport": True}
    assert server.asked[0].path == f"{SHOP}/pods/web-1"


async def test_the_spec_of_another_pod_of_that_name_is_not_the_pods() -> None:
    server = FakeTransport({"metadata": {"uid": "u2"}, "spec": {"containers": []}})

    with pytest.raises(NotFound, match="uid"):
        await Sources(server).pod_spec(a_pod(uid="u1"))


async def test_a_token_is_bound_to_the_pod() -> None:
    server = FakeTransport(TOKEN)

    found = await Sources(server).token(
        a_pod("web-1", uid="u1", serviceAccountName="web"), audience="vault", seconds=600
    )

    assert (found.text, found.expires_at) == ("eyJ-raw", datetime(2026, 1, 1, 13, 0, 7, tzinfo=UTC))
    assert "eyJ" not in repr(found)
    [asked] = server.asked
    assert (asked.method, asked.path) == ("POST", f"{SHOP}/serviceaccounts/web/token")
    assert asked.body["spec"] == {
        "audiences": ["vault"],
        "expirationSeconds": 600,
        "boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "web-1", "uid": "u1"},
    }


async def test_a_token_without_audience_is_for_the_api_server_itself() -> None:
    server = FakeTransport(TOKEN)

    await Sources(server).token(a_pod(), audience="", seconds=3607)

    assert server.asked[0].body["spec"]["audiences"] == []
    assert server.asked[0].path == f"{SHOP}/serviceaccounts/default/token"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"metadata": {"name": "db"}, "data": {"password": PASSWORD}}, id="no base64"),
        pytest.param({"data": PASSWORD}, id="another form"),
        pytest.param(PASSWORD.encode(), id="no JSON"),
    ],
)
async def test_an_answer_that_is_no_secret_is_told_of_without_its_content(answer: Any) -> None:
    with pytest.raises(Unavailable) as failure:
        await Sources(FakeTransport(answer)).secret("shop", "db")

    assert str(failure.value) == f"GET {SHOP}/secrets/db: the answer is not a Secret"
    assert failure.value.__cause__ is None


async def test_an_answer_that_is_no_token_is_told_of_without_its_content() -> None:
    answer = {"status": {"token": PASSWORD, "expirationTimestamp": PASSWORD}}

    with pytest.raises(Unavailable) as failure:
        await Sources(FakeTransport(answer)).token(a_pod(), audience="", seconds=600)

    assert PASSWORD not in str(failure.value)


@pytest.mark.parametrize(
    "failure", [pytest.param(NotFound("no"), id="missing"), pytest.param(Refused("forbidden"), id="RBAC")]
)
async def test_what_the_server_says_gets_through(failure: PortFailure) -> None:
    with pytest.raises(type(failure)):
        await Sources(FakeTransport(failure)).secret("shop", "db")


async def test_services_are_listed_with_what_variables_are_made_of() -> None:
    ports = [
        {"name": "web", "port": 80, "targetPort": "http"},
        {"port": 53, "targetPort": 53, "protocol": "UDP"},
    ]
    service = {
        "metadata": metadata("web"),
        "spec": {"clusterIP": "10.0.0.9", "type": "ClusterIP", "ports": ports},
    }

    server = FakeTransport(a_list(service))
    page = await complete(server, paths.SERVICES, query={}, kind=Service)

    [found] = page.values
    assert page.unreadable == frozenset()
    assert (found.spec.cluster_ip, [each.port for each in found.spec.ports]) == ("10.0.0.9", [80, 53])


async def test_network_policies_are_listed_with_whom_they_select() -> None:
    spec = {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"], "ingress": [{}]}

    server = FakeTransport(a_list({"metadata": metadata("deny"), "spec": spec}))
    page = await complete(server, paths.NETWORK_POLICIES, query={}, kind=NetworkPolicy)

    [found] = page.values
    assert found.spec.pod_selector == {"matchLabels": {"app": "web"}}
