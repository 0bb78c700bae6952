"""What of a container stands in its definition, in the whole translation."""

from typing import Any

import pytest

from app.bridge.config import TaskSettings
from app.bridge.translation.task_spec import Translated, translate
from app.model.meta import ObjectMeta
from app.model.names import ALLOWED_ROLES, CAPACITY, KUBE2IAM_ROLE, SECURITY_GROUPS
from app.model.objects import NetworkPolicy
from app.model.pod import Pod
from app.model.task import Launch
from tests.bridge.translation.builders import IMAGE, a_material, settings
from tests.builders import a_container, a_pod, identity_of

PLAIN = settings(helper_image="")


def answer_for(pod: Pod, *, config: TaskSettings = PLAIN, capacity: Any = "on-demand", **found: Any) -> Any:
    return translate(
        pod,
        material=a_material(**found),
        config=config,
        identity=identity_of(pod),
        attempt=2,
        capacity=capacity,
    )


def launch_of(pod: Pod, **fields: Any) -> Launch:
    answer = answer_for(pod, **fields)
    assert isinstance(answer, Translated)
    return answer.launch


def body_of(pod: Pod, **fields: Any) -> dict[str, Any]:
    return launch_of(pod, **fields).definition.body


def main_of(spec: dict[str, Any] | None = None, *, found: dict[str, Any] | None = None, **fields: Any) -> Any:
    pod = a_pod(containers=[a_container(**fields)], **(spec or {}))
    return body_of(pod, **(found or {}))["containerDefinitions"][-1]


@pytest.mark.parametrize(
    ("fields", "key", "value"),
    [
        pytest.param({"securityContext": {"runAsUser": 7}}, "user", "7", id="user"),
        pytest.param(
            {"securityContext": {"readOnlyRootFilesystem": True}},
            "readonlyRootFilesystem",
            True,
            id="read-only",
        ),
        pytest.param(
            {"securityContext": {"capabilities": {"drop": ["ALL"]}}},
            "linuxParameters",
            {"capabilities": {"drop": ["ALL"]}},
            id="capabilities",
        ),
        pytest.param({"stdin": True}, "interactive", True, id="stdin"),
        pytest.param({"tty": True}, "pseudoTerminal", True, id="tty"),
        pytest.param({"workingDir": "/srv"}, "workingDirectory", "/srv", id="working-directory"),
        pytest.param(
            {"livenessProbe": {"exec": {"command": ["x"]}}},
            "healthCheck",
            {"command": ["CMD", "x"], "interval": 10, "timeout": 2, "retries": 3, "startPeriod": 0},
            id="exec-probe",
        ),
    ],
)
def test_a_field_of_the_container_stands_in_the_definition(
    fields: dict[str, Any], key: str, value: Any
) -> None:
    assert main_of(**fields)[key] == value


def test_what_nobody_asked_for_does_not_stand_there() -> None:
    expected = {"name", "image", "essential", "stopTimeout", "logConfiguration"}
    assert set(main_of()) == expected


def test_sysctls_are_set_in_every_container() -> None:
    sysctls = [{"name": "net.core.somaxconn", "value": "9"}]
    assert main_of({"securityContext": {"sysctls": sysctls}})["systemControls"] == [
        {"namespace": "net.core.somaxconn", "value": "9"}
    ]


def test_a_login_goes_with_its_image() -> None:
    main = main_of(found={"pulls": {IMAGE: "arn:login", "other": "arn:other"}})
    assert main["repositoryCredentials"] == {"credentialsParameter": "arn:login"}


def test_an_empty_dir_in_memory_is_a_tmpfs() -> None:
    mount = {"name": "fast", "mountPath": "/fast"}
    volume = {"name": "fast", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}}
    main = main_of({"volumes": [volume]}, volumeMounts=[mount])
    [tmpfs] = main["linuxParameters"]["tmpfs"]
    assert (tmpfs["containerPath"], tmpfs["size"]) == ("/fast", 64)


def test_a_sidecar_is_not_essential_and_restarted_by_ecs() -> None:
    pod = a_pod(initContainers=[a_container("s", restartPolicy="Always")])
    [sidecar, main] = body_of(pod)["containerDefinitions"]
    assert (sidecar["essential"], main["essential"]) == (False, True)
    assert sidecar["restartPolicy"] == {"enabled": True, "restartAttemptPeriod": 60}
    assert "restartPolicy" not in main


