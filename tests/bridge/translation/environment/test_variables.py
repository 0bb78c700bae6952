from typing import Any

import pytest

from app.bridge.translation.environment.resolved import Resolved, resolve
from app.bridge.translation.material import Unready
from app.model.objects import ConfigMap
from tests.bridge.translation.builders import a_material, settings
from tests.bridge.translation.environment.environment_parts import (
    IP,
    MATERIAL,
    answer_of,
    environment,
    plain,
    resolved,
)
from tests.builders import a_container, a_pod


def test_a_variable_sees_only_those_before_it() -> None:
    env = [plain("A", "$(B)"), plain("B", "1"), plain("C", "$(B)")]
    assert environment(env=env) == {"A": "$(B)", "B": "1", "C": "1"}


def test_the_last_of_two_variables_with_one_name_wins() -> None:
    assert environment(env=[plain("A", "1"), plain("A", "2")]) == {"A": "2"}


def test_a_variable_can_be_made_of_its_former_value() -> None:
    assert environment(env=[plain("A", "1"), plain("A", "$(A)2")]) == {"A": "12"}


def test_env_from_takes_every_text_of_a_config_map_under_its_prefix() -> None:
    env_from = [{"prefix": "APP_", "configMapRef": {"name": "app"}}]
    assert environment(envFrom=env_from) == {"APP_USER": "me", "APP_level": "debug"}


def test_env_wins_over_env_from_and_sees_it() -> None:
    env = [plain("GREETING", "hi $(USER)"), plain("USER", "you")]
    assert environment(envFrom=[{"configMapRef": {"name": "app"}}], env=env) == {
        "USER": "you",
        "level": "debug",
        "GREETING": "hi me",
    }


def test_the_later_source_of_env_from_wins() -> None:
    material = a_material(config_maps={"a": ConfigMap(data={"X": "1"}), "b": ConfigMap(data={"X": "2"})})
    sources = [{"configMapRef": {"name": "a"}}, {"configMapRef": {"name": "b"}}]
    assert resolved(material, envFrom=sources).environment["X"] == "2"


def test_a_containers_own_limit_is_told_where_no_container_is_named() -> None:
    env = [{"name": "CPUS", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}}]
    assert environment(env=env, resources={"limits": {"cpu": "3"}}) == {"CPUS": "3"}


def test_the_hosts_address_is_the_virtual_nodes() -> None:
    env = [{"name": "HOST", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}}]
    pod = a_pod(containers=[a_container(env=env)])
    answer = resolve(
        pod.spec.containers[0], pod=pod, material=MATERIAL, settings=settings(host_ip="10.9.8.7"), field="f"
    )
    assert isinstance(answer, Resolved)
    assert answer.environment["HOST"] == "10.9.8.7"


def key_ref(kind: str, name: str, key: str, *, optional: bool = False) -> list[dict[str, Any]]:
    return [{"name": "A", "valueFrom": {kind: {"name": name, "key": key, "optional": optional}}}]


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"env": key_ref("configMapKeyRef", "none", "k", optional=True)}, id="config-map"),
        pytest.param({"env": key_ref("configMapKeyRef", "app", "none", optional=True)}, id="its-key"),
        pytest.param({"env": key_ref("secretKeyRef", "none", "k", optional=True)}, id="secret"),
        pytest.param({"env": key_ref("secretKeyRef", "db", "none", optional=True)}, id="its-key-of-secret"),
        pytest.param(
            {"envFrom": [{"configMapRef": {"name": "none", "optional": True}}]}, id="all-of-config-map"
        ),
        pytest.param({"envFrom": [{"secretRef": {"name": "none", "optional": True}}]}, id="all-of-secret"),
    ],
)
def test_what_is_optional_and_not_there_is_left_out(fields: dict[str, Any]) -> None:
    assert environment(**fields) == {}


def test_an_optional_key_that_is_not_there_leaves_the_former_value() -> None:
    env = [plain("A", "1"), *key_ref("configMapKeyRef", "app", "none", optional=True)]
    assert environment(env=env) == {"A": "1"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        pytest.param(
            {"env": key_ref("configMapKeyRef", "none", "k")}, 'configmap "none" not found', id="config-map"
        ),
        pytest.param({"env": key_ref("secretKeyRef", "none", "k")}, 'secret "none" not found', id="secret"),
        pytest.param(
            {"env": key_ref("configMapKeyRef", "app", "k")},
            "couldn't find key k in ConfigMap shop/app",
            id="key-of-config-map",
        ),
        pytest.param(
            {"env": key_ref("configMapKeyRef", "app", "logo")},
            "couldn't find key logo in ConfigMap shop/app",
            id="binary-key-of-config-map",
        ),
        pytest.param(
            {"env": key_ref("secretKeyRef", "db", "k")},
            "couldn't find key k in Secret shop/db",
            id="key-of-secret",
        ),
        pytest.param(
            {"envFrom": [{"configMapRef": {"name": "none"}}]},
            'configmap "none" not found',
            id="all-of-config-map",
        ),
        pytest.param(
            {"envFrom": [{"secretRef": {"name": "none"}}]}, 'secret "none" not found', id="all-of-secret"
        ),
    ],
)
def test_what_is_missing_is_said_in_kubelets_words(fields: dict[str, Any], message: str) -> None:
    assert answer_of(**fields) == Unready("CreateContainerConfigError", message)


