from app.bridge.translation.environment.resolved import Resolved, resolve
from tests.bridge.translation.builders import settings
from tests.bridge.translation.environment.environment_parts import (
    IP,
    MATERIAL,
    NAME,
    PASSWORD,
    env_line,
    environment,
    plain,
    resolved,
)
from tests.builders import a_container, a_pod


def test_command_and_args_see_the_environment() -> None:
    answer = resolved(env=[plain("N", "7")], command=["run", "$(N)"], args=["--n=$(N)", "$$(N)"])
    assert (answer.command, answer.args) == (("run", "7"), ("--n=7", "$(N)"))


def test_every_container_is_told_its_hostname_as_its_pods_own() -> None:
    answer = resolved()
    assert answer.environment == {"HOSTNAME": "web-1"}
    assert answer.own == {"HOSTNAME"}


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
    assert answer.environment["PASSWORD"] == "other"


def test_the_pods_own_values_stay_out_of_what_all_pods_share() -> None:
    answer = resolved(
        env=[PASSWORD, plain("URL", "$(PASSWORD)@$(NAME)"), NAME, plain("URL2", "$(PASSWORD)@$(NAME)")]
    )
    assert answer.run == (env_line("URL", "$(PASSWORD)@$$(NAME)"), env_line("URL2", "$(PASSWORD)@$(NAME)"))


def test_an_own_value_without_a_variable_gets_one() -> None:
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


def test_a_hostname_that_is_too_long_is_refused() -> None:
    pod = a_pod("w" * 60, setHostnameAsFQDN=True, subdomain="x")
    answer = resolve(pod.spec.containers[0], pod=pod, material=MATERIAL, settings=settings(), field="f")
    assert isinstance(answer, tuple)
    assert [reason.code for reason in answer] == ["HostnameTooLong"]


def test_a_name_with_a_space_is_no_matter_where_the_value_is_known() -> None:
    env = [plain("my name", "x"), {**PASSWORD, "name": "my secret"}]
    answer = resolved(env=env)
    assert answer.environment["my name"] == "x"
    assert answer.secrets == {"my secret": "arn:db:password"}
