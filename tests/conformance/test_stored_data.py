"""Secrets, ConfigMaps, claims, volumes and policies: what a pod refers to."""

import base64
from typing import Any

import pytest

from tests.conformance.servers import MERGE, ApiServer, Json, Space, a_config_map, a_pod, unique


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def a_secret(name: str = "db", **more: Any) -> Json:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, **more}


def made(space: Space, plural: str, body: Json, *, group: str = "") -> Json:
    answer = space.api.post(space.path(plural, group=group), body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_plain_strings_of_a_secret_go_into_its_data(space: Space) -> None:
    body = a_secret(
        data={"user": b64("app"), "both": b64("old")}, stringData={"password": "x", "both": "new"}
    )

    secret = made(space, "secrets", body)

    assert secret["type"] == "Opaque"
    assert secret["data"] == {"user": b64("app"), "password": b64("x"), "both": b64("new")}
    assert "stringData" not in secret
    assert space.api.get(space.path("secrets", "db")).json()["data"] == secret["data"]


def test_plain_strings_change_single_keys_of_a_secret(space: Space) -> None:
    made(space, "secrets", a_secret(data={"user": b64("app"), "password": b64("old")}))

    changed = space.api.patch(space.path("secrets", "db"), {"stringData": {"password": "new"}}, MERGE).json()

    assert changed["data"] == {"user": b64("app"), "password": b64("new")}


@pytest.mark.parametrize(
    ("plural", "body"),
    [
        pytest.param("secrets", a_secret(data={"k": "no base64!"}), id="secret"),
        pytest.param(
            "configmaps", {**a_config_map("db"), "binaryData": {"k": "no base64!"}}, id="config map"
        ),
    ],
)
def test_bytes_that_are_not_base64_are_refused(space: Space, plural: str, body: Json) -> None:
    answer = space.api.post(space.path(plural), body)

    assert answer.status_code == 400
    assert "illegal base64 data" in answer.json()["message"]


@pytest.mark.parametrize(
    ("plural", "kind"),
    [
        pytest.param("secrets", "Secret", id="secret"),
        pytest.param("configmaps", "ConfigMap", id="config map"),
    ],
)
def test_a_key_that_no_file_could_have_is_refused(space: Space, plural: str, kind: str) -> None:
    body = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "db"}, "data": {"a/b": "eA=="}}

    answer = space.api.post(space.path(plural), body)

    assert answer.status_code == 422
    assert answer.json()["message"] == (
        f'{kind} "db" is invalid: data[a/b]: Invalid value: "a/b": a valid config key must consist of '
        "alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex "
        "used for validation is '[-._a-zA-Z0-9]+')"
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param({}, "data[.dockerconfigjson]: Required value", id="missing"),
        pytest.param({".dockerconfigjson": b64("no JSON")}, "<secret contents redacted>", id="no JSON"),
    ],
)
def test_a_pull_secret_must_hold_a_configuration(space: Space, data: Json, message: str) -> None:
    body = a_secret(type="kubernetes.io/dockerconfigjson", data=data)

    answer = space.api.post(space.path("secrets"), body)

    assert answer.status_code == 422
    assert message in answer.json()["message"]


def test_more_than_a_mebibyte_is_refused(space: Space) -> None:
    answer = space.api.post(space.config_maps, a_config_map("large", {"k": "x" * (1 << 20) + "x"}))

    assert answer.status_code == 422
    assert "may not be more than 1048576 bytes" in answer.json()["message"]


def test_the_type_of_a_secret_never_changes(space: Space) -> None:
    made(space, "secrets", a_secret())

    answer = space.api.patch(space.path("secrets", "db"), {"type": "other"}, MERGE)

    assert answer.status_code == 422
    assert 'type: Invalid value: "other": field is immutable' in answer.json()["message"]


@pytest.mark.parametrize(
    ("plural", "kind", "change"),
    [
        pytest.param("secrets", "Secret", {"data": {"k": "eQ=="}}, id="a secret's data"),
        pytest.param("secrets", "Secret", {"immutable": False}, id="a secret's immutability"),
        pytest.param("configmaps", "ConfigMap", {"data": {"k": "y"}}, id="a map's data"),
        pytest.param("configmaps", "ConfigMap", {"binaryData": {"b": "eQ=="}}, id="a map's bytes"),
    ],
)
def test_what_is_immutable_never_changes(space: Space, plural: str, kind: str, change: Json) -> None:
    body = {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {"name": "db"},
        "data": {"k": "eA=="},
        "immutable": True,
    }
    made(space, plural, body)

    answer = space.api.patch(space.path(plural, "db"), change, MERGE)

    assert answer.status_code == 422
    assert "field is immutable when `immutable` is set" in answer.json()["message"]


def test_a_new_content_is_a_new_version_under_the_same_uid(space: Space) -> None:
    before = made(space, "secrets", a_secret(stringData={"k": "old"}))["metadata"]

    answer = space.api.patch(space.path("secrets", "db"), {"stringData": {"k": "new"}}, MERGE)
    after = answer.json()["metadata"]

    assert after["uid"] == before["uid"]
    assert after["resourceVersion"] != before["resourceVersion"]


