from typing import Any

import pytest

from app.bridge.translation.containers.security import Rights, rights_of
from app.bridge.translation.material import Unready
from app.fargate.security_fields import DEFAULT_CAPABILITIES
from app.model.image import ImageConfig
from tests.bridge.translation.builders import an_image
from tests.builders import a_container, a_pod

ROOT_IMAGE = an_image()


def answer(
    own: dict[str, Any] | None = None,
    shared: dict[str, Any] | None = None,
    *,
    image: ImageConfig | None = ROOT_IMAGE,
) -> Any:
    pod = a_pod("web", uid="u", containers=[a_container(securityContext=own)], securityContext=shared)
    return rights_of(pod.spec.containers[0], pod=pod, image=image, field="spec.containers[0]")


def rights(
    own: dict[str, Any] | None = None,
    shared: dict[str, Any] | None = None,
    *,
    image: ImageConfig | None = ROOT_IMAGE,
) -> Rights:
    found = answer(own, shared, image=image)
    assert isinstance(found, Rights)
    return found


@pytest.mark.parametrize(
    ("own", "shared", "image", "expected"),
    [
        pytest.param({}, {}, ROOT_IMAGE, ("", 0), id="the-image's-root"),
        pytest.param({}, {}, an_image(user="1000:1000"), ("", 1000), id="the-image's-number"),
        pytest.param({}, {}, an_image(user="app"), ("", None), id="the-image's-name"),
        pytest.param({}, {}, an_image(user="root"), ("", 0), id="root-by-name"),
        pytest.param({}, {}, None, ("", None), id="unknown-image"),
        pytest.param({"runAsUser": 7}, {}, None, ("7", 7), id="user"),
        pytest.param({}, {"runAsUser": 7, "runAsGroup": 8}, None, ("7:8", 7), id="user-and-group-of-the-pod"),
        pytest.param({"runAsUser": 0}, {"runAsUser": 7}, None, ("0", 0), id="the-container-wins"),
        pytest.param({"runAsGroup": 8}, {}, an_image(user="app:staff"), ("app:8", None), id="group-alone"),
        pytest.param({"runAsGroup": 8}, {}, ROOT_IMAGE, ("0:8", 0), id="group-of-root"),
    ],
)
def test_ecs_is_told_the_user(
    own: dict[str, Any], shared: dict[str, Any], image: ImageConfig | None, expected: tuple[str, int | None]
) -> None:
    found = rights(own, shared, image=image)
    assert (found.user, found.uid) == expected


@pytest.mark.parametrize(
    ("own", "shared", "image", "user", "run"),
    [
        pytest.param({}, {"fsGroup": 5}, ROOT_IMAGE, "", ("user 0 - +,5",), id="root"),
        pytest.param({"runAsUser": 7}, {"fsGroup": 5}, None, "0", ("user 7 - +,5",), id="user"),
        pytest.param(
            {}, {"fsGroup": 5}, an_image(user="app:staff"), "0", ("user app staff +,5",), id="by-name"
        ),
        pytest.param(
            {"runAsUser": 7, "runAsGroup": 8},
            {"fsGroup": 5, "supplementalGroups": [9, 8]},
            None,
            "0",
            ("user 7 8 +,5,9",),
            id="all-groups-but-its-own",
        ),
        pytest.param(
            {"runAsUser": 7, "runAsGroup": 5}, {"fsGroup": 5}, None, "7:5", (), id="the-group-is-its-own"
        ),
    ],
)
def test_the_helper_gives_the_groups_that_ecs_cannot(
    own: dict[str, Any], shared: dict[str, Any], image: ImageConfig | None, user: str, run: tuple[str, ...]
) -> None:
    found = rights(own, shared, image=image)
    assert (found.user, found.run) == (user, run)


@pytest.mark.parametrize(
    ("own", "shared"),
    [
        pytest.param({}, {"fsGroup": 5}, id="fs-group"),
        pytest.param({"runAsGroup": 5}, {}, id="run-as-group"),
    ],
)
def test_a_group_of_an_unknown_user_is_refused(own: dict[str, Any], shared: dict[str, Any]) -> None:
    assert [each.code for each in answer(own, shared, image=None)] == ["ImageUser"]


@pytest.mark.parametrize(
    ("own", "image", "message"),
    [
        pytest.param(
            {"runAsNonRoot": True},
            ROOT_IMAGE,
            'container has runAsNonRoot and image will run as root (pod: "web_shop(u)", container: main)',
            id="by-the-image",
        ),
        pytest.param(
            {"runAsNonRoot": True, "runAsUser": 0},
            None,
            'container\'s runAsUser breaks non-root policy (pod: "web_shop(u)", container: main)',
            id="by-the-pod",
        ),
    ],
)
def test_root_that_must_not_be_is_told_in_kubelets_words(
    own: dict[str, Any], image: ImageConfig | None, message: str
) -> None:
    assert answer(own, image=image) == Unready("CreateContainerConfigError", message)


