import json
from typing import Any

import pytest

from app.bridge.config import TaskSettings
from app.bridge.translation.task_spec import Translated, client_token, started_by, translate
from app.model.names import ATTEMPT_VARIABLE, IDENTITY_VARIABLE, MARKER
from app.model.pod import Pod
from app.model.reason import Reason
from app.model.task import Launch, identity_from
from tests.bridge.translation.builders import a_material, settings, with_tokens
from tests.builders import a_container, a_pod, identity_of

SETTINGS = settings()


def translated(pod: Pod, *, attempt: int = 1, config: TaskSettings = SETTINGS, **found: Any) -> Any:
    return translate(
        pod, material=a_material(**found), config=config, identity=identity_of(pod), attempt=attempt
    )


def launch_of(pod: Pod, *, attempt: int = 1, config: TaskSettings = SETTINGS, **found: Any) -> Launch:
    answer = translated(pod, attempt=attempt, config=config, **found)
    assert isinstance(answer, Translated)
    return answer.launch


def reasons_of(pod: Pod, *, config: TaskSettings = SETTINGS, **found: Any) -> tuple[Reason, ...]:
    answer = translated(pod, config=config, **found)
    assert isinstance(answer, tuple)
    return answer


def containers_in(launch: Launch) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in launch.definition.body["containerDefinitions"]}


def environment_in(told: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in told.get("environment", ())}


def definition_of(**fields: Any) -> dict[str, Any]:
    body = launch_of(a_pod(containers=[a_container(**fields)])).definition.body
    found: dict[str, Any] = body["containerDefinitions"][0]
    return found


def override_of(**fields: Any) -> dict[str, Any]:
    overrides = launch_of(a_pod(containers=[a_container(**fields)])).overrides
    found: dict[str, Any] = overrides["containerOverrides"][0]
    return found


def token_volume(suffix: str) -> dict[str, Any]:
    return {
        "name": f"kube-api-access-{suffix}",
        "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]},
    }


def with_token(name: str, suffix: str) -> Pod:
    path = "/var/run/secrets/kubernetes.io/serviceaccount"
    mount = {"name": f"kube-api-access-{suffix}", "mountPath": path}
    container = a_container(volumeMounts=[mount], env=[{"name": "ME", "value": name}], args=["--name", name])
    return a_pod(name, containers=[container], volumes=[token_volume(suffix)])


def test_pods_of_one_template_share_one_definition() -> None:
    one = launch_of(with_token("web-1", "abcde"), **with_tokens(sealed="b25l"))
    two = launch_of(with_token("web-2", "fghij"), **with_tokens(sealed="dHdv"))
    assert one.definition == two.definition


def test_pods_of_one_template_differ_in_their_overrides() -> None:
    one = launch_of(with_token("web-1", "a"), **with_tokens())
    assert one.overrides != launch_of(with_token("web-2", "b"), **with_tokens()).overrides


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"image": "registry.example/app:2"}, id="image"),
        pytest.param({"command": ["other"]}, id="entry-point"),
        pytest.param({"workingDir": "/srv"}, id="working-directory"),
        pytest.param({"ports": [{"containerPort": 80}]}, id="port"),
        pytest.param({"cpu": "1"}, id="cpu"),
        pytest.param({"memory": "1Gi"}, id="memory"),
        pytest.param({"tty": True}, id="tty"),
    ],
)
def test_whatever_the_definition_holds_changes_its_name(fields: dict[str, Any]) -> None:
    plain = launch_of(a_pod(containers=[a_container()])).definition
    assert launch_of(a_pod(containers=[a_container(**fields)])).definition.family != plain.family


def test_the_family_is_a_legal_name_of_fixed_length() -> None:
    family = launch_of(a_pod("a.b.c")).definition.family
    assert (len(family), family.startswith("spillway-")) == (49, True)


