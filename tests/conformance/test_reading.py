"""Reading: selectors, pages, tables, discovery, health, and who may ask."""

import pytest

from tests.conformance.servers import STRATEGIC, ApiServer, Space, a_deployment, a_node

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
METADATA = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"


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


def test_pods_come_as_a_table(space: Space) -> None:
    space.pod(nodeName="somewhere")
    status = {
        "phase": "Running",
        "podIPs": [{"ip": "10.0.0.9"}],
        "podIP": "10.0.0.9",
        "containerStatuses": [{"name": "main", "ready": True, "state": {"running": {}}, "restartCount": 2}],
    }
    space.api.patch(f"{space.pods}/web/status", {"status": status}, STRATEGIC)

    table = space.api.get(space.pods, accept=TABLE).json()

    assert (table["kind"], table["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    assert [(each["name"], each["priority"]) for each in table["columnDefinitions"]] == [
        ("Name", 0),
        ("Ready", 0),
        ("Status", 0),
        ("Restarts", 0),
        ("Age", 0),
        ("IP", 1),
        ("Node", 1),
        ("Nominated Node", 1),
        ("Readiness Gates", 1),
    ]
    row = table["rows"][0]
    age = row["cells"].pop(4)
    assert row["cells"] == ["web", "1/1", "Running", "2", "10.0.0.9", "somewhere", "<none>", "<none>"]
    assert age.endswith("s")
    assert row["object"]["kind"] == "PartialObjectMetadata"
    assert set(row["object"]) == {"kind", "apiVersion", "metadata"}


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        pytest.param({"reason": "OutOfcpu", "phase": "Failed"}, "OutOfcpu", id="refused"),
        pytest.param(
            {
                "phase": "Pending",
                "containerStatuses": [{"name": "main", "state": {"waiting": {"reason": "ErrImagePull"}}}],
            },
            "ErrImagePull",
            id="waiting",
        ),
        pytest.param(
            {
                "phase": "Failed",
                "containerStatuses": [
                    {"name": "main", "state": {"terminated": {"exitCode": 3, "reason": "Error"}}}
                ],
            },
            "Error",
            id="failed",
        ),
        pytest.param(
            {
                "phase": "Succeeded",
                "containerStatuses": [
                    {"name": "main", "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}
                ],
            },
            "Completed",
            id="completed",
        ),
        pytest.param(
            {
                "phase": "Failed",
                "containerStatuses": [{"name": "main", "state": {"terminated": {"exitCode": 3}}}],
            },
            "ExitCode:3",
            id="without a reason",
        ),
    ],
)
def test_a_table_tells_how_a_pod_is(space: Space, status: dict[str, object], shown: str) -> None:
    space.pod(nodeName="somewhere")
    space.api.patch(f"{space.pods}/web/status", {"status": status}, STRATEGIC)

    assert space.api.get(f"{space.pods}/web", accept=TABLE).json()["rows"][0]["cells"][2] == shown


def test_a_terminating_pod_is_shown_so(space: Space) -> None:
    space.pod(nodeName="somewhere")
    space.api.delete(f"{space.pods}/web")

    assert space.api.get(f"{space.pods}/web", accept=TABLE).json()["rows"][0]["cells"][2] == "Terminating"


def test_a_node_comes_as_a_table(api: ApiServer, node: str) -> None:
    status = {
        "conditions": [{"type": "Ready", "status": "True"}],
        "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}],
        "nodeInfo": {"kubeletVersion": "v1.36.0", "kernelVersion": "6.1", "architecture": "amd64"},
    }
    body = a_node(node, spec={"unschedulable": True}, status=status)
    body["metadata"]["labels"] = {"node-role.kubernetes.io/agent": ""}
    api.post("/api/v1/nodes", body)

    cells = api.get(f"/api/v1/nodes/{node}", accept=TABLE).json()["rows"][0]["cells"]
    del cells[3]

    assert cells == [
        node,
        "Ready,SchedulingDisabled",
        "agent",
        "v1.36.0",
        "10.0.0.1",
        "<none>",
        "<unknown>",
        "6.1 (amd64)",
        "<unknown>",
    ]


def test_a_deployment_comes_as_a_table(space: Space) -> None:
    space.api.post(space.deployments, a_deployment())

    table = space.api.get(f"{space.deployments}/web", accept=TABLE).json()
    cells = table["rows"][0]["cells"]
    del cells[4]

    assert cells == ["web", "0/0", 0, 0, "main", "registry.example/app:1", "app=web"]


@pytest.mark.parametrize(
    ("path", "columns"),
    [
        pytest.param("/api/v1/namespaces", ["Name", "Status", "Age"], id="namespaces"),
        pytest.param("/apis/coordination.k8s.io/v1/leases", ["Name", "Holder", "Age"], id="leases"),
        pytest.param("/api/v1/configmaps", ["Name", "Data", "Age"], id="configmaps"),
        pytest.param("/api/v1/serviceaccounts", ["Name", "Age"], id="by default"),
        pytest.param(
            "/apis/apps/v1/replicasets",
            ["Name", "Desired", "Current", "Ready", "Age", "Containers", "Images", "Selector"],
            id="replicasets",
        ),
        pytest.param(
            "/api/v1/events",
            [
                "Last Seen",
                "Type",
                "Reason",
                "Object",
                "Subobject",
                "Source",
                "Message",
                "First Seen",
                "Count",
                "Name",
            ],
            id="events",
        ),
    ],
)
def test_tables_have_the_columns_that_kubectl_users_know(
    api: ApiServer, path: str, columns: list[str]
) -> None:
    table = api.get(path, accept=TABLE).json()

    assert [each["name"] for each in table["columnDefinitions"]] == columns


def test_metadata_comes_alone_where_that_is_asked_for(space: Space) -> None:
    space.config_map()

    body = space.api.get(f"{space.config_maps}/cm", accept=METADATA).json()

    assert set(body) == {"kind", "apiVersion", "metadata"}
    assert body["kind"] == "PartialObjectMetadata"


def test_a_form_that_nobody_has_is_not_acceptable(space: Space) -> None:
    assert space.api.get(space.config_maps, accept="text/html").status_code == 406


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