@pytest.mark.parametrize(
    ("own", "image", "run"),
    [
        pytest.param({}, None, ("nonroot",), id="unknown-image"),
        pytest.param({}, an_image(user="app"), ("nonroot",), id="a-name"),
        pytest.param({}, an_image(user="7"), (), id="a-number"),
        pytest.param({"runAsUser": 7}, None, (), id="the-pod's-number"),
    ],
)
def test_the_helper_looks_where_nobody_knows_whether_it_is_root(
    own: dict[str, Any], image: ImageConfig | None, run: tuple[str, ...]
) -> None:
    assert rights({"runAsNonRoot": True, **own}, image=image).run == run


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param({}, {}, id="nothing"),
        pytest.param({"drop": ["ALL"]}, {"drop": ["ALL"]}, id="drop-all"),
        pytest.param({"drop": ["NET_RAW", "CAP_CHOWN"]}, {"drop": ["CHOWN", "NET_RAW"]}, id="drop-some"),
        pytest.param({"drop": ["SYS_ADMIN"]}, {}, id="drop-what-is-not-there"),
        pytest.param({"add": ["NET_BIND_SERVICE"]}, {}, id="add-what-is-there"),
        pytest.param({"add": ["SYS_PTRACE"]}, {"add": ["SYS_PTRACE"]}, id="add-ptrace"),
        pytest.param(
            {"drop": ["ALL"], "add": ["SYS_PTRACE"]},
            {"drop": ["ALL"], "add": ["SYS_PTRACE"]},
            id="only-ptrace",
        ),
        pytest.param(
            {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
            {"drop": sorted(DEFAULT_CAPABILITIES - {"NET_BIND_SERVICE"})},
            id="drop-all-but-one",
        ),
        pytest.param({"drop": ["CHOWN"], "add": ["CHOWN"]}, {"drop": ["CHOWN"]}, id="drop-wins-over-add"),
    ],
)
def test_capabilities_are_taken_from_the_default_set(
    asked: dict[str, Any], expected: dict[str, list[str]]
) -> None:
    assert rights({"capabilities": asked}).capabilities == expected


def test_the_helper_keeps_what_it_needs_to_become_another_user_and_drops_it_itself() -> None:
    found = rights({"runAsUser": 7, "capabilities": {"drop": ["ALL"]}}, {"fsGroup": 5})
    assert found.capabilities == {"drop": sorted(DEFAULT_CAPABILITIES - {"SETGID", "SETPCAP", "SETUID"})}
    assert found.run == ("user 7 - +,5", "drop SETGID,SETPCAP,SETUID")


def test_what_nobody_dropped_is_not_dropped_by_the_helper() -> None:
    found = rights({"runAsUser": 7, "capabilities": {"drop": ["SETUID"]}}, {"fsGroup": 5})
    assert (found.capabilities, found.run) == ({}, ("user 7 - +,5", "drop SETUID"))


@pytest.mark.parametrize(
    ("value", "run"),
    [
        pytest.param(False, ("nonewprivileges",), id="false"),
        pytest.param(True, (), id="true"),
        pytest.param(None, (), id="nothing"),
    ],
)
def test_privileges_do_not_grow_where_the_pod_forbids_it(value: object, run: tuple[str, ...]) -> None:
    assert rights({"allowPrivilegeEscalation": value}).run == run


@pytest.mark.parametrize(
    ("own", "image", "expected"),
    [
        pytest.param({}, ROOT_IMAGE, True, id="root"),
        pytest.param({"readOnlyRootFilesystem": True}, ROOT_IMAGE, False, id="read-only"),
        pytest.param({"runAsUser": 7}, ROOT_IMAGE, False, id="another-user"),
        pytest.param({}, an_image(user="app"), False, id="a-name"),
    ],
)
def test_only_root_edits_the_containers_files(
    own: dict[str, Any], image: ImageConfig, *, expected: bool
) -> None:
    assert rights(own, image=image).edits_files is expected


@pytest.mark.parametrize(
    ("name", "namespace"),
    [
        pytest.param("net.core.somaxconn", "net.core.somaxconn", id="dots"),
        pytest.param("net/core/somaxconn", "net.core.somaxconn", id="slashes"),
        pytest.param("net/ipv4/conf/eth0.1/mtu", "net.ipv4.conf.eth0/1.mtu", id="a-dot-in-a-part"),
    ],
)
def test_sysctls_are_system_controls(name: str, namespace: str) -> None:
    found = rights({}, {"sysctls": [{"name": name, "value": "1024"}]})
    assert found.controls == ({"namespace": namespace, "value": "1024"},)
