"""Creating objects: defaults, built-in admission, and the refusals in Kubernetes' words."""

from typing import Any

import pytest

from tests.conformance.servers import ApiServer, Space, a_config_map, a_deployment, a_node, a_pod


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


def test_a_name_that_is_taken_is_refused(space: Space) -> None:
    space.config_map()

    answer = space.api.post(space.config_maps, a_config_map())

    assert answer.status_code == 409
    assert answer.json() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'configmaps "cm" already exists',
        "reason": "AlreadyExists",
        "details": {"name": "cm", "kind": "configmaps"},
        "code": 409,
    }


def test_an_unknown_field_is_dropped_with_a_warning(space: Space) -> None:
    answer = space.api.post(space.pods, a_pod(colour="red"))

    assert answer.status_code == 201
    assert "colour" not in answer.json()["spec"]
    assert answer.headers["Warning"] == '299 - "unknown field \\"spec.colour\\""'


def test_an_unknown_field_is_refused_where_validation_is_strict(space: Space) -> None:
    answer = space.api.post(space.pods, a_pod(colour="red"), fieldValidation="Strict")

    assert answer.status_code == 400
    assert answer.json()["message"] == (
        'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.colour"'
    )


@pytest.mark.parametrize(
    ("body", "causes"),
    [
        pytest.param(
            {"metadata": {}, "spec": {"containers": [{"name": "c", "image": "x"}]}},
            [("FieldValueRequired", "metadata.name")],
            id="no name",
        ),
        pytest.param(
            {"metadata": {"name": "p"}, "spec": {"restartPolicy": "Perhaps"}},
            [("FieldValueRequired", "spec.containers"), ("FieldValueNotSupported", "spec.restartPolicy")],
            id="no containers and a policy that does not exist",
        ),
        pytest.param(
            {"metadata": {"name": "P_"}, "spec": {"containers": [{"name": "c", "image": "x"}]}},
            [("FieldValueInvalid", "metadata.name")],
            id="a name in capitals",
        ),
        pytest.param(
            {
                "metadata": {"name": "p", "labels": {"a b": "c", "d": "e f"}},
                "spec": {"containers": [{"name": "c", "image": "x"}]},
            },
            [("FieldValueInvalid", "metadata.labels"), ("FieldValueInvalid", "metadata.labels")],
            id="labels with spaces",
        ),
        pytest.param(
            {
                "metadata": {"name": "p"},
                "spec": {"containers": [{"name": "C_", "image": ""}, {"name": "a", "image": "x"}] * 2},
            },
            [
                ("FieldValueInvalid", "spec.containers[0].name"),
                ("FieldValueRequired", "spec.containers[0].image"),
                ("FieldValueInvalid", "spec.containers[2].name"),
                ("FieldValueRequired", "spec.containers[2].image"),
                ("FieldValueDuplicate", "spec.containers[2].name"),
                ("FieldValueDuplicate", "spec.containers[3].name"),
            ],
            id="containers without image, misnamed and twice",
        ),
        pytest.param(
            {
                "metadata": {"name": "p"},
                "spec": {
                    "containers": [
                        {
                            "name": "c",
                            "image": "x",
                            "resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "2"}},
                        }
                    ]
                },
            },
            [("FieldValueInvalid", "spec.containers[0].resources.requests")],
            id="requests above limits",
        ),
        pytest.param(
            {
                "metadata": {"name": "p"},
                "spec": {
                    "containers": [{"name": "c", "image": "x"}],
                    "tolerations": [{"operator": "Equal"}, {"operator": "Exists", "tolerationSeconds": 3}],
                },
            },
            [
                ("FieldValueInvalid", "spec.tolerations[0].operator"),
                ("FieldValueInvalid", "spec.tolerations[1].effect"),
            ],
            id="tolerations that mean nothing",
        ),
    ],
)
def test_an_invalid_pod_is_refused_with_every_cause(
    space: Space, body: dict[str, Any], causes: list[tuple[str, str]]
) -> None:
    answer = space.api.post(space.pods, {"apiVersion": "v1", "kind": "Pod", **body})

    assert answer.status_code == 422
    status = answer.json()
    assert status["reason"] == "Invalid"
    assert [(each["reason"], each["field"]) for each in status["details"]["causes"]] == causes


def test_an_invalid_deployment_names_its_group(space: Space) -> None:
    body = a_deployment()
    body["spec"]["template"]["metadata"]["labels"] = {"app": "other"}

    status = space.api.post(space.deployments, body).json()

    assert status["message"] == (
        'Deployment.apps "web" is invalid: spec.template.metadata.labels: Invalid value: {"app":"other"}: '
        "`selector` does not match template `labels`"
    )
    assert status["details"]["group"] == "apps"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        pytest.param(
            {"containers": "x"},
            "json: cannot unmarshal string into Go struct field PodSpec.spec.containers "
            "of type []v1.Container",
            id="a string for a list",
        ),
        pytest.param(
            {"containers": [{"name": "c", "resources": {"limits": {"cpu": "many"}}}]},
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
            id="no quantity",
        ),
    ],
)
def test_a_value_of_the_wrong_type_is_a_bad_request(space: Space, spec: dict[str, Any], message: str) -> None:
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}

    answer = space.api.post(space.pods, body)

    assert answer.status_code == 400
    assert answer.json()["message"] == f'Pod in version "v1" cannot be handled as a Pod: {message}'


def test_a_body_of_another_kind_is_a_bad_request(space: Space) -> None:
    answer = space.api.post(space.pods, a_node("n"))

    assert answer.status_code == 400
    assert answer.json()["reason"] == "BadRequest"


def test_a_body_of_another_namespace_is_a_bad_request(space: Space) -> None:
    answer = space.api.post(space.pods, a_pod(metadata={"namespace": "elsewhere"}))

    assert answer.status_code == 400
    assert answer.json()["message"] == (
        "the namespace of the provided object does not match the namespace sent on the request"
    )


def test_malformed_json_is_a_bad_request(space: Space) -> None:
    answer = space.api.http.post(space.pods, content=b"{", headers={"Content-Type": "application/json"})

    assert answer.status_code == 400
    assert "couldn't get version/kind; json parse error" in answer.json()["message"]


def test_a_body_in_an_unknown_format_is_refused(space: Space) -> None:
    answer = space.api.http.post(space.pods, content=b"x", headers={"Content-Type": "application/x-unknown"})

    assert answer.status_code == 415
    assert answer.json()["reason"] == "UnsupportedMediaType"


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        pytest.param(
            {"priorityClassName": "none"}, "no PriorityClass with name none was found", id="priority"
        ),
        pytest.param(
            {"serviceAccountName": "none"},
            'serviceaccount "none" not found',
            id="service account",
        ),
    ],
)
def test_a_pod_that_refers_to_nothing_is_forbidden(space: Space, spec: dict[str, Any], why: str) -> None:
    answer = space.api.post(space.pods, a_pod(**spec))

    assert answer.status_code == 403
    assert answer.json()["message"].startswith('pods "web" is forbidden: ')
    assert answer.json()["message"].endswith(why)


def test_the_namespace_must_be_there(api: ApiServer) -> None:
    answer = api.post("/api/v1/namespaces/no-such-namespace/pods", a_pod())

    assert answer.status_code == 404
    assert answer.json()["message"] == 'namespaces "no-such-namespace" not found'