def test_init_containers_come_first_and_are_waited_for() -> None:
    pod = a_pod(initContainers=[a_container("a"), a_container("b")])
    definitions = body_of(pod)["containerDefinitions"]
    assert [each["name"] for each in definitions] == ["a", "b", "main"]
    assert definitions[2]["dependsOn"] == [{"containerName": "b", "condition": "SUCCESS"}]


def test_containers_that_run_on_are_all_essential() -> None:
    definitions = body_of(a_pod(containers=[a_container("a"), a_container("b")]))["containerDefinitions"]
    assert [each["essential"] for each in definitions] == [True, True]


@pytest.mark.parametrize(
    ("architecture", "expected"),
    [pytest.param("amd64", "X86_64", id="x86"), pytest.param("arm64", "ARM64", id="arm")],
)
def test_the_task_runs_on_the_nodes_architecture(architecture: str, expected: str) -> None:
    body = body_of(a_pod(), config=settings(architecture=architecture))
    assert body["runtimePlatform"]["cpuArchitecture"] == expected


@pytest.mark.parametrize(
    ("shared", "expected"),
    [
        pytest.param(True, "task", id="shared"),
        pytest.param(False, None, id="not"),
        pytest.param(None, None, id="unsaid"),
    ],
)
def test_processes_are_shared_as_asked(shared: object, expected: str | None) -> None:
    assert body_of(a_pod(shareProcessNamespace=shared)).get("pidMode") == expected


def test_what_empty_dirs_may_hold_counts_for_the_disk() -> None:
    volume = {"name": "v", "emptyDir": {"sizeLimit": "50Gi"}}
    pod = a_pod(containers=[a_container(volumeMounts=[{"name": "v", "mountPath": "/v"}])], volumes=[volume])
    assert body_of(pod)["ephemeralStorage"] == {"sizeInGiB": 50}


def test_a_role_travels_in_the_overrides_and_the_definition_stays_shared() -> None:
    role = "arn:aws:iam::123456789012:role/a"
    pod = a_pod(annotations={KUBE2IAM_ROLE: "a"})
    launch = launch_of(pod, namespace={ALLOWED_ROLES: role})
    assert launch.overrides["taskRoleArn"] == role
    assert launch.definition == launch_of(a_pod()).definition


def test_the_namespaces_security_groups_go_with_the_launch() -> None:
    launch = launch_of(a_pod(), namespace={SECURITY_GROUPS: "sg-12345678"})
    assert launch.security_groups == ("sg-12345678",)


@pytest.mark.parametrize("capacity", ["on-demand", "spot"])
def test_the_launch_runs_on_the_capacity_of_the_attempt(capacity: str) -> None:
    assert launch_of(a_pod(), capacity=capacity).capacity == capacity


def test_each_attempt_begins_with_another_subnet() -> None:
    assert launch_of(a_pod()).turn == 1


def test_everything_against_the_pod_is_told_at_once() -> None:
    policy = NetworkPolicy(metadata=ObjectMeta(name="p", namespace="shop"))
    pod = a_pod(containers=[a_container(terminationMessagePath="/end")], annotations={KUBE2IAM_ROLE: "a"})
    answer = answer_for(pod, policies=(policy,), namespace={SECURITY_GROUPS: "x"}, images={})
    assert {each.code for each in answer} == {
        "ImageUnknown",
        "InvalidSecurityGroups",
        "NetworkPolicy",
        "RoleNotAllowed",
    }


def test_only_a_first_word_of_the_pods_own_makes_a_definition_of_its_own() -> None:
    name = {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    pods = [a_pod(each, containers=[a_container(env=[name], command=["$(NAME)"])]) for each in ("a", "b")]
    [one, two] = [body_of(pod)["containerDefinitions"][0].pop("entryPoint") for pod in pods]
    assert (one, two) == (["a"], ["b"])


def test_an_unknown_capacity_is_refused() -> None:
    assert [each.code for each in answer_for(a_pod(annotations={CAPACITY: "cheap"}))] == ["InvalidCapacity"]
