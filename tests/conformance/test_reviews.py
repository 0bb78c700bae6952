"""What kubelets ask the API server about their clients: whose a token is, and whether somebody may."""

from typing import Any

import pytest

from tests.conformance.servers import ApiServer, Json, Space

TOKENS = "/apis/authentication.k8s.io/v1/tokenreviews"
ACCESS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
OWN = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
EXEC: Json = {"verb": "get", "version": "v1", "resource": "nodes", "subresource": "proxy", "name": "virtual"}


def a_review(kind: str, group: str, **spec: Any) -> Json:
    return {"apiVersion": f"{group}.k8s.io/v1", "kind": kind, "spec": spec}


def token_review(api: ApiServer, **spec: Any) -> Json:
    answer = api.post(TOKENS, a_review("TokenReview", "authentication", **spec))
    assert answer.status_code == 201, answer.text
    return dict(answer.json()["status"])


def access_review(api: ApiServer, **spec: Any) -> Json:
    answer = api.post(ACCESS, a_review("SubjectAccessReview", "authorization", **spec))
    assert answer.status_code == 201, answer.text
    return dict(answer.json()["status"])


def token_of(api: ApiServer) -> str:
    return str(api.http.headers["Authorization"].removeprefix("Bearer "))


def a_service_token(space: Space, **spec: Any) -> str:
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    answer = space.api.post(space.path("serviceaccounts", "default", "token"), request)
    return str(answer.json()["status"]["token"])


def test_the_admins_token_is_known(api: ApiServer) -> None:
    status = token_review(api, token=token_of(api))

    assert status["authenticated"] is True
    assert set(status["user"]["groups"]) == {"system:masters", "system:authenticated"}


def test_a_token_that_nobody_has_is_not(api: ApiServer) -> None:
    status = token_review(api, token="nobody")

    assert not status.get("authenticated", False)
    assert status["user"] == {}
    assert "invalid bearer token" in status["error"]


def test_a_service_accounts_token_is_its_accounts(space: Space) -> None:
    status = token_review(space.api, token=a_service_token(space))

    groups = ["system:serviceaccounts", f"system:serviceaccounts:{space.name}", "system:authenticated"]
    assert status["authenticated"] is True
    assert status["user"]["username"] == f"system:serviceaccount:{space.name}:default"
    assert status["user"]["groups"] == groups


def test_a_token_for_another_audience_is_not_good_here(space: Space) -> None:
    status = token_review(space.api, token=a_service_token(space, audiences=["vault"]))

    assert not status.get("authenticated", False)


def test_a_token_is_good_for_the_audience_that_asks(space: Space) -> None:
    token = a_service_token(space, audiences=["vault"])

    status = token_review(space.api, token=token, audiences=["vault", "else"])

    assert status["authenticated"] is True
    assert status["audiences"] == ["vault"]


def test_a_review_without_a_token_makes_no_sense(api: ApiServer) -> None:
    answer = api.post(TOKENS, a_review("TokenReview", "authentication"))

    assert answer.status_code == 400
    assert answer.json()["message"] == "token is required for TokenReview in authentication"


def test_masters_may(api: ApiServer) -> None:
    groups = ["system:masters", "system:authenticated"]

    assert access_review(api, user="kube-apiserver-kubelet-client", groups=groups, resourceAttributes=EXEC)[
        "allowed"
    ]


def test_paths_that_are_no_resources_are_reviewed_too(api: ApiServer) -> None:
    path = {"verb": "get", "path": "/metrics"}

    assert access_review(api, user="admin", groups=["system:masters"], nonResourceAttributes=path)["allowed"]


def test_everybody_may_ask_about_themselves(api: ApiServer) -> None:
    answer = api.post(OWN, a_review("SelfSubjectAccessReview", "authorization", resourceAttributes=EXEC))

    assert answer.status_code == 201
    assert answer.json()["status"]["allowed"] is True


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        pytest.param(
            {"user": "admin"},
            "exactly one of nonResourceAttributes or resourceAttributes must be specified",
            id="what",
        ),
        pytest.param(
            {"resourceAttributes": EXEC}, "at least one of user or group must be specified", id="who"
        ),
        pytest.param(
            {"user": "a", "resourceAttributes": EXEC, "nonResourceAttributes": {"path": "/", "verb": "get"}},
            "cannot be specified in combination with resourceAttributes",
            id="two things",
        ),
    ],
)
def test_a_review_says_who_and_what(api: ApiServer, spec: Json, why: str) -> None:
    answer = api.post(ACCESS, a_review("SubjectAccessReview", "authorization", **spec))

    assert answer.status_code == 422
    assert why in answer.json()["message"]


def test_reviews_are_only_created(api: ApiServer) -> None:
    assert api.get(TOKENS).status_code == 405
    assert api.get(ACCESS).status_code == 405


def test_the_authority_of_kubelet_clients_is_published(api: ApiServer) -> None:
    path = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"

    authority = api.until(path).json()["data"]["client-ca-file"]

    assert authority.startswith("-----BEGIN CERTIFICATE-----")