def test_a_secret_that_is_no_text_keeps_the_container_from_being_made() -> None:
    answer = answer_of(envFrom=[{"secretRef": {"name": "db"}}])
    assert isinstance(answer, Unready)
    assert answer.reason == "CreateContainerError"
    assert 'key jks in secret "db"' in answer.message


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        pytest.param(
            {"env": [{"name": "A", "valueFrom": {"fileKeyRef": {"key": "k"}}}]},
            "VariableSource",
            "spec.containers[0].env[0].valueFrom",
            id="file",
        ),
        pytest.param(
            {"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "status.phase"}}}]},
            "VariableField",
            "spec.containers[0].env[0].valueFrom.fieldRef",
            id="field",
        ),
        pytest.param(
            {"env": [{"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.gpu"}}}]},
            "UnknownResource",
            "spec.containers[0].env[0].valueFrom.resourceFieldRef",
            id="resource",
        ),
        pytest.param(
            {
                "env": [
                    {
                        "name": "A",
                        "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "x"}},
                    }
                ]
            },
            "InvalidQuantity",
            "spec.containers[0].env[0].valueFrom.resourceFieldRef",
            id="divisor",
        ),
        pytest.param(
            {"env": [plain("SPILLWAY_RUN_X", "1")]},
            "ReservedVariable",
            "spec.containers[0].env[0]",
            id="the-helpers-variable",
        ),
        pytest.param(
            {"envFrom": [{"configMapRef": {"name": "own"}}]},
            "ReservedVariable",
            "spec.containers[0].envFrom[0]",
            id="reserved-name-in-a-config-map",
        ),
        pytest.param(
            {"env": [{**IP, "name": "my ip"}]}, "VariableName", "spec.containers[0].env", id="space-in-name"
        ),
        pytest.param(
            {"env": [plain("A", "x" * 60_000), plain("B", "$(A)$(A)")]},
            "VariableTooLong",
            "spec.containers[0].env[1].value",
            id="doubled-too-often",
        ),
        pytest.param(
            {"env": [plain("A", "x" * 60_000)], "args": ["$(A)$(A)"]},
            "WordsTooLong",
            "spec.containers[0].args",
            id="argument-doubled-too-often",
        ),
    ],
)
def test_what_can_never_be_is_refused_where_it_stands(fields: dict[str, Any], code: str, field: str) -> None:
    answer = answer_of(**fields)
    assert isinstance(answer, tuple)
    assert [(reason.code, reason.field) for reason in answer] == [(code, field)]


def test_a_source_of_env_from_that_names_nothing_gives_nothing() -> None:
    assert environment(envFrom=[{"prefix": "A_"}]) == {}


def test_every_reason_is_named_and_wins_over_what_is_missing() -> None:
    env = [
        *key_ref("secretKeyRef", "none", "k"),
        {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "status.phase"}}},
        {"name": "B", "valueFrom": {"fileKeyRef": {"key": "k"}}},
    ]
    answer = answer_of(env=env)
    assert isinstance(answer, tuple)
    assert [reason.code for reason in answer] == ["VariableField", "VariableSource"]


@pytest.mark.parametrize(
    ("volume", "variables"),
    [
        pytest.param("aws-iam-token", ["AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"], id="irsa"),
        pytest.param(
            "eks-pod-identity-token",
            ["AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"],
            id="pod-identity",
        ),
    ],
)
def test_variables_of_a_role_go_since_the_role_becomes_the_tasks(volume: str, variables: list[str]) -> None:
    token = {"projected": {"sources": [{"serviceAccountToken": {"path": "token", "audience": "x"}}]}}
    env = [plain("AWS_REGION", "eu-west-1"), *(plain(name, "x") for name in variables)]
    container = a_container(env=env, volumeMounts=[{"name": volume, "mountPath": "/var/run/secrets/x"}])
    pod = a_pod(containers=[container], volumes=[{"name": volume, **token}])
    answer = resolve(pod.spec.containers[0], pod=pod, material=MATERIAL, settings=settings(), field="f")
    assert isinstance(answer, Resolved)
    assert sorted(answer.environment) == ["AWS_REGION", "HOSTNAME"]


def test_the_same_variables_stay_where_the_user_set_them() -> None:
    assert environment(env=[plain("AWS_ROLE_ARN", "arn")]) == {"AWS_ROLE_ARN": "arn"}
