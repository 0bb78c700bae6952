"""What the in-task helper makes of a task, in the whole translation."""

from typing import Any

import pytest

from app.bridge.config import TaskSettings
from app.bridge.translation.task_spec import Translated, translate
from app.model.names import INSTALL_CONTAINER, KEEPER_CONTAINER
from app.model.objects import ConfigMap
from app.model.pod import Pod
from app.model.task import Launch, identity_from
from tests.bridge.translation.builders import HELPER_IMAGE, IMAGE, a_material, settings, with_tokens
from tests.builders import a_container, a_pod, identity_of

END: dict[str, Any] = {"terminationMessagePath": "/end"}
WRAPPED = a_container(**END)
MOUNT = {"name": "files", "mountPath": "/files"}
FILES: dict[str, Any] = {
    "containers": [a_container(volumeMounts=[MOUNT])],
    "volumes": [{"name": "files", "configMap": {"name": "settings"}}],
}
TOKEN: dict[str, Any] = {
    "containers": [a_container(volumeMounts=[MOUNT])],
    "volumes": [{"name": "files", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}],
}
SETTINGS_MAP = ConfigMap(data={"mode": "fast"})


def answer_for(pod: Pod, *, config: TaskSettings | None = None, **found: Any) -> Any:
    return translate(
        pod,
        material=a_material(**found),
        config=config or settings(),
        identity=identity_of(pod),
        attempt=1,
    )


def launch_of(pod: Pod, **fields: Any) -> Launch:
    answer = answer_for(pod, **fields)
    assert isinstance(answer, Translated)
    return answer.launch


def containers_of(pod: Pod, **fields: Any) -> dict[str, dict[str, Any]]:
    body = launch_of(pod, **fields).definition.body
    return {each["name"]: each for each in body["containerDefinitions"]}


def told(launch: Launch, container: str) -> dict[str, str]:
    [override] = [each for each in launch.overrides["containerOverrides"] if each["name"] == container]
    return {each["name"]: each["value"] for each in override["environment"]}


@pytest.mark.parametrize(
    ("spec", "found", "names"),
    [
        pytest.param({}, {}, ["main"], id="nothing"),
        pytest.param(
            FILES, {"config_maps": {"settings": SETTINGS_MAP}}, [INSTALL_CONTAINER, "main"], id="files"
        ),
        pytest.param(
            {"containers": [WRAPPED]},
            {},
            [INSTALL_CONTAINER, KEEPER_CONTAINER, "main"],
            id="a-wrapped-container",
        ),
        pytest.param(
            {"containers": [a_container("a"), a_container("b")], "restartPolicy": "Never"},
            {},
            [INSTALL_CONTAINER, KEEPER_CONTAINER, "a", "b"],
            id="containers-that-end-by-themselves",
        ),
    ],
)
def test_the_helper_comes_only_where_it_is_needed(
    spec: dict[str, Any], found: dict[str, Any], names: list[str]
) -> None:
    assert list(containers_of(a_pod(**spec), **found)) == names


def test_without_its_image_the_pod_is_refused_with_that_reason() -> None:
    answer = answer_for(a_pod(containers=[WRAPPED]), config=settings(helper_image=""))
    assert [each.code for each in answer] == ["HelperImage"]


def test_the_helpers_containers_count() -> None:
    containers = [a_container(f"c{number}", command=["x"], **END) for number in range(9)]
    assert [each.code for each in answer_for(a_pod(containers=containers))] == ["TooManyContainers"]


def test_a_wrapped_container_starts_with_the_helper() -> None:
    launch = launch_of(a_pod(containers=[WRAPPED]))
    main = launch.definition.body["containerDefinitions"][-1]
    assert main["entryPoint"] == ["/spillway/bin/helper"]
    assert main["mountPoints"] == [
        {"sourceVolume": "spillway", "containerPath": "/spillway", "readOnly": False}
    ]
    assert launch.overrides["containerOverrides"][-1]["command"] == ["run", "main", "--", "/app"]
    assert {"name": "spillway"} in launch.definition.body["volumes"]


def test_what_the_helper_does_for_every_pod_of_a_template_stands_in_the_definition() -> None:
    main = containers_of(a_pod(containers=[WRAPPED]))["main"]
    [variable] = main["environment"]
    assert (variable["name"], variable["value"].split("\n")[0]) == ("SPILLWAY_RUN", "grace 30")


def test_the_plan_of_a_template_stands_in_the_definition() -> None:
    install = containers_of(a_pod(**FILES), config_maps={"settings": SETTINGS_MAP})[INSTALL_CONTAINER]
    assert [each["name"] for each in install["environment"]] == ["SPILLWAY_PLAN"]
    assert install["image"] == HELPER_IMAGE
    assert [each["containerPath"] for each in install["mountPoints"]] == [
        "/spillway",
        "/spillway/volumes/files",
    ]


def test_a_sealed_token_travels_in_the_overrides_with_whose_it_is() -> None:
    pod = a_pod(**TOKEN)
    launch = launch_of(pod, **with_tokens(sealed="c2VhbGVk"))
    variables = told(launch, INSTALL_CONTAINER)
    assert "sealed:c2VhbGVk" in variables["SPILLWAY_PLAN_OWN"]
    assert identity_from(variables["SPILLWAY_POD"]) == identity_of(pod)


def test_the_key_of_a_sealed_token_comes_from_secrets_manager() -> None:
    install = containers_of(a_pod(**TOKEN), **with_tokens())[INSTALL_CONTAINER]
    assert [each["name"] for each in install["secrets"]] == ["SPILLWAY_KEY"]


def test_containers_that_end_by_themselves_leave_the_task_to_the_keeper() -> None:
    pod = a_pod(containers=[a_container("a"), a_container("b")], restartPolicy="Never")
    found = containers_of(pod)
    assert {name: each["essential"] for name, each in found.items()} == {
        INSTALL_CONTAINER: False,
        KEEPER_CONTAINER: True,
        "a": False,
        "b": False,
    }
    assert found[KEEPER_CONTAINER]["command"] == ["keep", "a", "b"]


@pytest.mark.parametrize(
    ("policy", "wrapped"),
    [pytest.param("Never", False, id="never"), pytest.param("OnFailure", True, id="on-failure")],
)
def test_several_containers_are_wrapped_where_one_may_run_again(policy: str, *, wrapped: bool) -> None:
    pod = a_pod(containers=[a_container("a"), a_container("b")], restartPolicy=policy)
    assert ("entryPoint" in containers_of(pod)["a"]) is wrapped


def test_a_lone_container_keeps_the_task_and_the_keeper_only_listens() -> None:
    found = containers_of(a_pod(containers=[WRAPPED], restartPolicy="Never"))
    assert (found["main"]["essential"], found[KEEPER_CONTAINER]["essential"]) == (True, False)
    assert found[KEEPER_CONTAINER]["command"] == ["keep"]


def test_a_wrapped_container_has_a_moment_more_to_stop() -> None:
    assert containers_of(a_pod(containers=[WRAPPED]))["main"]["stopTimeout"] == 32


def test_every_container_of_the_helper_logs() -> None:
    found = containers_of(a_pod(containers=[WRAPPED]))
    assert all(each["logConfiguration"]["logDriver"] == "awslogs" for each in found.values())


def test_an_image_of_a_pull_secret_is_pulled_with_its_login_by_digest_too() -> None:
    found = containers_of(a_pod(containers=[WRAPPED]), pulls={IMAGE: "arn:login"})
    assert found["main"]["repositoryCredentials"] == {"credentialsParameter": "arn:login"}
    assert "repositoryCredentials" not in found[INSTALL_CONTAINER]
