from typing import Any

import pytest

from app.bridge.translation.material import Unready
from tests.bridge.translation.builders import a_material
from tests.bridge.translation.volumes.volume_parts import FOUND, brought, codes, mounted, spoken, well
from tests.builders import a_container

MOUNTS = [mounted("v")]
TOKEN = {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}}


def plan(source: dict[str, Any], **spec: Any) -> list[str]:
    return spoken(well(brought([{"name": "v", **source}], MOUNTS, **spec)).plan)


def projected(*sources: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"projected": {"sources": list(sources), **fields}}


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        pytest.param(
            {"configMap": {"name": "app"}},
            [
                "file v app.conf 644 - - text:a=1",
                "file v log 644 - - text:debug",
                "file v logo 644 - - text:\\xff",
            ],
            id="every-key-of-a-config-map",
        ),
        pytest.param(
            {"configMap": {"name": "app", "defaultMode": 0o400, "items": [{"key": "log", "path": "a/./b"}]}},
            ["file v a/b 400 - - text:debug"],
            id="only-the-items-under-clean-paths",
        ),
        pytest.param(
            {"configMap": {"name": "app", "items": [{"key": "log", "path": "l", "mode": 0o640}]}},
            ["file v l 640 - - text:debug"],
            id="an-items-own-mode",
        ),
        pytest.param(
            {
                "configMap": {
                    "name": "app",
                    "items": [{"key": "log", "path": "x"}, {"key": "app.conf", "path": "x"}],
                }
            },
            ["file v x 644 - - text:a=1"],
            id="the-later-of-two-items-with-one-path",
        ),
        pytest.param(
            {"configMap": {"name": "none", "optional": True}}, [], id="an-optional-map-that-is-not-there"
        ),
        pytest.param(
            {"configMap": {"name": "app", "optional": True, "items": [{"key": "no", "path": "p"}]}},
            [],
            id="an-optional-key-that-is-not-there",
        ),
        pytest.param(
            {"downwardAPI": {"items": [{"path": "ns", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
            ["file v ns 644 - - text:shop"],
            id="the-namespace",
        ),
        pytest.param(
            {
                "downwardAPI": {
                    "defaultMode": 0o400,
                    "items": [
                        {
                            "path": "cpu",
                            "mode": 0o444,
                            "resourceFieldRef": {
                                "containerName": "main",
                                "resource": "requests.cpu",
                                "divisor": "1m",
                            },
                        }
                    ],
                }
            },
            ["file v cpu 444 - - text:250"],
            id="a-request",
        ),
        pytest.param(
            projected(
                {"configMap": {"name": "app", "items": [{"key": "log", "path": "x"}]}},
                {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "x"}]}},
                defaultMode=0o440,
            ),
            ["file v x 440 - - text:CA"],
            id="the-later-of-two-sources-with-one-path",
        ),
    ],
)
def test_files_are_kubelets(source: dict[str, Any], lines: list[str]) -> None:
    assert plan(source, container={"cpu": "250m"}) == lines


def test_a_secrets_file_names_the_variable_that_brings_its_value() -> None:
    answer = well(brought([{"name": "v", "secret": {"secretName": "tls"}}], MOUNTS))
    (jks, jks_at), (key, key_at) = sorted(answer.plan_secrets.items(), key=lambda pair: pair[1])
    assert (jks_at, key_at) == ("arn:tls:jks", "arn:tls:key")
    assert spoken(answer.plan) == [f"file v jks 644 - - env64:{jks}", f"file v tls.key 644 - - env:{key}"]


def test_a_large_config_map_is_brought_as_a_secret_is() -> None:
    answer = well(brought([{"name": "v", "configMap": {"name": "big"}}], MOUNTS))
    assert list(answer.plan_secrets.values()) == ["arn:big:text"]


def test_what_is_the_pods_alone_stands_in_its_own_plan() -> None:
    items = [
        {"path": path, "fieldRef": {"fieldPath": f"metadata.{path}"}}
        for path in ("labels", "namespace", "uid")
    ]
    answer = well(
        brought([{"name": "v", "downwardAPI": {"items": items}}], MOUNTS, labels={"a": "b"}, uid="u1")
    )
    assert spoken(answer.plan) == ["file v namespace 644 - - text:shop"]
    assert spoken(answer.own_plan) == ['file v labels 644 - - text:a="b"', "file v uid 644 - - text:u1"]


def test_a_token_is_sealed_and_the_pods_own() -> None:
    answer = well(brought([{"name": "v", **projected(TOKEN)}], MOUNTS))
    assert (answer.plan, answer.own_plan) == ((), ("file v dG9rZW4= 644 - - sealed:SEALED",))
    assert answer.plan_secrets == {"SPILLWAY_KEY": "arn:seal"}


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        pytest.param(
            {"securityContext": {"runAsUser": 1000}}, "600 1000 - sealed:SEALED", id="all-containers-one-user"
        ),
        pytest.param({"securityContext": {"fsGroup": 2000}}, "600 - - sealed:SEALED", id="group-of-volumes"),
        pytest.param(
            {
                "securityContext": {"runAsUser": 1000},
                "initContainers": [a_container("i", securityContext={"runAsUser": 0})],
            },
            "644 - - sealed:SEALED",
            id="two-users",
        ),
    ],
)
def test_a_token_is_guarded_as_a_kubelet_guards_it(spec: dict[str, Any], line: str) -> None:
    answer = well(brought([{"name": "v", **projected(TOKEN)}], MOUNTS, **spec))
    assert answer.own_plan == (f"file v dG9rZW4= {line}",)


