"""Reading: selectors, pages, discovery, health, and who may ask."""

import pytest

from tests.conformance.servers import STRATEGIC, ApiServer, Space


def names(space: Space, path: str, **query: str) -> list[str]:
    items = space.api.get(path, **query).json()["items"]
    found = [each["metadata"]["name"] for each in items]
    return [name for name in found if not name.endswith("ca.crt")]


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        pytest.param("app=a", ["one"], id="equal"),
        pytest.param("app==a", ["one"], id="double equal"),
        pytest.param("app!=a", ["three", "two"], id="unequal, or not there"),
        pytest.param("app in (a,b)", ["one", "two"], id="in"),
        pytest.param("app notin (a)", ["three", "two"], id="not in, or not there"),
        pytest.param("app", ["one", "two"], id="there"),
        pytest.param("!app", ["three"], id="not there"),
        pytest.param("app,tier=x", ["two"], id="both"),
    ],
)
def test_labels_select(space: Space, selector: str, found: list[str]) -> None:
    space.config_map("one", labels={"app": "a"})
    space.config_map("two", labels={"app": "b", "tier": "x"})
    space.config_map("three")

    assert names(space, space.config_maps, labelSelector=selector) == found


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        pytest.param("spec.nodeName=somewhere", ["bound"], id="node"),
        pytest.param("spec.nodeName=", ["free"], id="no node"),
        pytest.param("spec.nodeName!=", ["bound"], id="any node"),
        pytest.param("status.phase=Running", ["bound"], id="phase"),
        pytest.param("metadata.name=free", ["free"], id="name"),
        pytest.param("spec.schedulerName=default-scheduler,status.phase=Pending", ["free"], id="both"),
    ],
)
def test_fields_of_pods_select(space: Space, selector: str, found: list[str]) -> None:
    space.pod("bound", nodeName="somewhere")
    space.api.patch(f"{space.pods}/bound/status", {"status": {"phase": "Running"}}, STRATEGIC)
    space.pod("free")

    assert names(space, space.pods, fieldSelector=selector) == found


@pytest.mark.parametrize(
    ("query", "message"),
    [
        pytest.param(
            {"labelSelector": "a in b"}, "unable to parse requirement: found 'b' expected: '('", id="in"
        ),
        pytest.param({"fieldSelector": "spec.foo=b"}, "field label not supported: spec.foo", id="field"),
        pytest.param(
            {"resourceVersion": "abc"},
            'invalid resource version: resourceVersion: Invalid value: "abc": '
            'strconv.ParseUint: parsing "abc": invalid syntax',
            id="version",
        ),
    ],
)
def test_a_question_that_cannot_be_read_is_a_bad_request(
    space: Space, query: dict[str, str], message: str
) -> None:
    answer = space.api.get(space.pods, **query)

    assert answer.status_code == 400
    assert answer.json()["message"] == message


def test_a_list_comes_in_pages(space: Space) -> None:
    space.pod("a")
    space.pod("b")
    space.pod("c")

    first = space.api.get(space.pods, limit="2").json()
    token = first["metadata"]["continue"]
    second = space.api.get(space.pods, **{"limit": "2", "continue": token}).json()

    assert [each["metadata"]["name"] for each in first["items"]] == ["a", "b"]
    assert first["metadata"]["remainingItemCount"] == 1
    assert [each["metadata"]["name"] for each in second["items"]] == ["c"]
    assert "continue" not in second["metadata"]


def test_a_token_that_is_none_is_a_bad_request(space: Space) -> None:
    answer = space.api.get(space.config_maps, **{"continue": "zz"})

    assert answer.status_code == 400
    assert answer.json()["message"].startswith("invalid continue token")


def test_items_of_a_list_carry_no_kind(space: Space) -> None:
    space.config_map()
    body = space.api.get(space.config_maps).json()

    assert (body["kind"], body["apiVersion"]) == ("ConfigMapList", "v1")
    assert "kind" not in body["items"][0]


def test_a_version_of_the_future_is_a_timeout(space: Space) -> None:
    answer = space.api.get(space.config_maps, resourceVersion="999999999")

    assert answer.status_code == 504
    assert answer.json()["details"]["causes"] == [
        {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    ]


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/api/v1/foos", id="resource"),
        pytest.param("/apis/apps/v1/foos", id="resource of a group"),
        pytest.param("/api/v1/namespaces/default/pods/web/foo", id="subresource"),
    ],
)
def test_a_path_that_nothing_has_is_not_found(api: ApiServer, path: str) -> None:
    answer = api.get(path)

    assert answer.status_code == 404
    assert answer.json()["message"] == "the server could not find the requested resource"


def test_a_verb_that_a_path_does_not_have_is_refused(space: Space) -> None:
    answer = space.api.put(space.pods, {})

    assert answer.status_code == 405
    assert answer.json()["reason"] == "MethodNotAllowed"


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz"])
def test_the_server_tells_that_it_is_well(api: ApiServer, path: str) -> None:
    assert api.get(path).text == "ok"


def test_the_version_is_1_36(api: ApiServer) -> None:
    version = api.get("/version").json()

    assert (version["major"], version["minor"]) == ("1", "36")
    assert version["gitVersion"].startswith("v1.36.")


def test_a_token_that_nobody_knows_is_unauthorized(api: ApiServer) -> None:
    answer = api.anonymous.get("/api/v1/pods")

    assert answer.status_code == 401
    assert answer.json()["message"] == "Unauthorized"


def test_the_authority_of_client_certificates_is_published(api: ApiServer) -> None:
    path = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"

    assert api.get(path).json()["data"]["client-ca-file"].startswith("-----BEGIN CERTIFICATE-----")


def test_every_namespace_has_the_root_certificate_and_an_account(space: Space) -> None:
    space.api.until(f"{space.config_maps}/kube-root-ca.crt")
    space.api.until(f"{space.path('serviceaccounts')}/default")


def test_an_admin_may_do_everything(api: ApiServer) -> None:
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"verb": "delete", "resource": "nodes"}},
    }

    answer = api.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body)

    assert answer.status_code == 201
    assert answer.json()["status"]["allowed"] is True


def test_a_token_that_nobody_knows_is_not_authenticated(api: ApiServer) -> None:
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": "bad"}}

    answer = api.post("/apis/authentication.k8s.io/v1/tokenreviews", body)

    assert answer.status_code == 201
    assert "authenticated" not in answer.json()["status"]
