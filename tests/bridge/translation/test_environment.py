import base64
from typing import Any

import pytest

from app.bridge.translation.environment import Resolved, resolve
from app.bridge.translation.material import Material, StoredKey, StoredObject, Unready
from app.model.objects import ConfigMap
from app.model.reason import Reason
from tests.bridge.translation.builders import a_material, settings
from tests.builders import a_container, a_pod

NAME = {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
IP = {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
PASSWORD = {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}
MATERIAL = a_material(
    secrets={
        "db": StoredObject(
            keys={"password": StoredKey("arn:db:password"), "jks": StoredKey("arn:db:jks", encoded=True)}
        ),
        "text": StoredObject(keys={"user": StoredKey("arn:text:user")}),
    },
    config_maps={
        "app": ConfigMap(data={"level": "debug", "USER": "me"}, binary_data={"logo": b"\xff"}),
        "own": ConfigMap(data={"SPILLWAY_POD": "x"}),
    },
    stored_maps={"big": StoredObject(keys={"TEXT": StoredKey("arn:big:TEXT")})},
)


def plain(name: str, value: str) -> dict[str, Any]:
    return {"name": name, "value": value}


def answer_of(material: Material = MATERIAL, **fields: Any) -> Resolved | Unready | tuple[Reason, ...]:
    pod = a_pod("web-1", containers=[a_container(**fields)])
    return resolve(
        pod.spec.containers[0], pod=pod, material=material, settings=settings(), field="spec.containers[0]"
    )


def resolved(material: Material = MATERIAL, **fields: Any) -> Resolved:
    answer = answer_of(material, **fields)
    assert isinstance(answer, Resolved)
    return answer


def environment(**fields: Any) -> dict[str, str]:
    return {name: value for name, value in resolved(**fields).environment.items() if name != "HOSTNAME"}


def env_line(name: str, text: str) -> str:
    return f"env {name} {base64.b64encode(text.encode()).decode()}"


def test_a_variable_sees_only_those_before_it() -> None:
    env = [plain("A", "$(B)"), plain("B", "1"), plain("C", "$(B)")]
    assert environment(env=env) == {"A": "$(B)", "B": "1", "C": "1"}


def test_the_last_of_two_variables_with_one_name_wins() -> None:
    assert environment(env=[plain("A", "1"), plain("A", "2")]) == {"A": "2"}


def test_a_variable_can_be_made_of_its_former_value() -> None:
    assert environment(env=[plain("A", "1"), plain("A", "$(A)2")]) == {"A": "12"}


def test_command_and_args_see_the_environment() -> None:
    answer = resolved(env=[plain("N", "7")], command=["run", "$(N)"], args=["--n=$(N)", "$$(N)"])
    assert (answer.command, answer.args) == (("run", "7"), ("--n=7", "$(N)"))


def test_every_container_is_told_its_hostname_as_its_pods_own() -> None:
    answer = resolved()
    assert (answer.environment, answer.own) == ({"HOSTNAME": "web-1"}, {"HOSTNAME"})


def test_a_hostname_of_the_containers_own_stays() -> None:
    answer = resolved(env=[plain("HOSTNAME", "mine")])
    assert (answer.environment, answer.own) == ({"HOSTNAME": "mine"}, frozenset())


def test_the_hostname_is_no_variable_to_refer_to() -> None:
    assert environment(env=[plain("A", "$(HOSTNAME)")]) == {"A": "$(HOSTNAME)"}


def test_a_value_made_of_the_pods_own_is_its_own_too() -> None:
    answer = resolved(
        env=[NAME, plain("PLAIN", "x"), plain("MADE", "$(PLAIN)-$(NAME)")], command=["run", "$(PLAIN)"]
    )
    assert answer.own == {"HOSTNAME", "NAME", "MADE"}
    assert not answer.own_command


def test_a_command_with_the_pods_own_value_is_its_own() -> None:
    assert resolved(env=[NAME], args=["--as=$(NAME)"]).own_command


def test_the_namespace_is_not_the_pods_own() -> None:
    env = [{"name": "NS", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}}]
    assert resolved(env=env).own == {"HOSTNAME"}


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


def test_a_secrets_value_is_taken_from_where_it_is_kept() -> None:
    answer = resolved(env=[PASSWORD], envFrom=[{"prefix": "DB_", "secretRef": {"name": "text"}}])
    assert answer.secrets == {"PASSWORD": "arn:db:password", "DB_user": "arn:text:user"}
    assert answer.run == ()


def test_a_copy_of_a_secrets_value_is_kept_there_too() -> None:
    answer = resolved(env=[PASSWORD, plain("PGPASSWORD", "$(PASSWORD)")])
    assert answer.secrets == {"PASSWORD": "arn:db:password", "PGPASSWORD": "arn:db:password"}
    assert answer.run == ()


def test_a_large_config_maps_value_travels_as_a_secrets_does() -> None:
    env = [{"name": "T", "valueFrom": {"configMapKeyRef": {"name": "big", "key": "TEXT"}}}]
    assert resolved(env=env).secrets == {"T": "arn:big:TEXT"}


def test_a_value_made_of_a_secret_is_made_in_the_task() -> None:
    answer = resolved(env=[PASSWORD, plain("HOST", "db$$1"), plain("URL", "pg://me:$(PASSWORD)@$(HOST)")])
    assert answer.run == (env_line("URL", "pg://me:$(PASSWORD)@db$$1"),)
    assert "URL" not in answer.environment


def test_a_value_that_is_overwritten_later_is_still_made_of_the_secret() -> None:
    answer = resolved(env=[PASSWORD, plain("URL", "x$(PASSWORD)"), plain("PASSWORD", "other")])
    assert answer.run == (env_line("URL", "x$(SPILLWAY_RUN_VALUE_1)"),)
    assert answer.secrets == {"SPILLWAY_RUN_VALUE_1": "arn:db:password"}
    assert answer.environment["PASSWORD"] == "other"  # noqa: S105  (no secret)


def test_the_pods_own_values_stay_out_of_what_all_pods_share() -> None:
    answer = resolved(
        env=[PASSWORD, plain("URL", "$(PASSWORD)@$(NAME)"), NAME, plain("URL2", "$(PASSWORD)@$(NAME)")]
    )
    assert answer.run == (env_line("URL", "$(PASSWORD)@$$(NAME)"), env_line("URL2", "$(PASSWORD)@$(NAME)"))


def test_an_own_value_without_a_variable_gets_one_that_the_helper_removes() -> None:
    answer = resolved(
        env=[NAME, plain("URL", "$(IP)$(NAME)"), IP, plain("URL", "$(IP)/$(NAME)"), plain("NAME", "x")]
    )
    assert answer.run == ("fact IP podIP", env_line("URL", "$(IP)/$(SPILLWAY_RUN_VALUE_1)"))
    assert answer.environment["SPILLWAY_RUN_VALUE_1"] == "web-1"
    assert "SPILLWAY_RUN_VALUE_1" in answer.own


def test_the_pods_address_is_a_fact_of_the_task() -> None:
    env = [
        IP,
        {"name": "IPS", "valueFrom": {"fieldRef": {"fieldPath": "status.podIPs"}}},
        plain("COPY", "$(IP)"),
    ]
    assert resolved(env=env).run == ("fact IP podIP", "fact IPS podIPs", "fact COPY podIP")


def test_words_with_a_secret_are_expanded_in_the_task_and_escaped_elsewhere() -> None:
    answer = resolved(
        env=[PASSWORD, plain("D", "5$")], command=["run", "$(D)"], args=["-p$(PASSWORD)", "$$(D)"]
    )
    assert answer.run == ("words",)
    assert (answer.command, answer.args) == (("run", "5$$"), ("-p$(PASSWORD)", "$$(D)"))


def test_words_that_the_task_expands_are_the_templates() -> None:
    answer = resolved(env=[PASSWORD, NAME], args=["$(NAME)", "$(PASSWORD)"])
    assert (answer.args, answer.own_command) == (("$(NAME)", "$(PASSWORD)"), False)


def test_words_see_services() -> None:
    pod = a_pod(containers=[a_container(args=["$(KUBERNETES_SERVICE_HOST)"])])
    answer = resolve(
        pod.spec.containers[0],
        pod=pod,
        material=MATERIAL,
        settings=settings(kubernetes_host="k8s.example"),
        field="spec.containers[0]",
    )
    assert isinstance(answer, Resolved)
    assert answer.args == ("k8s.example",)


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


def test_every_reason_is_named_and_wins_over_what_is_missing() -> None:
    env = [
        *key_ref("secretKeyRef", "none", "k"),
        {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "status.phase"}}},
        {"name": "B", "valueFrom": {"fileKeyRef": {"key": "k"}}},
    ]
    answer = answer_of(env=env)
    assert isinstance(answer, tuple)
    assert [reason.code for reason in answer] == ["VariableField", "VariableSource"]


def test_a_name_with_a_space_is_no_matter_where_the_value_is_known() -> None:
    env = [plain("my name", "x"), {**PASSWORD, "name": "my secret"}]
    answer = resolved(env=env)
    assert answer.environment["my name"] == "x"
    assert answer.secrets == {"my secret": "arn:db:password"}


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
