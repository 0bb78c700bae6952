"""The token subresource of service accounts."""

import base64
import json
from datetime import datetime
from typing import Any

import httpx
import pytest

from tests.conformance.servers import Json, Space


def a_request(**spec: Any) -> Json:
    return {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}


def asked(space: Space, account: str = "default", **spec: Any) -> httpx.Response:
    return space.api.post(space.path("serviceaccounts", account, "token"), a_request(**spec))


def issued(space: Space, **spec: Any) -> Json:
    answer = asked(space, **spec)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def claims_in(token: str) -> Json:
    payload = token.split(".")[1]
    found: Json = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


def bound_to(pod: Json, **more: str) -> Json:
    metadata = pod["metadata"]
    return {"kind": "Pod", "apiVersion": "v1", "name": metadata["name"], "uid": metadata["uid"], **more}


def test_a_token_names_its_account_and_ends_when_it_says(space: Space) -> None:
    found = issued(space, audiences=["vault"], expirationSeconds=600)

    claims = claims_in(found["status"]["token"])
    assert found["kind"] == "TokenRequest"
    assert found["metadata"]["name"] == "default"
    assert found["spec"]["audiences"] == claims["aud"] == ["vault"]
    assert claims["sub"] == f"system:serviceaccount:{space.name}:default"
    assert claims["exp"] - claims["iat"] == 600
    ends = datetime.fromisoformat(found["status"]["expirationTimestamp"]).timestamp()
    assert claims["exp"] - 1 <= ends <= claims["exp"] + 1


def test_a_token_without_wishes_is_the_api_servers_for_an_hour(space: Space) -> None:
    found = issued(space)

    assert found["spec"]["expirationSeconds"] == 3600
    assert len(found["spec"]["audiences"]) == 1


def test_a_token_is_bound_to_its_pod(space: Space) -> None:
    pod = space.pod()

    found = issued(space, boundObjectRef=bound_to(pod), expirationSeconds=600)

    assert claims_in(found["status"]["token"])["kubernetes.io"]["pod"] == {
        "name": "web",
        "uid": pod["metadata"]["uid"],
    }


def test_a_token_gets_its_account_into_the_api_server(space: Space) -> None:
    token = issued(space)["status"]["token"]

    review = space.api.post(
        "/apis/authentication.k8s.io/v1/tokenreviews",
        {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}},
    ).json()["status"]

    assert review["authenticated"] is True
    assert review["user"]["username"] == f"system:serviceaccount:{space.name}:default"
    assert f"system:serviceaccounts:{space.name}" in review["user"]["groups"]


def test_a_token_for_somebody_else_does_not_get_in(space: Space) -> None:
    token = issued(space, audiences=["vault"])["status"]["token"]

    answer = space.api.http.get("/api/v1/nodes", headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == 401


def test_a_token_that_was_tampered_with_does_not_get_in(space: Space) -> None:
    head, payload, signature = issued(space)["status"]["token"].split(".")
    forged = f"{head}.{payload}.{signature[:-4]}AAAA"

    answer = space.api.http.get("/api/v1/nodes", headers={"Authorization": f"Bearer {forged}"})

    assert answer.status_code == 401


def test_no_account_no_token(space: Space) -> None:
    answer = asked(space, "none")

    assert answer.status_code == 404
    assert answer.json()["message"] == 'serviceaccounts "none" not found'


@pytest.mark.parametrize(
    ("seconds", "message"),
    [
        pytest.param(599, "may not specify a duration less than 10 minutes", id="short"),
        pytest.param((1 << 32) + 1, "may not specify a duration larger than 2^32 seconds", id="long"),
    ],
)
def test_a_life_that_no_token_has_is_refused(space: Space, seconds: int, message: str) -> None:
    answer = asked(space, expirationSeconds=seconds)

    assert answer.status_code == 422
    assert f"spec.expirationSeconds: Invalid value: {seconds}: {message}" in answer.json()["message"]


def test_a_token_cannot_be_bound_to_a_pod_that_is_not_there(space: Space) -> None:
    answer = asked(space, boundObjectRef={"kind": "Pod", "apiVersion": "v1", "name": "none"})

    assert answer.status_code == 404
    assert answer.json()["message"] == 'pods "none" not found'


def test_a_token_cannot_be_bound_to_an_earlier_pod_of_the_name(space: Space) -> None:
    answer = asked(space, boundObjectRef=bound_to(space.pod(), uid="earlier"))

    assert answer.status_code == 409
    assert answer.json()["reason"] == "Conflict"
    assert "the UID in the bound object reference (earlier) does not match" in answer.json()["message"]


def test_a_token_cannot_be_bound_to_a_pod_of_another_account(space: Space) -> None:
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "other"}}
    space.api.post(space.path("serviceaccounts"), account)

    answer = asked(space, "other", boundObjectRef=bound_to(space.pod()))

    assert answer.status_code == 400
    assert "pod running with different serviceaccount name" in answer.json()["message"]
