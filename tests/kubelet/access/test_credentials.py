import base64

import pytest

from app.kubelet.access.credentials import Secret, Subject, subject_of, token_of, with_everybody
from app.kubelet.messages import Request

BROWSERS = "base64url.bearer.authorization.k8s.io."


def a_request(*headers: tuple[str, str], client: str = "", organizations: tuple[str, ...] = ()) -> Request:
    return Request(method="GET", target="/", client=client, headers=headers, organizations=organizations)


def quoted(token: str) -> str:
    return BROWSERS + base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("value", "token"),
    [
        pytest.param("Bearer abc", "abc", id="plain"),
        pytest.param("bearer abc", "abc", id="the-scheme-in-any-case"),
        pytest.param("  Bearer abc  ", "abc", id="spaces-around"),
        pytest.param("Bearer abc more", "abc", id="words-behind"),
    ],
)
def test_a_bearer_token_is_the_second_word(value: str, token: str) -> None:
    assert token_of(a_request(("authorization", value))) == Secret(token)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("", id="empty"),
        pytest.param("Bearer", id="no-token"),
        pytest.param("Bearer  abc", id="two-spaces"),
        pytest.param("Basic abc", id="another-scheme"),
        pytest.param("abc", id="no-scheme"),
    ],
)
def test_anything_else_is_no_token(value: str) -> None:
    assert token_of(a_request(("authorization", value))) is None


def test_browsers_hide_the_token_among_the_protocols_of_a_web_socket() -> None:
    offered = ("sec-websocket-protocol", f"v5.channel.k8s.io, {quoted('tok/en')}")
    assert token_of(a_request(offered)) == Secret("tok/en")


@pytest.mark.parametrize(
    "protocol",
    [
        pytest.param("v5.channel.k8s.io", id="another"),
        pytest.param(BROWSERS, id="empty"),
        pytest.param(BROWSERS + "a", id="no-base64"),
        pytest.param(BROWSERS + "_w", id="no-text"),
    ],
)
def test_a_protocol_without_a_token_is_none(protocol: str) -> None:
    assert token_of(a_request(("sec-websocket-protocol", protocol))) is None


def test_a_tokens_text_form_does_not_show_it() -> None:
    assert "abc" not in repr(Secret("abc"))
    assert "abc" not in str(Secret("abc"))


def test_a_certificates_common_name_is_the_user_and_its_organizations_are_the_groups() -> None:
    shown = a_request(client="alice", organizations=("dev", "ops"))
    assert subject_of(shown, names=()) == Subject(name="alice", groups=("dev", "ops"))


def test_no_certificate_is_nobody() -> None:
    assert subject_of(a_request(), names=()) is None


def test_a_certificate_without_a_common_name_is_nobody() -> None:
    assert subject_of(a_request(organizations=("system:masters",)), names=()) is None


def test_where_names_are_listed_other_certificates_count_for_nothing() -> None:
    assert subject_of(a_request(client="alice"), names=("kube-apiserver",)) is None
    assert subject_of(a_request(client="kube-apiserver"), names=("kube-apiserver",)) is not None


def test_whoever_is_known_is_in_the_group_of_the_known_once() -> None:
    assert with_everybody(("dev",)) == ("dev", "system:authenticated")
    assert with_everybody(("system:authenticated", "dev")) == ("system:authenticated", "dev")
