"""Creating objects: names, defaults and built-in admission."""

from typing import Any

import pytest

from tests.conformance.servers import ApiServer, Space, a_config_map, a_deployment, a_node


def test_a_new_object_gets_a_uid_a_version_and_a_creation_time(space: Space) -> None:
    metadata = space.config_map()["metadata"]

    assert metadata["uid"]
    assert int(metadata["resourceVersion"]) > 0
    assert metadata["creationTimestamp"].endswith("Z")


def test_a_name_is_generated_from_its_prefix(space: Space) -> None:
    body = a_config_map("x", generateName="made-")
    del body["metadata"]["name"]

    name = space.api.post(space.config_maps, body).json()["metadata"]["name"]

    assert name.startswith("made-")
    assert len(name) == len("made-") + 5


def test_a_dry_run_answers_but_stores_nothing(space: Space) -> None:
    answer = space.api.post(space.config_maps, a_config_map("dry"), dryRun="All")

    assert answer.status_code == 201
    assert answer.json()["metadata"]["uid"]
    assert "resourceVersion" not in answer.json()["metadata"]
    assert space.api.get(f"{space.config_maps}/dry").status_code == 404


def test_a_pod_gets_its_defaults(space: Space) -> None:
    spec = space.pod()["spec"]

    assert {name: spec[name] for name in spec if name not in {"containers", "volumes", "tolerations"}} == {
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "serviceAccountName": "default",
        "serviceAccount": "default",
        "securityContext": {},
        "schedulerName": "default-scheduler",
        "priority": 0,
        "enableServiceLinks": True,
        "preemptionPolicy": "PreemptLowerPriority",
    }


def test_a_container_gets_its_defaults(space: Space) -> None:
    container = space.pod()["spec"]["containers"][0]
    del container["volumeMounts"]

    assert container == {
        "name": "main",
        "image": "registry.example/app:1",
        "resources": {},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent",
    }


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        pytest.param("app", "Always", id="no tag"),
        pytest.param("app:latest", "Always", id="latest"),
        pytest.param("app:1", "IfNotPresent", id="a tag"),
        pytest.param("host:5000/app", "Always", id="a port is no tag"),
        pytest.param(f"app@sha256:{'0' * 64}", "IfNotPresent", id="a digest"),
    ],
)
def test_the_pull_policy_follows_the_tag(space: Space, image: str, policy: str) -> None:
    pod = space.pod(containers=[{"name": "main", "image": image}])

    assert pod["spec"]["containers"][0]["imagePullPolicy"] == policy


def test_a_pod_tolerates_lost_nodes_for_five_minutes(space: Space) -> None:
    assert space.pod()["spec"]["tolerations"] == [
        {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
        for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
    ]


def test_a_pod_gets_the_token_of_its_service_account(space: Space) -> None:
    spec = space.pod()["spec"]
    volume = spec["volumes"][0]

    assert volume["name"].startswith("kube-api-access-")
    assert volume["projected"]["sources"][0] == {
        "serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}
    }
    assert spec["containers"][0]["volumeMounts"] == [
        {
            "name": volume["name"],
            "readOnly": True,
            "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
        }
    ]


def test_a_pod_that_wants_no_token_gets_none(space: Space) -> None:
    assert "volumes" not in space.pod(automountServiceAccountToken=False)["spec"]


@pytest.mark.parametrize(
    ("resources", "quality"),
    [
        pytest.param({}, "BestEffort", id="nothing asked"),
        pytest.param({"requests": {"cpu": "1"}}, "Burstable", id="requests"),
        pytest.param({"limits": {"cpu": "1", "memory": "1Gi"}}, "Guaranteed", id="limits are requests too"),
    ],
)
def test_a_new_pod_is_pending_with_its_quality_of_service(
    space: Space, resources: dict[str, Any], quality: str
) -> None:
    pod = space.pod(containers=[{"name": "main", "image": "app:1", "resources": resources}])

    assert pod["status"] == {"phase": "Pending", "qosClass": quality}


def test_a_new_pod_with_gates_is_said_to_be_gated(space: Space) -> None:
    pod = space.pod(schedulingGates=[{"name": "example.com/wait"}])
    [condition] = pod["status"]["conditions"]

    assert condition.pop("lastTransitionTime") == pod["metadata"]["creationTimestamp"]
    assert condition == {
        "type": "PodScheduled",
        "status": "False",
        "lastProbeTime": None,
        "reason": "SchedulingGated",
        "message": "Scheduling is blocked due to non-empty scheduling gates",
    }


def test_quantities_take_their_canonical_form(space: Space) -> None:
    requests = {"cpu": "0.5", "memory": "1.5Gi", "ephemeral-storage": "1000"}
    pod = space.pod(containers=[{"name": "main", "image": "app:1", "resources": {"requests": requests}}])

    assert pod["spec"]["containers"][0]["resources"]["requests"] == {
        "cpu": "500m",
        "memory": "1536Mi",
        "ephemeral-storage": "1k",
    }


def test_a_new_node_is_tainted_and_offers_its_capacity(api: ApiServer, node: str) -> None:
    created = api.post("/api/v1/nodes", a_node(node, status={"capacity": {"cpu": "4", "pods": "10"}})).json()

    assert created["spec"]["taints"] == [{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]
    assert created["status"]["allocatable"] == {"cpu": "4", "pods": "10"}


def test_a_node_keeps_its_own_taints_and_allocatable(api: ApiServer, node: str) -> None:
    taint = {"key": "own", "value": "x", "effect": "NoSchedule"}
    status = {"capacity": {"cpu": "4"}, "allocatable": {"cpu": "1m"}}
    created = api.post("/api/v1/nodes", a_node(node, spec={"taints": [taint]}, status=status)).json()

    assert taint in created["spec"]["taints"]
    assert len(created["spec"]["taints"]) == 2
    assert created["status"]["allocatable"] == {"cpu": "1m"}


def test_a_deployment_gets_its_defaults(space: Space) -> None:
    spec = space.api.post(space.deployments, a_deployment()).json()["spec"]

    assert spec["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"},
    }
    assert spec["revisionHistoryLimit"] == 10
    assert spec["progressDeadlineSeconds"] == 600
    assert spec["template"]["spec"]["restartPolicy"] == "Always"
