"""The task's address, from the task metadata endpoint."""

import json
import signal

import pytest

from tests.helper.fakes import MetadataEndpoint, Stage, container, ended, eventually

BOTH = ["fact ONE podIP", "fact ALL podIPs"]
PRINTS = ["printenv", "ONE", "ALL"]


@pytest.mark.parametrize(
    ("v4", "v6", "one", "every"),
    [
        pytest.param(["10.0.1.7"], [], "10.0.1.7", "10.0.1.7", id="IPv4"),
        pytest.param(["10.0.1.7"], ["2001:db8::7"], "10.0.1.7", "10.0.1.7,2001:db8::7", id="both"),
        pytest.param([], ["2001:db8::7"], "2001:db8::7", "2001:db8::7", id="IPv6"),
        pytest.param(["10.0.1.7", "10.0.1.8"], [], "10.0.1.7", "10.0.1.7", id="several"),
        pytest.param(["evil\nvalue"], ["2001:db8::7"], "2001:db8::7", "2001:db8::7", id="no address"),
    ],
)
def test_a_fact_is_the_task_s_address(
    v4: list[str], v6: list[str], one: str, every: str, stage: Stage, endpoint: MetadataEndpoint
) -> None:
    endpoint.task.says(container("other"), container("main", v4=v4, v6=v6))
    result = stage.run(*BOTH, command=PRINTS, **endpoint.variables)
    assert result.stdout == f"{one}\n{every}\n"
    assert endpoint.task.paths == ["/v4/abc/task"]


def test_a_fact_can_be_expanded_by_what_comes_after_it(stage: Stage, endpoint: MetadataEndpoint) -> None:
    endpoint.task.says(container(v4=["10.0.1.7"]))
    result = stage.run(
        "known -", "fact IP podIP", "words", command=["echo", "at $(IP)"], **endpoint.variables
    )
    assert result.stdout == "at 10.0.1.7\n"


@pytest.mark.parametrize(
    "first",
    [
        pytest.param((503, b"busy"), id="an error"),
        pytest.param((200, b'{"Containers": ['), id="half an answer"),
        pytest.param((200, b"[" * 1_000_000), id="deep nesting"),
        pytest.param((200, b'{"Containers": {}}'), id="another shape"),
        pytest.param((200, b"{}"), id="nothing"),
        pytest.param((200, json.dumps({"Containers": [container()]}).encode()), id="no address yet"),
        pytest.param((200, b" " * 2_000_000), id="too much"),
    ],
)
def test_asks_again_until_the_endpoint_says_it(
    first: tuple[int, bytes], stage: Stage, endpoint: MetadataEndpoint
) -> None:
    endpoint.task.says(container(v4=["10.0.1.7"]))
    endpoint.task.answers.insert(0, first)
    assert stage.run(*BOTH, command=PRINTS, **endpoint.variables).stdout == "10.0.1.7\n10.0.1.7\n"


@pytest.mark.parametrize(
    "variables",
    [
        pytest.param({}, id="no endpoint"),
        pytest.param({"ECS_CONTAINER_METADATA_URI_V4": "http://127.0.0.1:1/v4"}, id="nobody there"),
        pytest.param({"ECS_CONTAINER_METADATA_URI_V4": "https://127.0.0.1/v4"}, id="another scheme"),
        pytest.param({"ECS_CONTAINER_METADATA_URI_V4": "http://localhost/v4"}, id="a name"),
        pytest.param({"ECS_CONTAINER_METADATA_URI_V4": "http://[::1/v4"}, id="half a bracket"),
        pytest.param({"ECS_CONTAINER_METADATA_URI_V4": "http://127.0.0.1:x/v4"}, id="a port of letters"),
        pytest.param({"ECS_CONTAINER_METADATA_URI_V4": "http://127.0.0.1/a b"}, id="a space"),
    ],
)
def test_an_address_that_cannot_be_had_ends_the_container(variables: dict[str, str], stage: Stage) -> None:
    result = stage.run("fact A podIP", command=["echo", "ran"], SPILLWAY_RUN_SECOND="1", **variables)
    assert (result.returncode, result.stdout) == (74, "")
    assert "cannot find the task's address" in result.stderr


def test_ends_when_asked_to_while_it_waits_for_the_address(stage: Stage, endpoint: MetadataEndpoint) -> None:
    endpoint.task.answers[:] = [(503, b"")]
    process = stage.start(*BOTH, command=PRINTS, SPILLWAY_RUN_SECOND="1000", **endpoint.variables)
    eventually(lambda: bool(endpoint.task.paths), what="it asked")
    assert ended(process, by=signal.SIGTERM) == 143
