from typing import Any

import pytest

from tests.bridge.translation.builders import IMAGE, a_material
from tests.bridge.translation.volumes.volume_parts import (
    OTHER_IMAGE,
    ROOT_IMAGE,
    brought,
    codes,
    mounted,
    well,
)
from tests.builders import a_container

AS_ROOT: dict[str, Any] = {"securityContext": {"runAsUser": 0}}
AS_OTHER: dict[str, Any] = {"securityContext": {"runAsUser": 1000}}
MEMORY = {"name": "m", "emptyDir": {"medium": "Memory", "sizeLimit": "100M"}}


def test_an_empty_dir_is_a_volume_of_the_task() -> None:
    answer = well(brought([{"name": "e", "emptyDir": {"sizeLimit": "2Gi"}}], [mounted("e", readOnly=True)]))
    assert answer.volumes == ({"name": "e", "host": {}},)
    assert answer.mounts["main"] == ({"sourceVolume": "e", "containerPath": "/data", "readOnly": True},)
    assert answer.storage == 2 * 2**30


def test_a_volume_without_a_source_is_an_empty_dir() -> None:
    assert well(brought([{"name": "e"}], [mounted("e")])).volumes == ({"name": "e", "host": {}},)


@pytest.mark.parametrize(
    ("spec", "material", "operator", "plan"),
    [
        pytest.param(AS_ROOT, a_material(images={}), {}, (), id="root-writes-anyway"),
        pytest.param(AS_OTHER, a_material(images={}), {}, ("mode e 777",), id="other-user"),
        pytest.param(
            AS_OTHER, a_material(images={}), {"helper_image": ""}, ("mode e 777",), id="without-a-helper"
        ),
        pytest.param(
            {"securityContext": {"runAsNonRoot": True}},
            a_material(images={}),
            {},
            ("mode e 777",),
            id="not-root",
        ),
        pytest.param({}, a_material(images={}), {}, ("mode e 777",), id="image-that-is-not-known"),
        pytest.param({}, a_material(images={}), {"helper_image": ""}, (), id="image-not-known-and-no-helper"),
        pytest.param({}, a_material(images={IMAGE: OTHER_IMAGE}), {}, ("mode e 777",), id="image-of-another"),
        pytest.param({}, a_material(images={IMAGE: ROOT_IMAGE}), {}, (), id="image-of-root"),
    ],
)
def test_whoever_may_not_be_root_is_let_write(
    spec: dict[str, Any], material: Any, operator: dict[str, Any], plan: tuple[str, ...]
) -> None:
    answer = well(brought([{"name": "e"}], [mounted("e")], material=material, operator=operator, **spec))
    assert answer.plan == plan


def test_where_nobody_can_be_let_write_it_is_said() -> None:
    answer = well(
        brought(
            [{"name": "e"}], [mounted("e")], material=a_material(images={}), operator={"helper_image": ""}
        )
    )
    assert [caveat.code for caveat in answer.caveats] == ["VolumeForRootOnly"]


def test_nobody_is_let_write_what_is_mounted_read_only() -> None:
    assert well(brought([{"name": "e"}], [mounted("e", readOnly=True)], **AS_OTHER)).plan == ()


def test_everybody_is_let_write_before_the_group_is_given_the_volume() -> None:
    spec: dict[str, Any] = {"securityContext": {"runAsUser": 1000, "fsGroup": 5}}
    assert well(brought([{"name": "e"}], [mounted("e")], **spec)).plan == ("mode e 777", "group e 5")


def test_folders_that_nobody_mounts_more_of_are_volumes_of_their_own() -> None:
    mounts = [mounted("e", "/a", subPath="one"), mounted("e", "/b", subPath="two/deep")]
    init = a_container("init", volumeMounts=[mounted("e", "/c", subPath="two//deep/")])
    main = a_container(volumeMounts=mounts)
    answer = well(brought([{"name": "e"}], containers=[main], initContainers=[init], **AS_ROOT))
    assert [volume["name"] for volume in answer.volumes] == ["e_1", "e_2"]
    assert answer.mounts == {
        "init": ({"sourceVolume": "e_1", "containerPath": "/c", "readOnly": False},),
        "main": (
            {"sourceVolume": "e_2", "containerPath": "/a", "readOnly": False},
            {"sourceVolume": "e_1", "containerPath": "/b", "readOnly": False},
        ),
    }


