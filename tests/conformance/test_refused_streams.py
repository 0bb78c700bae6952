"""Streams that the API server refuses before it upgrades anything, in its words."""

import json
import socket
from pathlib import Path

import pytest

from tests.conformance.kubelets import asked, kubelet
from tests.conformance.servers import Space
from tests.conformance.stream_clients import upgraded
from tests.conformance.streaming_kubelets import register

EXEC = "exec?command=echo&stdout=true"


def test_who_is_not_known_gets_no_stream(space: Space, node: str) -> None:
    space.pod(nodeName=node)

    with upgraded(space.api, f"{space.pods}/web/{EXEC}", token="nobody") as client:
        body = json.loads(client.body())

    assert client.head.first == "HTTP/1.1 401 Unauthorized"
    assert body["reason"] == "Unauthorized"


def test_a_stream_wants_an_upgrade(space: Space, node: str) -> None:
    space.pod(nodeName=node)
    register(space.api, node, 1)

    answer = space.api.post(f"{space.pods}/web/{EXEC}", {})

    assert answer.status_code == 400
    assert answer.json()["message"] == "Upgrade request required"


@pytest.mark.parametrize(
    ("path", "code", "message"),
    [
        pytest.param("none/exec?command=ls", 404, 'pods "none" not found', id="no pod"),
        pytest.param(
            "two/exec?command=ls",
            400,
            "a container name must be specified for pod two, choose one of: [a b]",
            id="which container",
        ),
        pytest.param(
            "two/attach",
            400,
            "a container name must be specified for pod two, choose one of: [a b]",
            id="attach to which",
        ),
        pytest.param(
            "two/exec?container=c&command=ls", 400, "container c is not valid for pod two", id="no container"
        ),
        pytest.param(
            "two/exec?container=a&command=ls", 400, "pod two does not have a host assigned", id="no node yet"
        ),
        pytest.param(
            "two/portforward", 400, "pod two does not have a host assigned", id="no node to forward"
        ),
        pytest.param("lost/exec?command=ls", 404, 'pods "gone" not found', id="no such node"),
    ],
)
def test_what_cannot_be_streamed_is_refused_before_the_upgrade(
    space: Space, path: str, code: int, message: str
) -> None:
    image = "registry.example/app:1"
    space.pod("two", containers=[{"name": "a", "image": image}, {"name": "b", "image": image}])
    space.pod("lost", nodeName="gone")

    with upgraded(space.api, f"{space.pods}/{path}") as client:
        body = json.loads(client.body())

    assert (body["code"], body["message"]) == (code, message)
    assert client.head.first.split()[1] == str(code)


def test_init_containers_are_among_those_to_choose_from(space: Space) -> None:
    image = "registry.example/app:1"
    names = [{"name": "a", "image": image}, {"name": "b", "image": image}]
    space.pod("two", containers=names, initContainers=[{"name": "init", "image": image}])

    with upgraded(space.api, f"{space.pods}/two/exec?command=ls") as client:
        body = json.loads(client.body())

    assert body["message"] == "a container name must be specified for pod two, choose one of: [init a b]"


def test_a_kubelet_that_does_not_answer_is_an_error(space: Space, node: str) -> None:
    space.pod(nodeName=node)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    register(space.api, node, port)

    with upgraded(space.api, f"{space.pods}/web/{EXEC}") as client:
        body = json.loads(client.body())

    assert body["code"] == 500
    assert body["message"] == f"error dialing backend: dial tcp 127.0.0.1:{port}: connect: connection refused"


def test_a_kubelet_whose_certificate_is_anybodys_is_not_spoken_to(
    space: Space, node: str, tmp_path: Path
) -> None:
    space.pod(nodeName=node)

    with (
        kubelet(space.api, node, asked, tmp_path),
        upgraded(space.api, f"{space.pods}/web/{EXEC}") as client,
    ):
        body = json.loads(client.body())

    assert body["code"] == 500
    assert body["message"].startswith("error dialing backend: tls: failed to verify certificate: ")