def test_a_policy_is_for_ingress_unless_it_says_otherwise(space: Space) -> None:
    body = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "deny"},
        "spec": {"podSelector": {"matchLabels": {"app": "web"}}, "ingress": [{"ports": [{"port": 80}]}]},
    }

    policy = made(space, "networkpolicies", body, group="networking.k8s.io")

    assert policy["spec"] == {
        "podSelector": {"matchLabels": {"app": "web"}},
        "ingress": [{"ports": [{"port": 80, "protocol": "TCP"}]}],
        "policyTypes": ["Ingress"],
    }
    assert policy["metadata"]["generation"] == 1


def test_a_volume_of_a_driver_is_kept_as_it_was_given(api: ApiServer) -> None:
    name = unique("pv")
    csi = {"driver": "efs.csi.aws.com", "volumeHandle": "fs-1::fsap-2"}
    spec = {"capacity": {"storage": "5Gi"}, "accessModes": ["ReadWriteMany"], "csi": csi}
    body = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec}

    answer = api.post("/api/v1/persistentvolumes", body)
    api.delete(f"/api/v1/persistentvolumes/{name}")

    assert answer.status_code == 201, answer.text
    assert answer.json()["spec"] == {
        **spec,
        "persistentVolumeReclaimPolicy": "Retain",
        "volumeMode": "Filesystem",
    }
    since = answer.json()["metadata"]["creationTimestamp"]
    assert answer.json()["status"] == {"phase": "Pending", "lastPhaseTransitionTime": since}


def test_a_claim_waits_for_its_volume(space: Space) -> None:
    spec = {
        "accessModes": ["ReadWriteMany"],
        "resources": {"requests": {"storage": "5Gi"}},
        "storageClassName": "efs",
        "volumeName": "none",
    }
    body = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": spec}

    claim = made(space, "persistentvolumeclaims", body)

    assert claim["spec"] == {**spec, "volumeMode": "Filesystem"}
    assert claim["status"] == {"phase": "Pending"}


TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


def shown(api: ApiServer, path: str) -> tuple[list[str], list[Any]]:
    """Columns and cells of the one row; ages are dropped."""
    table = api.get(path, accept=TABLE).json()
    names = [each["name"] for each in table["columnDefinitions"]]
    cells = [cell for name, cell in zip(names, table["rows"][0]["cells"], strict=True) if name != "Age"]
    return names, cells


def test_secrets_are_shown_by_type_and_number_of_keys(space: Space) -> None:
    made(space, "secrets", a_secret(stringData={"a": "1", "b": "2"}))

    assert shown(space.api, space.path("secrets", "db")) == (
        ["Name", "Type", "Data", "Age"],
        ["db", "Opaque", 2],
    )


def test_policies_are_shown_by_whom_they_select(space: Space) -> None:
    spec = {"podSelector": {"matchLabels": {"app": "web"}}}
    body = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "p"},
        "spec": spec,
    }
    made(space, "networkpolicies", body, group="networking.k8s.io")

    _, cells = shown(space.api, space.path("networkpolicies", "p", group="networking.k8s.io"))

    assert cells == ["p", "app=web"]


def test_claims_are_shown_with_what_they_are_bound_to(space: Space) -> None:
    spec = {
        "accessModes": ["ReadWriteMany"],
        "resources": {"requests": {"storage": "5Gi"}},
        "storageClassName": "efs",
        "volumeName": "none",
    }
    body = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": spec}
    made(space, "persistentvolumeclaims", body)

    _, cells = shown(space.api, space.path("persistentvolumeclaims", "data"))

    assert cells == ["data", "Pending", "none", "0", "", "efs", "<unset>", "Filesystem"]


def test_services_get_an_address_each(space: Space) -> None:
    def a_service(name: str, **spec: Any) -> Json:
        body = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name},
            "spec": {"ports": [{"port": 80}], **spec},
        }
        return made(space, "services", body)["spec"]  # type: ignore[no-any-return]  # JSON

    one, two, headless = a_service("one"), a_service("two"), a_service("three", clusterIP="None")

    assert one["clusterIP"] != two["clusterIP"]
    assert headless["clusterIP"] == "None"
    assert one["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}]


def test_the_api_server_is_a_service_itself(api: ApiServer) -> None:
    spec = api.until("/api/v1/namespaces/default/services/kubernetes").json()["spec"]

    assert spec["clusterIP"]
    assert [(each["name"], each["port"]) for each in spec["ports"]] == [("https", 443)]


def test_a_pod_gets_the_pull_secrets_of_its_account(space: Space) -> None:
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "web"}}
    made(space, "serviceaccounts", {**account, "imagePullSecrets": [{"name": "one"}, {"name": "two"}]})

    inherited = space.pod("inherits", serviceAccountName="web")
    own = space.pod("own", serviceAccountName="web", imagePullSecrets=[{"name": "mine"}])

    assert inherited["spec"]["imagePullSecrets"] == [{"name": "one"}, {"name": "two"}]
    assert own["spec"]["imagePullSecrets"] == [{"name": "mine"}]


def test_a_pod_of_an_account_that_is_not_there_is_refused(space: Space) -> None:
    answer = space.api.post(space.pods, a_pod(serviceAccountName="none"))

    assert answer.status_code == 403
    assert answer.json()["message"].endswith('serviceaccount "none" not found')