def test_the_part_dot_is_the_whole_volume() -> None:
    assert well(brought([{"name": "e"}], [mounted("e", subPath=".")])).volumes == ({"name": "e", "host": {}},)


@pytest.mark.parametrize(
    ("outer", "inner"),
    [pytest.param("", "a", id="whole-and-folder"), pytest.param("a", "a/b", id="folder-and-folder-in-it")],
)
def test_a_folder_cannot_be_shared_with_more_of_the_volume(outer: str, inner: str) -> None:
    mounts = [mounted("e", "/o", subPath=outer), mounted("e", "/i", subPath=inner)]
    assert codes(brought([{"name": "e"}], mounts)) == [
        ("SubPathShared", "spec.containers[0].volumeMounts[1]")
    ]


def test_a_folder_for_each_pod_is_the_same_in_every_pods_definition() -> None:
    env = [{"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]
    mounts = [mounted("e", "/log", subPathExpr="$(NAME)")]
    one = brought([{"name": "e"}], mounts, name="web-1", container={"env": env})
    assert one == brought([{"name": "e"}], mounts, name="web-2", container={"env": env})


def test_memory_of_one_container_is_a_tmpfs() -> None:
    answer = well(brought([MEMORY], [mounted("m")], **AS_OTHER))
    assert answer.tmpfs["main"] == ({"containerPath": "/data", "size": 96, "mountOptions": ["rw", "exec"]},)
    assert (answer.volumes, answer.mounts["main"], answer.plan, answer.storage) == ((), (), (), 0)


def test_memory_without_a_limit_is_half_the_tasks() -> None:
    answer = well(brought([{"name": "m", "emptyDir": {"medium": "Memory"}}], [mounted("m", readOnly=True)]))
    assert answer.tmpfs["main"] == ({"containerPath": "/data", "size": 256, "mountOptions": ["ro", "exec"]},)


@pytest.mark.parametrize(
    "mounts",
    [
        pytest.param([mounted("m", "/a"), mounted("m", "/b")], id="twice-in-one-container"),
        pytest.param([mounted("m", subPath="x")], id="a-folder-of-it"),
    ],
)
def test_memory_that_a_tmpfs_cannot_be_is_on_disk_and_that_is_said(mounts: list[dict[str, Any]]) -> None:
    answer = well(brought([MEMORY], mounts))
    assert (len(answer.volumes), answer.tmpfs["main"], answer.storage) == (1, (), 100_000_000)
    assert [caveat.code for caveat in answer.caveats] == ["MemoryVolumeOnDisk"]


def test_memory_of_two_containers_is_on_disk() -> None:
    init = a_container("init", volumeMounts=[mounted("m")])
    main = a_container(volumeMounts=[mounted("m")])
    answer = well(brought([MEMORY], containers=[main], initContainers=[init]))
    assert [caveat.code for caveat in answer.caveats] == ["MemoryVolumeOnDisk"]


@pytest.mark.parametrize(
    ("source", "code", "field"),
    [
        pytest.param({"medium": "HugePages-2Mi"}, "VolumeMedium", "emptyDir.medium", id="huge-pages"),
        pytest.param({"sizeLimit": "lots"}, "InvalidQuantity", "emptyDir.sizeLimit", id="no-quantity"),
    ],
)
def test_such_an_empty_dir_is_refused(source: dict[str, Any], code: str, field: str) -> None:
    answer = brought([{"name": "e", "emptyDir": source}], [mounted("e")])
    assert codes(answer) == [(code, f"spec.volumes[0].{field}")]
