from typing import Any

import msgspec
import pytest

from app.bridge.translation.material import Unready
from tests.bridge.translation.builders import IMAGE, a_material
from tests.bridge.translation.volumes.volume_parts import (
    FOUND,
    OTHER_IMAGE,
    ROOT_IMAGE,
    brought,
    codes,
    mounted,
    spoken,
    well,
)
from tests.builders import a_container

APP = {
    "name": "v",
    "configMap": {
        "name": "app",
        "items": [{"key": "log", "path": "d/log"}, {"key": "app.conf", "path": "conf"}],
    },
}
CONF_LINE = "file v conf 644 - - text:a=1"
TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"


def token_volume(name: str) -> dict[str, Any]:
    token = {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}}
    authority = {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}}
    return {"name": name, "projected": {"sources": [token, authority]}}


def test_a_written_volume_is_mounted_read_only_and_filled_by_the_helper() -> None:
    answer = well(brought([APP], [mounted("v", "/etc/app")]))
    assert answer.volumes == ({"name": "v", "host": {}},)
    assert answer.mounts == {"main": ({"sourceVolume": "v", "containerPath": "/etc/app", "readOnly": True},)}
    assert answer.install_mounts == (
        {"sourceVolume": "v", "containerPath": "/spillway/volumes/v", "readOnly": False},
    )
    assert spoken(answer.plan) == [CONF_LINE, "file v d/log 644 - - text:debug"]


def test_a_volume_that_nobody_mounts_is_left_out() -> None:
    answer = well(brought([APP, {"name": "e"}], []))
    assert (answer.volumes, answer.plan, answer.install_mounts) == ((), (), ())


def test_a_folder_of_a_written_volume_becomes_a_volume_of_its_own() -> None:
    answer = well(brought([APP], [mounted("v", "/etc/d", subPath="d/")]))
    assert answer.volumes == ({"name": "v_1", "host": {}},)
    assert spoken(answer.plan) == ["file v_1 log 644 - - text:debug"]


def test_a_part_that_is_not_there_is_an_empty_folder() -> None:
    answer = well(brought([APP], [mounted("v", "/etc/d", subPath="none")]))
    assert (answer.volumes, answer.plan) == (({"name": "v_1", "host": {}},), ())


def test_a_single_file_is_copied_into_the_container() -> None:
    answer = well(brought([APP], [mounted("v", "/etc/one.conf", subPath="conf")]))
    assert answer.mounts["main"] == (
        {"sourceVolume": "v", "containerPath": "/spillway/volumes/v", "readOnly": True},
    )
    assert [line.split()[0] for line in answer.run["main"]] == ["place"]
    assert spoken(answer.plan) == [CONF_LINE]
    assert answer.run["main"] == ("place L3NwaWxsd2F5L3ZvbHVtZXMvdi9jb25m L2V0Yy9vbmUuY29uZg== -",)


def test_two_files_of_a_volume_are_copied_from_one_mount() -> None:
    mounts = [mounted("v", "/a", subPath="conf"), mounted("v", "/b", subPath="d/log")]
    answer = well(brought([APP], mounts))
    assert (len(answer.mounts["main"]), len(answer.run["main"])) == (1, 2)


PLACED = [mounted("v", "/etc/one.conf", subPath="conf")]


@pytest.mark.parametrize(
    ("fields", "mounts"),
    [
        pytest.param({"securityContext": {"runAsUser": 1000}}, PLACED, id="other-user"),
        pytest.param({"securityContext": {"runAsNonRoot": True}}, PLACED, id="not-root"),
        pytest.param({"securityContext": {"readOnlyRootFilesystem": True}}, PLACED, id="read-only-root"),
        pytest.param({}, [mounted("e", "/etc", readOnly=True), *PLACED], id="below-a-read-only-mount"),
        pytest.param(
            {}, [mounted("v", "/etc"), mounted("v", "/etc/x", subPath="conf")], id="below-a-written-volume"
        ),
    ],
)
def test_a_file_that_nobody_may_copy_is_refused(fields: dict[str, Any], mounts: list[dict[str, Any]]) -> None:
    answer = brought([APP, {"name": "e"}], mounts, container=fields)
    assert codes(answer) == [("SubPathFile", f"spec.containers[0].volumeMounts[{len(mounts) - 1}]")]


def test_an_image_with_another_user_cannot_take_a_file() -> None:
    answer = brought([APP], PLACED, material=msgspec.structs.replace(FOUND, images={IMAGE: OTHER_IMAGE}))
    assert codes(answer) == [("SubPathFile", "spec.containers[0].volumeMounts[0]")]


def test_a_read_only_root_takes_a_file_into_a_volume() -> None:
    fields = {"securityContext": {"readOnlyRootFilesystem": True}}
    answer = well(brought([APP, {"name": "e"}], [mounted("e", "/etc"), *PLACED], container=fields))
    assert len(answer.run["main"]) == 1


def test_what_is_mounted_inside_a_written_volume_finds_its_folder() -> None:
    answer = well(brought([APP, {"name": "e"}], [mounted("v", "/etc/a"), mounted("e", "/etc/a/cache/x")]))
    assert "file v cache/x/.mounted 444 - - text:" in spoken(answer.plan)


def test_a_folder_that_holds_files_needs_no_other() -> None:
    answer = well(brought([APP, {"name": "e"}], [mounted("v", "/etc/a"), mounted("e", "/etc/a/d")]))
    assert len(answer.plan) == 2


def test_the_group_of_volumes_is_given_every_volume_that_the_task_makes() -> None:
    answer = well(
        brought([APP, {"name": "e"}], [mounted("v"), mounted("e", "/e")], securityContext={"fsGroup": 2000})
    )
    assert [line for line in answer.plan if line.startswith("group")] == ["group v 2000", "group e 2000"]


