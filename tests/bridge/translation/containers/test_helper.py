from base64 import b64encode
from typing import Any

import pytest

from app.bridge.translation.containers.helper import (
    install,
    keeper,
    life_lines,
    restart_policy,
    stop_timeout,
    wrapped,
)
from app.model.image import ImageConfig
from app.model.pod import Pod
from tests.bridge.translation.builders import an_image
from tests.builders import a_container, a_pod


def encoded(word: str) -> str:
    return b64encode(word.encode()).decode()


def lines_of(*, spec: dict[str, Any] | None = None, **container: Any) -> tuple[str, ...]:
    pod = a_pod(containers=[a_container(**container)], **(spec or {}))
    return life_lines(pod.spec.containers[0], pod=pod)


@pytest.mark.parametrize(
    ("lifecycle", "lines"),
    [
        pytest.param({}, [], id="none"),
        pytest.param(
            {"preStop": {"exec": {"command": ["sh", "-c", "a b"]}}},
            [f"stop exec {encoded('sh')} {encoded('-c')} {encoded('a b')}"],
            id="pre-stop",
        ),
        pytest.param({"preStop": {"sleep": {"seconds": 7}}}, ["stop sleep 7"], id="sleep"),
        pytest.param(
            {"postStart": {"exec": {"command": ["x", ""]}}},
            [f"start exec {encoded('x')} -"],
            id="an-empty-word",
        ),
    ],
)
def test_hooks_become_lines(lifecycle: dict[str, Any], lines: list[str]) -> None:
    assert [each for each in lines_of(lifecycle=lifecycle) if each.startswith(("start", "stop"))] == lines


@pytest.mark.parametrize(
    ("lifecycle", "image", "lines"),
    [
        pytest.param({}, None, [], id="nobody-says"),
        pytest.param({}, an_image(), [], id="the-image-neither"),
        pytest.param({}, an_image(stop_signal="SIGQUIT"), ["signal 3"], id="the-image's"),
        pytest.param({}, an_image(stop_signal="37"), ["signal 37"], id="by-number"),
        pytest.param({}, an_image(stop_signal="TERM"), [], id="the-usual"),
        pytest.param({}, an_image(stop_signal="SIGKILL"), [], id="one-that-asks-nobody"),
        pytest.param({}, an_image(stop_signal="nonsense"), [], id="one-that-is-none"),
        pytest.param(
            {"stopSignal": "SIGUSR1"}, an_image(stop_signal="SIGQUIT"), ["signal 10"], id="the-pod-wins"
        ),
        pytest.param(
            {"stopSignal": "SIGTERM"},
            an_image(stop_signal="SIGQUIT"),
            ["signal 15"],
            id="the-usual-after-all",
        ),
    ],
)
def test_the_stop_signal_is_the_pods_or_the_images(
    lifecycle: dict[str, Any], image: ImageConfig | None, lines: list[str]
) -> None:
    pod = a_pod(containers=[a_container(lifecycle=lifecycle)])
    found = life_lines(pod.spec.containers[0], pod=pod, image=image)
    assert [each for each in found if each.startswith("signal")] == lines


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        pytest.param({}, f"message {encoded('/dev/termination-log')} File 4096", id="default"),
        pytest.param({"terminationMessagePath": "/end"}, f"message {encoded('/end')} File 4096", id="path"),
        pytest.param(
            {"terminationMessagePolicy": "FallbackToLogsOnError"},
            f"message {encoded('/dev/termination-log')} FallbackToLogsOnError 4096",
            id="policy",
        ),
    ],
)
def test_the_termination_message_is_read_from_its_file(fields: dict[str, Any], line: str) -> None:
    assert line in lines_of(**fields)


def test_containers_share_the_room_for_messages() -> None:
    pod = a_pod(containers=[a_container(str(number)) for number in range(6)])
    assert f"message {encoded('/dev/termination-log')} File 2048" in life_lines(
        pod.spec.containers[0], pod=pod
    )


@pytest.mark.parametrize(
    ("grace", "line", "timeout"),
    [
        pytest.param(0, "grace 2", 4, id="least"),
        pytest.param(30, "grace 30", 32, id="as-asked"),
        pytest.param(600, "grace 118", 120, id="most"),
    ],
)
def test_the_helper_has_time_to_record_the_end(grace: int, line: str, timeout: int) -> None:
    assert line in lines_of(spec={"terminationGracePeriodSeconds": grace})
    assert stop_timeout(a_pod(terminationGracePeriodSeconds=grace), records=True) == timeout


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        pytest.param(a_pod(), "Always", id="the-pod's"),
        pytest.param(a_pod(restartPolicy="Never"), "Never", id="never"),
        pytest.param(a_pod(containers=[a_container(restartPolicy="OnFailure")]), "OnFailure", id="its-own"),
    ],
)
def test_a_main_container_restarts_as_its_policy_says(pod: Pod, expected: str) -> None:
    assert restart_policy(pod.spec.containers[0], pod=pod) == expected


@pytest.mark.parametrize(
    ("own", "policy", "expected"),
    [
        pytest.param(None, "Always", "OnFailure", id="until-it-succeeds"),
        pytest.param(None, "Never", "Never", id="once"),
        pytest.param("OnFailure", "Never", "OnFailure", id="its-own"),
        pytest.param("Always", "Never", "Always", id="sidecar"),
    ],
)
def test_an_init_container_restarts_until_it_succeeds(own: str | None, policy: str, expected: str) -> None:
    pod = a_pod(initContainers=[a_container("init", restartPolicy=own)], restartPolicy=policy)
    assert restart_policy(pod.spec.init_containers[0], pod=pod) == expected


def test_a_container_that_never_restarts_says_nothing_of_it() -> None:
    assert not [each for each in lines_of(spec={"restartPolicy": "Never"}) if each.startswith("restart")]


def test_the_helper_is_told_the_containers_name_and_words() -> None:
    pod = a_pod()
    assert wrapped(pod.spec.containers[0], ("x", "--y")) == ("run", "main", "--", "x", "--y")


def test_the_install_container_ends_before_others_begin_and_sees_every_filled_volume() -> None:
    mount = {"sourceVolume": "v", "containerPath": "/spillway/volumes/v", "readOnly": False}
    definition = install(image="helper:1", mounts=[mount])
    assert (definition["essential"], definition["command"]) == (False, ["install"])
    assert [each["containerPath"] for each in definition["mountPoints"]] == [
        "/spillway",
        "/spillway/volumes/v",
    ]


@pytest.mark.parametrize(
    ("names", "essential"),
    [pytest.param([], False, id="beside"), pytest.param(["a", "b"], True, id="of-all")],
)
def test_the_keeper_is_essential_where_the_task_lasts_as_long_as_it(
    names: list[str], *, essential: bool
) -> None:
    definition = keeper(image="helper:1", names=names)
    assert (definition["essential"], definition["command"]) == (essential, ["keep", *names])
