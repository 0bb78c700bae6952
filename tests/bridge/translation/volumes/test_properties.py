from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from app.bridge.translation.volumes.brought import Brought, bring
from tests.bridge.translation.builders import settings
from tests.bridge.translation.volumes.volume_parts import FOUND, mounted, well
from tests.builders import a_container, a_pod

TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
ENV = [
    {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    {"name": "FIXED", "value": "fixed"},
]
SOURCES: dict[str, dict[str, Any]] = {
    "scratch": {"emptyDir": {}},
    "memory": {"emptyDir": {"medium": "Memory"}},
    "config": {"configMap": {"name": "app"}},
    "secret": {"secret": {"secretName": "tls"}},
    "fields": {
        "downwardAPI": {
            "items": [
                {"path": path, "fieldRef": {"fieldPath": f"metadata.{path}"}}
                for path in ("name", "namespace", "uid", "labels")
            ]
        }
    },
}
whole_mounts = st.sampled_from(sorted(SOURCES)).map(lambda name: {"name": name})
parts = st.one_of(
    whole_mounts,
    st.sampled_from([{"name": "config", "subPath": "log"}, {"name": "secret", "subPath": "tls.key"}]),
    st.sampled_from(["$(NAME)", "$(FIXED)", "a/$(NAME)"]).map(
        lambda part: {"name": "parted", "subPathExpr": part}
    ),
)
mount_lists = st.lists(parts, max_size=5)
contexts = st.sampled_from([{}, {"fsGroup": 7}, {"runAsUser": 0}])


def brought(
    mounts: list[dict[str, Any]], rights: dict[str, int], *, name: str = "web-1", suffix: str = "aaaaa"
) -> Brought:
    token = f"kube-api-access-{suffix}"
    source = {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}}
    placed = [{"mountPath": f"/at/{index}", **each} for index, each in enumerate(mounts)]
    volumes = [
        *({"name": key, **value} for key, value in SOURCES.items()),
        {"name": "parted"},
        {"name": token, "projected": {"sources": [source]}},
    ]
    container = a_container(env=ENV, volumeMounts=[*placed, mounted(token, TOKEN_PATH)])
    pod = a_pod(name, uid=f"uid-of-{name}", containers=[container], volumes=volumes, securityContext=rights)
    return well(bring(pod, material=FOUND, settings=settings()))


@given(mount_lists, contexts)
def test_bringing_twice_is_the_same(mounts: list[dict[str, Any]], rights: dict[str, int]) -> None:
    assert brought(mounts, rights) == brought(mounts, rights)


@given(mount_lists, contexts)
def test_two_pods_of_a_template_differ_in_their_own_plan_alone(
    mounts: list[dict[str, Any]], rights: dict[str, int]
) -> None:
    one = brought(mounts, rights)
    other = brought(mounts, rights, name="web-2", suffix="bbbbb")
    assert msgspec.structs.replace(one, own_plan=()) == msgspec.structs.replace(other, own_plan=())


@given(mount_lists, contexts)
def test_what_is_mounted_is_a_volume_of_the_task(
    mounts: list[dict[str, Any]], rights: dict[str, int]
) -> None:
    answer = brought(mounts, rights)
    used = {point["sourceVolume"] for points in answer.mounts.values() for point in points}
    assert used == {volume["name"] for volume in answer.volumes}


@given(mount_lists, contexts)
def test_the_helper_sees_every_volume_that_it_has_to_fill(
    mounts: list[dict[str, Any]], rights: dict[str, int]
) -> None:
    answer = brought(mounts, rights)
    filled = {line.split(" ")[1] for line in (*answer.plan, *answer.own_plan)}
    assert filled == {point["sourceVolume"] for point in answer.install_mounts}


@given(mount_lists, contexts)
def test_no_container_mounts_two_volumes_at_one_place(
    mounts: list[dict[str, Any]], rights: dict[str, int]
) -> None:
    paths = [point["containerPath"] for point in brought(mounts, rights).mounts["main"]]
    assert sorted(paths) == sorted(set(paths))
