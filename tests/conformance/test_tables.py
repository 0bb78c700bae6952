"""The forms of an answer: the tables that `kubectl get` prints, and metadata alone."""

import pytest

from tests.conformance.servers import STRATEGIC, ApiServer, Space, a_deployment, a_node

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
METADATA = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"


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