@pytest.mark.parametrize(
    ("command", "args", "entry_point", "override"),
    [
        pytest.param([], [], None, None, id="the-image's-own"),
        pytest.param(["sh"], [], ["sh"], None, id="command-of-one-word"),
        pytest.param(["sh", "-c", "x"], [], ["sh"], ["-c", "x"], id="command"),
        pytest.param(["sh", "-c"], ["x"], ["sh"], ["-c", "x"], id="command-and-args"),
        pytest.param([], ["-v"], None, ["-v"], id="args-keep-the-image's-entry-point"),
    ],
)
def test_command_and_args_become_entry_point_and_override(
    command: list[str], args: list[str], entry_point: list[str] | None, override: list[str] | None
) -> None:
    fields = {"command": command, "args": args}
    assert definition_of(**fields).get("entryPoint") == entry_point
    assert override_of(**fields).get("command") == override


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        pytest.param({}, {}, id="nothing"),
        pytest.param({"requests": {"cpu": "250m"}}, {"cpu": 256}, id="cpu-request"),
        pytest.param({"requests": {"cpu": "1m"}}, {"cpu": 2}, id="least-cpu"),
        pytest.param({"limits": {"cpu": "500m"}}, {"cpu": 512}, id="cpu-limit-stands-in"),
        pytest.param({"requests": {"memory": "64Mi"}}, {"memoryReservation": 64}, id="memory-request"),
        pytest.param({"requests": {"memory": "1"}}, {"memoryReservation": 6}, id="least-memory"),
        pytest.param({"limits": {"memory": "64Mi"}}, {"memory": 64}, id="limit-alone"),
        pytest.param(
            {"requests": {"memory": "64Mi"}, "limits": {"memory": "64Mi"}},
            {"memory": 64},
            id="limit-equals-request",
        ),
        pytest.param(
            {"requests": {"memory": "64Mi"}, "limits": {"memory": "128Mi"}},
            {"memory": 128, "memoryReservation": 64},
            id="limit-above-request",
        ),
        pytest.param(
            {"requests": {"memory": "64Mi"}, "limits": {"memory": "8Gi"}},
            {"memory": 512, "memoryReservation": 64},
            id="limit-above-the-task",
        ),
    ],
)
def test_resources_become_what_ecs_takes(resources: dict[str, Any], expected: dict[str, int]) -> None:
    definition = definition_of(resources=resources)
    found = {key: definition[key] for key in ("cpu", "memory", "memoryReservation") if key in definition}
    assert found == expected


def test_the_task_holds_what_its_containers_reserve() -> None:
    containers = [a_container(str(index), memory="170.5Mi") for index in range(3)]
    assert launch_of(a_pod(containers=containers)).definition.body["memory"] == "1024"


def test_ports_are_mapped_once_and_in_order() -> None:
    ports = [
        {"containerPort": 90, "protocol": "UDP"},
        {"containerPort": 80},
        {"containerPort": 80, "name": "again"},
    ]
    assert definition_of(ports=ports)["portMappings"] == [
        {"containerPort": 80, "protocol": "tcp"},
        {"containerPort": 90, "protocol": "udp"},
    ]


@pytest.mark.parametrize(
    ("grace", "timeout"),
    [pytest.param(0, 2, id="least"), pytest.param(45, 45, id="as-asked"), pytest.param(600, 120, id="most")],
)
def test_the_grace_period_is_kept_as_far_as_fargate_goes_along(grace: int, timeout: int) -> None:
    body = launch_of(a_pod(terminationGracePeriodSeconds=grace)).definition.body
    assert body["containerDefinitions"][0]["stopTimeout"] == timeout


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        pytest.param("non-blocking", {"mode": "non-blocking", "max-buffer-size": "25m"}, id="non-blocking"),
        pytest.param("blocking", {"mode": "blocking"}, id="blocking"),
    ],
)
def test_the_log_mode_is_always_written_out(mode: str, options: dict[str, str]) -> None:
    body = launch_of(a_pod(), config=settings(log_mode=mode)).definition.body
    assert body["containerDefinitions"][0]["logConfiguration"]["options"] == {
        "awslogs-group": "/g",
        "awslogs-region": "eu-west-1",
        "awslogs-stream-prefix": "spillway",
        **options,
    }


def test_the_task_is_a_fargate_task_of_the_smallest_size_that_fits() -> None:
    body = launch_of(a_pod(cpu="600m", memory="1Gi")).definition.body
    assert {key: value for key, value in body.items() if key != "containerDefinitions"} == {
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "1024",
        "memory": "2048",
        "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
        "executionRoleArn": "arn:aws:iam::123456789012:role/exec",
        "taskRoleArn": "arn:aws:iam::123456789012:role/task",
    }


def test_ephemeral_storage_above_the_default_is_asked_for() -> None:
    resources = {"requests": {"ephemeral-storage": "40Gi"}}
    body = launch_of(a_pod(containers=[a_container(resources=resources)])).definition.body
    assert body["ephemeralStorage"] == {"sizeInGiB": 40}


