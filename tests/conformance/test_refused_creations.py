"""What is not created as it was sent: refusals in Kubernetes' words, and warnings."""

from typing import Any

import pytest

from tests.conformance.servers import ApiServer, Space, a_config_map, a_deployment, a_node, a_pod


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
