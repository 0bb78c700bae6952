import pytest

from app.kube.reviews import Reviews
from app.ports.access import Answered, Caller, NodeAccess
from app.ports.failures import PortFailure, Refused, Unavailable
from tests.kube.fakes import FakeTransport

ACCESS = NodeAccess(node="fargate-a", verb="create", subresource="proxy")


async def test_a_token_is_reviewed_by_the_api_server() -> None:
    user = {"username": "sa", "uid": "u1", "groups": ["g"], "extra": {"pod": ["p"]}}
    server = FakeTransport({"status": {"authenticated": True, "user": user}})
    assert await Reviews(server).caller("tok") == Caller(
        name="sa", groups=("g",), uid="u1", extra={"pod": ("p",)}
    )
    asked = server.asked[0]
    assert (asked.method, asked.path) == ("POST", "/apis/authentication.k8s.io/v1/tokenreviews")
    assert asked.body == {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": {"token": "tok"},
    }


@pytest.mark.parametrize(
    "status",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"authenticated": False, "error": "invalid bearer token"}, id="invalid"),
        pytest.param({"authenticated": False, "user": {"username": "alice"}}, id="a-name-is-no-proof"),
        pytest.param({"authenticated": True, "user": {}}, id="nobody"),
    ],
)
async def test_a_token_without_an_owner_is_nobodys(status: dict[str, object]) -> None:
    assert await Reviews(FakeTransport({"status": status})).caller("tok") is None


async def test_a_user_in_no_group_has_none() -> None:
    user = {"username": "alice", "groups": None, "extra": None}
    server = FakeTransport({"status": {"authenticated": True, "user": user}})
    assert await Reviews(server).caller("tok") == Caller(name="alice")


async def test_a_right_is_asked_for_on_the_node() -> None:
    server = FakeTransport({"status": {"allowed": True, "reason": "RBAC: allowed"}})
    caller = Caller(name="alice", groups=("dev",), uid="u1", extra={"scope": ("a", "b")})
    assert await Reviews(server).answer(caller, ACCESS) == Answered(allowed=True, reason="RBAC: allowed")
    asked = server.asked[0]
    assert (asked.method, asked.path) == ("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews")
    assert asked.body["spec"] == {
        "user": "alice",
        "groups": ["dev"],
        "uid": "u1",
        "extra": {"scope": ["a", "b"]},
        "resourceAttributes": {
            "verb": "create",
            "version": "v1",
            "resource": "nodes",
            "subresource": "proxy",
            "name": "fargate-a",
        },
    }


@pytest.mark.parametrize(
    "status",
    [
        pytest.param({"allowed": False}, id="no"),
        pytest.param({"allowed": False, "denied": True}, id="a-definite-no"),
        pytest.param({"allowed": False, "evaluationError": "no such role"}, id="an-error-on-the-way"),
        pytest.param({}, id="nothing"),
    ],
)
async def test_all_that_is_no_yes_is_a_no(status: dict[str, object]) -> None:
    assert not (await Reviews(FakeTransport({"status": status})).answer(Caller(name="a"), ACCESS)).allowed


async def test_a_yes_that_is_also_a_no_is_neither() -> None:
    server = FakeTransport({"status": {"allowed": True, "denied": True}})
    with pytest.raises(Unavailable):
        await Reviews(server).answer(Caller(name="a"), ACCESS)


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        pytest.param({}, Unavailable, id="no-status"),
        pytest.param(b"<html>", Unavailable, id="something-between-us"),
        pytest.param(Refused("forbidden"), Refused, id="we-may-not-ask"),
        pytest.param(Unavailable("no answer"), Unavailable, id="no-answer"),
    ],
)
async def test_an_answer_that_says_nothing_is_a_failure(answer: object, failure: type[PortFailure]) -> None:
    reviews = Reviews(FakeTransport(answer, answer))
    with pytest.raises(failure):
        await reviews.answer(Caller(name="a"), ACCESS)
    with pytest.raises(failure):
        await reviews.caller("tok")