def test_the_token_volumes_random_name_stays_out_of_what_pods_share() -> None:
    one = well(
        brought([token_volume("kube-api-access-aaaaa")], [mounted("kube-api-access-aaaaa", TOKEN_PATH)])
    )
    other = well(
        brought([token_volume("kube-api-access-bbbbb")], [mounted("kube-api-access-bbbbb", TOKEN_PATH)])
    )
    assert one == other
    assert one.volumes == ({"name": "kube-api-access_", "host": {}},)


def test_without_a_helper_the_token_volume_is_left_out_and_that_is_said() -> None:
    name = "kube-api-access-aaaaa"
    answer = well(brought([token_volume(name)], [mounted(name, TOKEN_PATH)], operator={"helper_image": ""}))
    assert (answer.volumes, answer.mounts, answer.plan) == ((), {"main": ()}, ())
    assert [caveat.code for caveat in answer.caveats] == ["TokenVolumeLeftOut"]


def test_a_token_volume_that_is_mounted_elsewhere_is_the_users_own() -> None:
    name = "kube-api-access-mine"
    answer = well(brought([token_volume(name)], [mounted(name, "/mine")], operator={"helper_image": ""}))
    assert answer.volumes == ({"name": name, "host": {}},)


@pytest.mark.parametrize("name", ["aws-iam-token", "eks-pod-identity-token"])
def test_a_volume_that_brings_a_role_is_taken_out(name: str) -> None:
    answer = well(brought([token_volume(name)], [mounted(name, "/var/run/secrets/eks")]))
    assert (answer.volumes, answer.own_plan, answer.caveats) == ((), (), ())


def test_a_volume_of_the_helpers_name_is_renamed() -> None:
    answer = well(brought([{"name": "spillway"}], [mounted("spillway")]))
    assert answer.volumes == ({"name": "spillway_", "host": {}},)


@pytest.mark.parametrize(
    ("path", "mounted_at"),
    [
        pytest.param("data", "/data", id="relative"),
        pytest.param("/data/", "/data", id="trailing-slash"),
        pytest.param("//a/./b", "/a/b", id="unclean"),
    ],
)
def test_a_mounts_path_is_absolute_and_clean(path: str, mounted_at: str) -> None:
    answer = well(brought([{"name": "e"}], [mounted("e", path)]))
    assert answer.mounts["main"][0]["containerPath"] == mounted_at


@pytest.mark.parametrize(
    ("mount", "code"),
    [
        pytest.param(mounted("none"), "UnknownVolume", id="no-such-volume"),
        pytest.param(mounted("e", "/spillway"), "ReservedMountPath", id="the-helpers-place"),
        pytest.param(mounted("e", "/spillway/volumes/e"), "ReservedMountPath", id="below-the-helpers-place"),
        pytest.param(mounted("e", subPath="/abs"), "SubPath", id="absolute-part"),
        pytest.param(mounted("e", subPath="a/../b"), "SubPath", id="part-that-steps-back"),
        pytest.param(mounted("e", subPathExpr="$(IP)"), "SubPathUnknownBeforeLaunch", id="address"),
        pytest.param(mounted("v", subPathExpr="$(NAME)"), "SubPathOfPod", id="written-part-of-one-pod"),
    ],
)
def test_such_a_mount_is_refused(mount: dict[str, Any], code: str) -> None:
    env = [
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    ]
    answer = brought([APP, {"name": "e"}], [mount], container={"env": env})
    assert [found for found, _ in codes(answer)] == [code]


def test_an_expression_without_a_value_keeps_the_container_from_being_made() -> None:
    answer = brought(
        [{"name": "e"}],
        [mounted("e", subPathExpr="$(B)/$(A)/$$(C)")],
        container={"env": [{"name": "B", "value": ""}]},
    )
    assert answer == Unready("CreateContainerConfigError", "missing value for A, B")


@pytest.mark.parametrize(
    "kind", ["hostPath", "nfs", "csi", "image", "awsElasticBlockStore", "gitRepo", "scaleIO"]
)
def test_a_source_that_fargate_has_nothing_like_is_refused(kind: str) -> None:
    answer = brought([{"name": "x", kind: {"any": "thing"}}], [])
    assert codes(answer) == [("Volume", f"spec.volumes[0].{kind}")]


def test_an_expression_over_a_missing_secret_waits_for_it() -> None:
    env = [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "none", "key": "k"}}}]
    answer = brought([{"name": "e"}], [mounted("e", subPathExpr="$(A)")], container={"env": env})
    assert answer == Unready("CreateContainerConfigError", 'secret "none" not found')


def test_an_expression_that_doubles_too_often_is_refused() -> None:
    env = [{"name": "A", "value": "x" * 60_000}]
    answer = brought([{"name": "e"}], [mounted("e", subPathExpr="$(A)$(A)")], container={"env": env})
    assert codes(answer) == [("SubPath", "spec.containers[0].volumeMounts[0].subPathExpr")]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    answer = brought([{"name": "x", "nfs": {"server": "s"}}, APP], [mounted("none"), mounted("x")])
    assert [code for code, _ in codes(answer)] == ["UnknownVolume", "Volume"]


def test_init_containers_mount_too() -> None:
    init = a_container("setup", volumeMounts=[mounted("v", "/in")])
    answer = well(brought([APP], containers=[a_container()], initContainers=[init]))
    assert answer.mounts == {
        "setup": ({"sourceVolume": "v", "containerPath": "/in", "readOnly": True},),
        "main": (),
    }


def test_root_may_write_where_the_image_says_so() -> None:
    answer = well(brought([{"name": "e"}], [mounted("e")], material=a_material(images={IMAGE: ROOT_IMAGE})))
    assert answer.plan == ()
