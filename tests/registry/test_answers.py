import pytest

from app.ports.failures import NotFound, PortFailure, Refused, Throttled, Unavailable
from app.registry.answers import Answer, failure


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        pytest.param(400, Refused, id="400"),
        pytest.param(401, Refused, id="401"),
        pytest.param(403, Refused, id="403"),
        pytest.param(404, NotFound, id="404"),
        pytest.param(408, Unavailable, id="408"),
        pytest.param(429, Throttled, id="429"),
        pytest.param(451, Refused, id="451"),
        pytest.param(500, Unavailable, id="500"),
        pytest.param(503, Unavailable, id="503"),
        pytest.param(299, Refused, id="no content where some was asked for"),
    ],
)
def test_a_status_means_what_to_do_about_it(status: int, kind: type[PortFailure]) -> None:
    assert isinstance(failure(Answer(status=status), asked="app:1"), kind)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(
            b'{"errors":[{"code":"NAME_UNKNOWN","message":"no such repository","detail":{"a":1}}]}',
            "app:1: the registry answered 404 no such repository",
            id="its message",
        ),
        pytest.param(
            b'{"errors":[{"code":"NAME_UNKNOWN"},{"code":"X","message":"y"}]}',
            "app:1: the registry answered 404 NAME_UNKNOWN; y",
            id="its code",
        ),
        pytest.param(b"<html>secret</html>", "app:1: the registry answered 404 Not Found", id="a page"),
        pytest.param(b"\xff\xfe", "app:1: the registry answered 404 Not Found", id="bytes"),
        pytest.param(b'{"errors":null}', "app:1: the registry answered 404 Not Found", id="null"),
    ],
)
def test_a_failure_repeats_only_a_registrys_words(body: bytes, message: str) -> None:
    assert str(failure(Answer(status=404, body=body), asked="app:1")) == message


def test_a_registrys_words_are_cut() -> None:
    body = b'{"errors":[{"message":"' + b"x" * 10_000 + b'"}]}'
    assert len(str(failure(Answer(status=404, body=body), asked="app:1"))) < 300


def test_an_unknown_status_has_no_reason() -> None:
    assert str(failure(Answer(status=499), asked="app:1")).endswith("499 no reason given")
