import msgspec
import pytest

from app.kube.answers import Expired, decoded, failure
from app.model.node import Node
from app.ports.failures import Conflict, NotFound, PortFailure, Refused, Throttled, Unavailable


def a_status(message: str, **fields: object) -> bytes:
    return msgspec.json.encode({"kind": "Status", "status": "Failure", "message": message, **fields})


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        pytest.param(400, Refused, id="bad request"),
        pytest.param(401, Unavailable, id="a token that rotates"),
        pytest.param(403, Refused, id="no permission"),
        pytest.param(404, NotFound, id="not there"),
        pytest.param(405, Refused, id="no such verb"),
        pytest.param(408, Unavailable, id="request timeout"),
        pytest.param(409, Conflict, id="conflict"),
        pytest.param(410, Expired, id="too old"),
        pytest.param(415, Refused, id="unknown kind of patch"),
        pytest.param(422, Refused, id="invalid"),
        pytest.param(429, Throttled, id="too many"),
        pytest.param(500, Unavailable, id="internal error"),
        pytest.param(503, Unavailable, id="shutting down"),
        pytest.param(504, Unavailable, id="etcd timed out"),
        pytest.param(599, Unavailable, id="unknown code"),
    ],
)
def test_a_status_code_means_what_the_caller_does_about_it(status: int, kind: type[PortFailure]) -> None:
    assert type(failure(status, a_status("because"), asked="GET /x")) is kind


def test_the_message_holds_request_code_and_the_servers_words() -> None:
    said = failure(403, a_status('pods is forbidden: User "x" cannot list'), asked="GET /api/v1/pods")
    assert str(said) == 'GET /api/v1/pods: 403 pods is forbidden: User "x" cannot list'


def test_an_unknown_token_names_the_mend() -> None:
    assert "renew them in the kubeconfig" in str(failure(401, a_status("Unauthorized"), asked="GET /x"))


def test_a_patch_for_an_earlier_object_of_the_name_is_a_conflict() -> None:
    body = a_status(
        'Pod "p" is invalid', details={"causes": [{"reason": "FieldValueInvalid", "field": "metadata.uid"}]}
    )
    assert type(failure(422, body, asked="PATCH /x")) is Conflict


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param(b"<html>Bad Gateway</html>", "502 <html>Bad Gateway</html>", id="a proxy's page"),
        pytest.param(b"", "502 Bad Gateway", id="nothing"),
        pytest.param(b'{"message": 7}', '502 {"message": 7}', id="not a Status"),
    ],
)
def test_an_answer_of_something_between_us_and_the_server_is_quoted(body: bytes, words: str) -> None:
    assert str(failure(502, body, asked="GET /x")) == f"GET /x: {words}"


def test_an_answer_that_is_something_else_says_nothing_about_what_happened() -> None:
    with pytest.raises(Unavailable, match="not a Node"):
        decoded(b'{"metadata": 7}', Node, asked="GET /x")