def test_a_token_that_ends_soon_is_said_not_to_be_refreshed() -> None:
    source = {"serviceAccountToken": {"path": "t", "audience": "vault", "expirationSeconds": 600}}
    (caveat,) = well(brought([{"name": "v", **projected(source)}], MOUNTS)).caveats
    assert caveat.code == "TokenNotRefreshed"
    assert "expires at 2026-01-01T13:00:00Z" in caveat.message


def test_nothing_is_said_of_the_token_that_lasts_a_year() -> None:
    assert well(brought([{"name": "v", **projected(TOKEN)}], MOUNTS)).caveats == ()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        pytest.param({"configMap": {"name": "x"}}, 'configmap "x" not found', id="config-map"),
        pytest.param({"secret": {"secretName": "x"}}, 'secret "x" not found', id="secret"),
        pytest.param(
            {"configMap": {"name": "app", "items": [{"key": "k", "path": "p"}]}},
            "configmap references non-existent config key: k",
            id="key-of-config-map",
        ),
        pytest.param(
            {"secret": {"secretName": "tls", "items": [{"key": "k", "path": "p"}]}},
            "references non-existent secret key: k",
            id="key-of-secret",
        ),
        pytest.param(projected({"secret": {"name": "x"}}), 'secret "x" not found', id="projected"),
        pytest.param(
            projected({"serviceAccountToken": {"path": "t", "audience": "none"}}),
            "failed to fetch token: no answer yet",
            id="token",
        ),
    ],
)
@pytest.mark.parametrize("mounts", [pytest.param(MOUNTS, id="mounted"), pytest.param([], id="not-mounted")])
def test_what_is_missing_keeps_the_volume_from_being_mounted(
    source: dict[str, Any], message: str, mounts: list[dict[str, Any]]
) -> None:
    expected = Unready(
        "ContainerCreating", f'MountVolume.SetUp failed for volume "v" : {message}', "FailedMount"
    )
    assert brought([{"name": "v", **source}], mounts) == expected


def test_a_token_of_an_account_that_is_not_there_is_said_so() -> None:
    answer = brought(
        [{"name": "v", **projected(TOKEN)}], MOUNTS, material=a_material(), serviceAccountName="sa"
    )
    assert isinstance(answer, Unready)
    assert answer.message.endswith('failed to fetch token: serviceaccounts "sa" not found')


def items(*paths: str) -> dict[str, Any]:
    return {"configMap": {"name": "app", "items": [{"key": "log", "path": path} for path in paths]}}


@pytest.mark.parametrize(
    ("source", "code"),
    [
        pytest.param(items("/etc/x"), "FilePath", id="absolute"),
        pytest.param(items("../x"), "FilePath", id="outside"),
        pytest.param(items("a/../b"), "FilePath", id="stepping-back"),
        pytest.param(items("..x"), "FilePath", id="reserved-by-the-kubelet"),
        pytest.param(items(""), "FilePath", id="empty"),
        pytest.param(items("x" * 256), "FilePath", id="long-name"),
        pytest.param(items("a", "a/b"), "FilePath", id="file-and-folder"),
        pytest.param(projected({"clusterTrustBundle": {"path": "x"}}), "Volume", id="trust-bundle"),
        pytest.param(projected({"podCertificate": {"keyType": "x"}}), "Volume", id="certificate"),
        pytest.param(
            {"downwardAPI": {"items": [{"path": "x", "fieldRef": {"fieldPath": "status.podIP"}}]}},
            "DownwardField",
            id="field-that-files-do-not-tell",
        ),
        pytest.param(
            {
                "downwardAPI": {
                    "items": [
                        {"path": "x", "resourceFieldRef": {"containerName": "no", "resource": "limits.cpu"}}
                    ]
                }
            },
            "UnknownResource",
            id="container-that-is-not-there",
        ),
    ],
)
def test_such_files_are_refused(source: dict[str, Any], code: str) -> None:
    assert {found for found, _ in codes(brought([{"name": "v", **source}], MOUNTS))} == {code}


def test_a_bad_quantity_is_refused_by_name() -> None:
    reference = {"containerName": "main", "resource": "limits.cpu", "divisor": "lots"}
    source = {"downwardAPI": {"items": [{"path": "x", "resourceFieldRef": reference}]}}
    assert codes(brought([{"name": "v", **source}], MOUNTS)) == [("InvalidQuantity", "spec.volumes[0]")]


def test_a_volume_without_items_may_be_empty() -> None:
    answer = well(brought([{"name": "v", "configMap": {"name": "none", "optional": True}}], MOUNTS))
    assert answer.volumes == ({"name": "v", "host": {}},)
    assert FOUND.config_maps.keys() == {"app", "kube-root-ca.crt"}
