"""Which volumes and parts of volumes Fargate can mount."""

from typing import Any

import pytest

from tests.builders import a_container, a_pod
from tests.fargate.samples import found

SCRATCH = {"name": "v", "emptyDir": {}}
FILES = {"name": "v", "configMap": {"name": "settings"}}
CLAIM = {"name": "v", "persistentVolumeClaim": {"claimName": "data"}}
PART = "spec.containers[0].volumeMounts[0].subPath"


def mounting(*mounts: dict[str, Any], volume: dict[str, Any] = SCRATCH, **fields: Any) -> Any:
    named = [{"name": "v", **each} for each in mounts]
    return a_pod(volumes=[volume], containers=[a_container(volumeMounts=named, **fields)])


@pytest.mark.parametrize(
    "others",
    [
        pytest.param([], id="alone"),
        pytest.param([{"mountPath": "/b", "subPath": "b"}], id="beside-another"),
        pytest.param([{"mountPath": "/b", "subPath": "a/"}], id="twice-the-same"),
        pytest.param([{"mountPath": "/b", "subPath": "ab"}], id="a-name-that-begins-alike"),
        pytest.param([{"mountPath": "/b", "subPathExpr": "$(NAME)"}], id="beside-one-not-known-yet"),
    ],
)
def test_a_part_of_an_empty_dir_that_nothing_overlaps_runs(others: list[dict[str, Any]]) -> None:
    assert found(mounting({"mountPath": "/a", "subPath": "a"}, *others)) == []


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"mountPath": "/b"}, id="the-whole"),
        pytest.param({"mountPath": "/b", "subPath": "a"}, id="the-folder-above"),
    ],
)
def test_a_part_of_an_empty_dir_that_another_mount_holds_is_refused(other: dict[str, Any]) -> None:
    pod = mounting({"mountPath": "/a", "subPath": "a/b"}, other)
    assert found(pod) == [("SubPathShared", PART)]


def test_an_expression_beside_the_whole_volume_is_refused() -> None:
    pod = mounting({"mountPath": "/a", "subPathExpr": "$(NAME)"}, {"mountPath": "/b"})
    assert found(pod) == [("SubPathShared", f"{PART}Expr")]


NAMED = {"name": "v", "configMap": {"name": "settings", "items": [{"key": "k", "path": "sub/app.conf"}]}}
MIXED = {
    "name": "v",
    "projected": {
        "sources": [
            {"secret": {"name": "login"}},
            {"downwardAPI": {"items": [{"path": "pod/name", "fieldRef": {"fieldPath": "metadata.name"}}]}},
        ]
    },
}
NOBODY = {"runAsUser": 7}
READ_ONLY = {"runAsUser": 0, "readOnlyRootFilesystem": True}


@pytest.mark.parametrize(
    ("volume", "part", "rights", "runs"),
    [
        pytest.param(FILES, "app.conf", {}, True, id="the-image-decides"),
        pytest.param(FILES, "app.conf", NOBODY, False, id="not-root"),
        pytest.param(FILES, "app.conf", {"runAsNonRoot": True}, False, id="never-root"),
        pytest.param(FILES, "app.conf", READ_ONLY, False, id="read-only-root"),
        pytest.param(NAMED, "sub", NOBODY, True, id="a-folder"),
        pytest.param(NAMED, "sub/app.conf", NOBODY, False, id="a-named-file"),
        pytest.param(NAMED, "sub/none", NOBODY, True, id="nothing-that-is-there"),
        pytest.param(MIXED, "password", NOBODY, False, id="a-key-of-a-projected-secret"),
        pytest.param(MIXED, "pod", NOBODY, True, id="a-projected-folder"),
        pytest.param(MIXED, "./pod//name", NOBODY, False, id="a-path-that-is-not-clean"),
    ],
)
def test_a_single_file_is_copied_in_only_where_root_can_write(
    volume: dict[str, Any], part: str, rights: dict[str, Any], runs: bool
) -> None:
    pod = mounting({"mountPath": "/etc/it", "subPath": part}, volume=volume, securityContext=rights)
    assert found(pod) == ([] if runs else [("SubPathFile", PART)])


def test_a_single_file_goes_into_another_volume_of_a_read_only_root() -> None:
    mount = {"mountPath": "/data/app.conf", "subPath": "app.conf"}
    scratch = {"name": "scratch", "mountPath": "/data"}
    container = a_container(volumeMounts=[{"name": "v", **mount}, scratch], securityContext=READ_ONLY)
    volumes = [FILES, {"name": "scratch", "emptyDir": {}}]
    assert found(a_pod(volumes=volumes, containers=[container])) == []


def test_a_part_of_a_claim_is_judged_at_launch() -> None:
    assert found(mounting({"mountPath": "/a", "subPath": "a"}, {"mountPath": "/b"}, volume=CLAIM)) == []


def test_a_part_of_an_ephemeral_volume_is_refused() -> None:
    volume = {"name": "v", **an_ephemeral("10Gi")}
    assert found(mounting({"mountPath": "/a", "subPath": "a"}, volume=volume)) == [("SubPathOfDisk", PART)]


def an_ephemeral(size: Any, **spec: Any) -> dict[str, Any]:
    body = {"resources": {"requests": {"storage": size}}, **spec}
    return {"ephemeral": {"volumeClaimTemplate": {"spec": body}}}


