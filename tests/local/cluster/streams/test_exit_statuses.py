"""What clients are told of how a command ended."""

import json
from typing import Any

import pytest

from app.local.cluster.streams.exit_statuses import SUCCESS, refusal_text, status_of

V4 = "v4.channel.k8s.io"


def exited(*causes: dict[str, str]) -> bytes:
    details = {"causes": list(causes)}
    return json.dumps({"status": "Failure", "reason": "NonZeroExitCode", "details": details}).encode()


def test_an_exit_code_is_told_in_the_api_servers_words() -> None:
    told: dict[str, Any] = status_of(exited({"reason": "ExitCode", "message": "7"}), version=V4)

    assert told["message"] == (
        "command terminated with non-zero exit code: command terminated with exit code 7"
    )
    assert told["details"] == {"causes": [{"reason": "ExitCode", "message": "7"}]}


@pytest.mark.parametrize(
    "said", [pytest.param(b"", id="silence"), pytest.param(b'{"status":"Success"}', id="v4")]
)
def test_success(said: bytes) -> None:
    assert status_of(said, version=V4) == SUCCESS


@pytest.mark.parametrize(
    ("said", "version", "why"),
    [
        pytest.param(b"no shell", "v3.channel.k8s.io", "error executing remote command: no shell", id="v3"),
        pytest.param(b"{}", V4, "error stream protocol error: unknown error", id="no status"),
        pytest.param(exited(), V4, "error stream protocol error: no ExitCode cause given", id="no code"),
        pytest.param(
            exited({"reason": "ExitCode", "message": "256"}),
            V4,
            'error stream protocol error: invalid exit code value "256"',
            id="a code that is none",
        ),
        pytest.param(
            b'{"status":"Failure","reason":"NonZeroExitCode"}',
            V4,
            "error stream protocol error: details must be set",
            id="no details",
        ),
        pytest.param(b'{"status":"Failure","message":"no shell"}', V4, "no shell", id="another failure"),
    ],
)
def test_everything_else_is_an_internal_error(said: bytes, version: str, why: str) -> None:
    told: dict[str, Any] = status_of(said, version=version)

    assert told["message"] == f"Internal error occurred: {why}"
    assert told["code"] == 500


def test_what_is_no_json_is_quoted() -> None:
    told: dict[str, Any] = status_of(b"oops", version=V4)

    assert told["message"].startswith("Internal error occurred: error stream protocol error: ")
    assert told["message"].endswith('in "oops"')


@pytest.mark.parametrize(
    ("body", "text"),
    [
        pytest.param(b"container not found\n", "container not found", id="text"),
        pytest.param(b'{"kind":"Status","message":"no"}', "no", id="Status"),
        pytest.param(b'{"kind":"Other"}', '{"kind":"Other"}', id="other JSON"),
    ],
)
def test_a_refusal_is_its_text(body: bytes, text: str) -> None:
    assert refusal_text(body) == text
