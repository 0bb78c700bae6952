"""AdmissionReview on the wire: what is taken, what is refused, and the form of the answer."""

import base64
import json
from typing import Any

import msgspec
import pytest

from app.webhook import review
from app.webhook.review import BadReview
from tests.webhook.fakes import a_manifest, a_review


def body_of(document: Any) -> bytes:
    return msgspec.json.encode(document)


def test_a_review_names_its_uid_operation_and_namespace() -> None:
    request = review.decode(body_of(a_review(a_manifest())))
    assert (request.uid, request.operation, request.namespace) == ("review-1", "CREATE", "shop")


def test_the_pod_is_read_with_its_own_names() -> None:
    pod = review.pod_of(review.decode(body_of(a_review(a_manifest(hostPID=True)))))
    assert pod.metadata.generate_name == "web-"
    assert pod.spec.host_pid


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(b"", "Input data was truncated", id="empty"),
        pytest.param(b"{", "Input data was truncated", id="half"),
        pytest.param(b"pods: []", "malformed", id="no-json"),
        pytest.param(b"[]", "Expected `object`, got `array`", id="a-list"),
        pytest.param(b'{"kind": "\xff"}', "utf-8", id="no-utf-8"),
        pytest.param(b'{"request": {"object":' + b"[" * 100_000, "recursion", id="nested-without-end"),
        pytest.param(b"{}", "no apiVersion, no kind", id="empty-object"),
        pytest.param(body_of({**a_review(None), "kind": "TokenReview"}), "TokenReview", id="another-kind"),
        pytest.param(
            body_of({**a_review(None), "apiVersion": "admission.k8s.io/v1beta1"}), "v1beta1", id="old-version"
        ),
        pytest.param(body_of({**a_review(None), "request": None}), "request is missing", id="no-request"),
        pytest.param(body_of(a_review(a_manifest(), uid="")), "request.uid is missing", id="no-uid"),
        pytest.param(body_of(a_review(a_manifest(), uid=7)), "$.request.uid", id="uid-of-the-wrong-type"),
        pytest.param(body_of(a_review(a_manifest(), operation="")), "request.operation", id="no-operation"),
        pytest.param(
            body_of(a_review({}, kind={"group": "apps", "version": "v1", "kind": "Deployment"})),
            "request.kind is Deployment",
            id="not-a-pod",
        ),
    ],
)
def test_a_body_that_is_no_review_is_refused_in_clear_words(body: bytes, said: str) -> None:
    with pytest.raises(BadReview, match=said.replace("$", r"\$")):
        review.decode(body)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        pytest.param(a_review(None), "request.object is missing", id="null"),
        pytest.param(
            a_review({**a_manifest(), "kind": "Deployment"}),
            "request.object is Deployment",
            id="another-kind",
        ),
        pytest.param(a_review({"spec": {}}, kind=None), "of no kind", id="no-kind-at-all"),
        pytest.param(
            a_review(a_manifest(containers="one")), r"\$\.spec\.containers", id="containers-of-text"
        ),
        pytest.param(a_review(a_manifest(hostNetwork="yes")), r"\$\.spec\.hostNetwork", id="text-for-a-bool"),
        pytest.param(
            a_review(a_manifest(containers=[{"image": "a"}])), r"\$\.spec\.containers", id="no-name"
        ),
        pytest.param(a_review({**a_manifest(), "metadata": []}), r"\$\.metadata", id="metadata-of-a-list"),
    ],
)
def test_an_object_that_is_no_pod_is_refused_with_the_path(document: Any, said: str) -> None:
    request = review.decode(body_of(document))
    with pytest.raises(BadReview, match=said):
        review.pod_of(request)


def test_an_answer_without_a_patch_has_no_patch_type() -> None:
    assert json.loads(review.encode("u-1")) == {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "response": {"uid": "u-1", "allowed": True},
    }


def test_an_answer_with_a_patch_carries_it_in_base64_beside_its_type() -> None:
    operation = {"op": "add", "path": "/spec/schedulerName", "value": "overflow"}
    response = json.loads(review.encode("u-1", patch=[operation], warnings=("careful",)))["response"]
    assert json.loads(base64.b64decode(response.pop("patch"))) == [operation]
    assert response == {"uid": "u-1", "allowed": True, "patchType": "JSONPatch", "warnings": ["careful"]}
