"""Decoding: what Go's decoder makes of JSON."""

from typing import Any

import pytest

from app.local.cluster.apiserver.decoding import Decoder, quantity_text
from app.local.cluster.apiserver.errors import ApiError
from app.local.cluster.apiserver.resources import BY_PLURAL
from app.local.cluster.apiserver.schema import Schema

SCHEMA = Schema()


def decoded(plural: str, body: Any, *, whole: bool = True) -> dict[str, Any]:
    return Decoder(SCHEMA, whole=whole).decode(BY_PLURAL[plural], body)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        pytest.param("1", "1", id="whole"),
        pytest.param("0.5", "500m", id="fraction"),
        pytest.param("1.5", "1500m", id="one and a half"),
        pytest.param("1000m", "1", id="a thousand thousandths"),
        pytest.param("1000", "1k", id="thousand"),
        pytest.param("1.5Gi", "1536Mi", id="binary fraction"),
        pytest.param("1024Mi", "1Gi", id="binary"),
        pytest.param("1e3", "1e3", id="exponent stays"),
        pytest.param("0", "0", id="nothing"),
        pytest.param("0.0001", "100u", id="small"),
        pytest.param("-1500m", "-1500m", id="negative"),
    ],
)
def test_quantities_have_one_canonical_form(text: str, canonical: str) -> None:
    assert quantity_text(text) == canonical


def test_numbers_are_quantities_too() -> None:
    node = decoded("nodes", {"status": {"capacity": {"cpu": 4, "memory": 1.5}}})

    assert node["status"]["capacity"] == {"cpu": "4", "memory": "1500m"}


def test_null_and_empty_collections_vanish() -> None:
    body = {"metadata": {"labels": {}, "annotations": None}, "spec": {"taints": []}}

    assert decoded("nodes", body) == {"metadata": {}, "spec": {}}


def test_an_empty_object_stays() -> None:
    spec = {"containers": [], "volumes": [{"name": "scratch", "emptyDir": {}}]}

    assert decoded("pods", {"spec": spec})["spec"]["volumes"] == [{"name": "scratch", "emptyDir": {}}]


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        pytest.param("2026-01-01T12:00:00Z", "2026-01-01T12:00:00Z", id="canonical"),
        pytest.param("2026-01-01T12:00:00.9Z", "2026-01-01T12:00:00Z", id="fraction"),
        pytest.param("2026-01-01T13:00:00+01:00", "2026-01-01T12:00:00Z", id="zone"),
    ],
)
def test_times_are_utc_seconds(given: str, canonical: str) -> None:
    pod = decoded("pods", {"status": {"startTime": given}})

    assert pod["status"]["startTime"] == canonical


def test_unknown_fields_are_named_by_their_path() -> None:
    decoder = Decoder(SCHEMA)
    body = {"colour": 1, "spec": {"containers": [{"name": "a"}, {"nam": "b"}]}}
    decoder.decode(BY_PLURAL["pods"], body)

    assert decoder.unknown == ["colour", "spec.containers[1].nam"]


def test_times_that_nobody_set_are_null_only_in_whole_objects() -> None:
    body = {"status": {"conditions": [{"type": "Ready"}]}}

    assert decoded("nodes", body)["status"]["conditions"] == [
        {"type": "Ready", "lastHeartbeatTime": None, "lastTransitionTime": None}
    ]
    assert decoded("nodes", body, whole=False)["status"]["conditions"] == [{"type": "Ready"}]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param([], "cannot unmarshal array into Go value of type v1.Pod", id="a list"),
        pytest.param(
            {"spec": {"hostNetwork": "yes"}},
            "json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool",
            id="a string for a boolean",
        ),
        pytest.param(
            {"spec": {"priority": True}},
            "json: cannot unmarshal bool into Go struct field PodSpec.spec.priority of type int32",
            id="a boolean is no number",
        ),
        pytest.param(
            {"metadata": {"labels": {"a": 1}}},
            "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
            id="a number for a label",
        ),
        pytest.param({"status": {"startTime": "soon"}}, 'parsing time "soon"', id="no time"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(body: Any, message: str) -> None:
    with pytest.raises(ApiError) as refusal:
        decoded("pods", body)
    assert refusal.value.status_code == 400
    assert message in refusal.value.message