def test_the_first_main_container_says_whose_task_it_is_and_the_attempt() -> None:
    pod = a_pod(containers=[a_container("a"), a_container("b")])
    told = {
        each["name"]: environment_in(each)
        for each in launch_of(pod, attempt=3).overrides["containerOverrides"]
    }
    assert told["a"]["SPILLWAY_ATTEMPT"] == "3"
    assert identity_from(told["a"]["SPILLWAY_POD"]) == identity_of(pod)
    assert told["b"] == {"HOSTNAME": "web-1"}


def test_the_same_attempt_makes_the_same_call() -> None:
    pod = a_pod()
    assert launch_of(pod) == launch_of(pod)


def test_each_attempt_has_its_own_token() -> None:
    identity = identity_of(a_pod(uid="u"))
    tokens = {client_token(identity, attempt=attempt) for attempt in (1, 2)}
    assert sorted(len(token) for token in tokens) == [64, 64]


def test_two_clusters_do_not_share_a_token() -> None:
    pod = a_pod(uid="u")
    mine, other = identity_of(pod, cluster="a"), identity_of(pod, cluster="b")
    assert client_token(mine, attempt=1) != client_token(other, attempt=1)


def test_started_by_keeps_to_the_legal_characters() -> None:
    assert started_by(identity_of(a_pod(uid="ü.1"))) == "spillway/--1"


def test_words_of_the_pod_alone_that_ecs_would_not_take_are_refused_with_the_mend() -> None:
    own = {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    big = {"name": "BIG", "value": "$(NAME)" + "x" * 8_000}
    pod = a_pod(containers=[a_container(env=[own, big])])
    assert [reason.code for reason in reasons_of(pod)] == ["OverridesTooLarge"]


def test_where_the_overrides_would_be_too_long_the_templates_words_move_into_the_definition() -> None:
    own = {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    fields: dict[str, Any] = {
        "env": [own, {"name": "BIG", "value": "x" * 8_000}],
        "command": ["run", "script"],
    }
    one, two = (launch_of(a_pod(name, containers=[a_container(**fields)])) for name in ("web-1", "web-2"))
    [container] = one.definition.body["containerDefinitions"]
    assert container["environment"] == [{"name": "BIG", "value": "x" * 8_000}]
    assert container["command"] == ["script"]
    [override] = one.overrides["containerOverrides"]
    names = {each["name"] for each in override["environment"]}
    assert names == {"NAME", "HOSTNAME", IDENTITY_VARIABLE, ATTEMPT_VARIABLE}
    assert "command" not in override
    assert one.definition == two.definition


def test_a_command_that_names_the_pod_stays_in_the_override_however_long_the_rest_is() -> None:
    own = {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    env = [own, {"name": "BIG", "value": "x" * 8_000}]
    launch = launch_of(a_pod("web-1", containers=[a_container(env=env, command=["run", "$(NAME)"])]))
    assert launch.overrides["containerOverrides"][0]["command"] == ["web-1"]
    assert "command" not in launch.definition.body["containerDefinitions"][0]


def test_the_limit_counts_the_characters_that_are_sent() -> None:
    pod = a_pod(containers=[a_container(env=[{"name": "BIG", "value": "x" * 7_700}])])
    assert len(json.dumps(launch_of(pod).overrides)) < 8_192


def test_what_fargate_refuses_is_refused_with_every_reason() -> None:
    pod = a_pod(hostNetwork=True, hostPID=True)
    assert {reason.code for reason in reasons_of(pod)} == {"HostNetwork", "HostPID"}


def test_the_schedulers_marker_changes_nothing_about_the_definition() -> None:
    marked = {"requests": {"cpu": "1", MARKER: "0"}, "limits": {MARKER: "0"}}
    plain = {"requests": {"cpu": "1"}}
    definitions = [
        launch_of(a_pod(containers=[a_container(resources=resources)])).definition
        for resources in (marked, plain)
    ]
    assert definitions[0] == definitions[1]


def test_a_pod_that_somebody_tried_to_debug_is_launched_as_ever() -> None:
    debugged = a_pod("web-1", uid="u1", ephemeralContainers=[{"name": "debugger-x", "image": "busybox"}])
    assert launch_of(debugged).definition == launch_of(a_pod("web-1", uid="u1")).definition
