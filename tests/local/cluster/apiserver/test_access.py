"""Who may, where somebody was denied something."""

import pytest

from app.local.cluster.apiserver.access import Access, Attributes, Denial, attributes_of
from app.local.cluster.apiserver.api import Api, ApiError
from app.local.cluster.apiserver.http_requests import target_of
from app.local.cluster.apiserver.service_tokens import Everybody

EXEC = Attributes(verb="create", resource="pods/exec", namespace="default", name="web")
ALICE = {"username": "alice", "groups": ["people"]}
BOB = {"username": "bob", "groups": ["people"]}


@pytest.fixture
def access(api: Api) -> Access:
    return Access(Everybody({"a": ALICE, "b": BOB}, api.tokens))


def test_whoever_is_known_may_everything(access: Access) -> None:
    access.require(access.user("Bearer a"), EXEC)


@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param("", id="nothing"),
        pytest.param("Bearer c", id="nobody's token"),
        pytest.param("Basic a", id="no bearer"),
    ],
)
def test_whoever_is_not_known_is_not_let_in(access: Access, authorization: str) -> None:
    with pytest.raises(ApiError, match="Unauthorized"):
        access.user(authorization)


@pytest.mark.parametrize(
    ("denial", "is_allowed"),
    [
        pytest.param(Denial(), False, id="everything"),
        pytest.param(Denial(user="alice"), False, id="the user"),
        pytest.param(Denial(user="bob"), True, id="another user"),
        pytest.param(Denial(resource="pods/exec", verb="create"), False, id="the deed"),
        pytest.param(Denial(resource="pods"), True, id="the resource alone"),
        pytest.param(Denial(verb="get"), True, id="another verb"),
    ],
)
def test_a_denial_is_for_whom_and_what_it_names(access: Access, denial: Denial, is_allowed: bool) -> None:
    access.deny(denial)

    assert access.is_allowed("alice", EXEC) is is_allowed


def test_a_review_knows_of_denials(access: Access) -> None:
    access.deny(Denial(user="bob", resource="nodes/proxy"))
    wanted = {"verb": "get", "resource": "nodes", "subresource": "proxy"}

    bob = access.review({"spec": {"user": "bob", "resourceAttributes": wanted}})
    alice = access.review({"spec": {"resourceAttributes": wanted}}, asking=ALICE)

    assert bob["status"] == {"allowed": False}
    assert alice["status"]["allowed"] is True


def test_a_refusal_names_who_what_and_where(access: Access) -> None:
    access.deny(Denial(user="alice"))

    with pytest.raises(ApiError) as caught:
        access.require(ALICE, EXEC)

    assert caught.value.status_code == 403
    assert caught.value.message == (
        'pods "web" is forbidden: User "alice" cannot create resource "pods/exec" in API group "" '
        'in the namespace "default"'
    )


@pytest.mark.parametrize(
    ("method", "path", "verb"),
    [
        pytest.param("GET", "/api/v1/nodes", "list", id="list"),
        pytest.param("GET", "/api/v1/nodes/a", "get", id="get"),
        pytest.param("POST", "/api/v1/nodes", "create", id="create"),
        pytest.param("PUT", "/api/v1/nodes/a", "update", id="update"),
        pytest.param("PATCH", "/api/v1/nodes/a", "patch", id="patch"),
        pytest.param("DELETE", "/api/v1/nodes/a", "delete", id="delete"),
        pytest.param("DELETE", "/api/v1/nodes", "deletecollection", id="delete all"),
    ],
)
def test_requests_are_verbs(method: str, path: str, verb: str) -> None:
    assert attributes_of(method, target_of(path)) == Attributes(
        verb=verb, resource="nodes", name=target_of(path).name
    )


def test_a_watch_is_a_verb_of_its_own() -> None:
    assert attributes_of("GET", target_of("/api/v1/nodes"), watches=True).verb == "watch"