def test_a_second_ephemeral_volume_is_refused() -> None:
    volumes = [{"name": name, **an_ephemeral("10Gi")} for name in ("a", "b")]
    assert found(a_pod(volumes=volumes)) == [("SeveralEphemeralVolumes", "spec.volumes[1].ephemeral")]


@pytest.mark.parametrize(
    ("size", "code", "field"),
    [
        pytest.param("", "Volume", "resources", id="none"),
        pytest.param(10, "Volume", "resources", id="a-number"),
        pytest.param("big", "InvalidQuantity", "resources.requests[storage]", id="no-amount"),
        pytest.param("-1", "InvalidQuantity", "resources.requests[storage]", id="below-zero"),
    ],
)
def test_an_ephemeral_volume_needs_a_size(size: Any, code: str, field: str) -> None:
    pod = a_pod(volumes=[{"name": "a", **an_ephemeral(size)}])
    assert found(pod) == [(code, f"spec.volumes[0].ephemeral.volumeClaimTemplate.spec.{field}")]


@pytest.mark.parametrize(
    "resources",
    [None, {}, {"requests": None}, {"requests": []}, "much"],
    ids=["null", "empty", "no", "list", "text"],
)
def test_an_ephemeral_volume_of_the_wrong_shape_is_a_reason_not_a_crash(resources: Any) -> None:
    pod = a_pod(volumes=[{"name": "a", **an_ephemeral("1Gi", resources=resources)}])
    assert [code for code, _ in found(pod)] == ["Volume"]


def test_an_ephemeral_volume_without_a_template_is_refused() -> None:
    pod = a_pod(volumes=[{"name": "a", "ephemeral": {}}])
    assert found(pod) == [("Volume", "spec.volumes[0].ephemeral.volumeClaimTemplate")]


def test_scratch_space_on_disk_counts_into_the_tasks_storage() -> None:
    volumes = [{"name": name, "emptyDir": {"sizeLimit": "101Gi"}} for name in ("a", "b")]
    assert found(a_pod(volumes=volumes)) == [("TooMuchEphemeralStorage", "spec.containers")]


def test_scratch_space_in_memory_does_not() -> None:
    volumes = [{"name": name, "emptyDir": {"medium": "Memory", "sizeLimit": "101Gi"}} for name in ("a", "b")]
    assert found(a_pod(volumes=volumes)) == []


def test_a_size_limit_that_is_no_amount_is_refused() -> None:
    pod = a_pod(volumes=[{"name": "a", "emptyDir": {"sizeLimit": "big"}}])
    assert found(pod) == [("InvalidQuantity", "spec.volumes[0].emptyDir.sizeLimit")]


def test_a_volume_without_a_source_is_an_empty_dir() -> None:
    assert found(a_pod(volumes=[{"name": "a"}])) == []


def test_a_volume_may_be_called_like_the_helpers() -> None:
    assert found(a_pod(volumes=[{"name": "spillway", "emptyDir": {}}])) == []


@pytest.mark.parametrize("path", ["/spillway", "/spillway/bin", "spillway/", "//spillway/../spillway"])
def test_nothing_is_mounted_where_the_helper_lives(path: str) -> None:
    field = "spec.containers[0].volumeMounts[0].mountPath"
    assert found(mounting({"mountPath": path})) == [("ReservedMountPath", field)]


@pytest.mark.parametrize("path", ["/spillways", "/data/spillway", "/"])
def test_anywhere_else_is_free(path: str) -> None:
    assert found(mounting({"mountPath": path})) == []


@pytest.mark.parametrize("path", ["metadata.labels", "metadata.annotations", "metadata.labels['app']"])
def test_a_file_of_the_downward_api_holds_metadata(path: str) -> None:
    items = [{"path": "it", "fieldRef": {"fieldPath": path}}]
    assert found(a_pod(volumes=[{"name": "a", "downwardAPI": {"items": items}}])) == []


def test_a_file_of_the_downward_api_holds_no_status() -> None:
    items = [{"path": "it", "fieldRef": {"fieldPath": "status.podIP"}}]
    pod = a_pod(volumes=[{"name": "a", "downwardAPI": {"items": items}}])
    assert found(pod) == [("DownwardField", "spec.volumes[0].downwardAPI.items[0].fieldRef")]


@pytest.mark.parametrize(
    ("source", "path"),
    [
        pytest.param(lambda items: {"downwardAPI": items}, "downwardAPI", id="of-its-own"),
        pytest.param(
            lambda items: {"projected": {"sources": [{"secret": {"name": "s"}}, {"downwardAPI": items}]}},
            "projected.sources[1].downwardAPI",
            id="projected",
        ),
    ],
)
def test_a_file_tells_of_a_container_that_there_is(source: Any, path: str) -> None:
    known, lost = (
        {"path": name, "resourceFieldRef": {"containerName": name, "resource": "limits.cpu"}}
        for name in ("main", "lost")
    )
    pod = a_pod(volumes=[{"name": "a", **source({"items": [known, lost]})}])
    assert found(pod) == [("UnknownResource", f"spec.volumes[0].{path}.items[1].resourceFieldRef")]
