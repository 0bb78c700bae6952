"""Reviews as an API server sends them, and the application over its own transport."""

import base64
from collections.abc import Mapping
from typing import Any

import httpx
import jsonpatch
import msgspec
from prometheus_client import CollectorRegistry

from app.model.pod import Pod
from app.webhook import mutation
from app.webhook.mutation import How
from app.webhook.server import Decide, WebhookConfig, build_app
from tests.fakes import VirtualClock

PLAIN = How()


def a_review(pod: Mapping[str, Any] | None, **request: Any) -> dict[str, Any]:
    """An AdmissionReview of a pod's creation; keyword arguments replace fields of the request."""
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "review-1",
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "name": "",
            "namespace": "shop",
            "operation": "CREATE",
            "userInfo": {"username": "someone"},
            "object": pod,
            "oldObject": None,
            "dryRun": False,
            "options": {},
            **request,
        },
    }


def a_manifest(**spec: Any) -> dict[str, Any]:
    """A pod's own JSON with nothing in it but what a user must write."""
    labels = spec.pop("labels", {})
    annotations = spec.pop("annotations", {})
    metadata: dict[str, Any] = {"generateName": "web-", "namespace": "shop", "creationTimestamp": None}
    container = {
        "name": "main",
        "image": "registry.example/app:1",
        "resources": {"requests": {"cpu": "500m", "memory": "512Mi"}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**metadata, "labels": labels, "annotations": annotations},
        "spec": {"containers": [container], **spec},
        "status": {},
    }


def a_client(
    *, how: How = PLAIN, registry: CollectorRegistry | None = None, decide: Decide = mutation.decide
) -> httpx.AsyncClient:
    """A client of a webhook in this process."""
    app = build_app(
        WebhookConfig(how=how),
        clock=VirtualClock(),
        registry=registry or CollectorRegistry(),
        decide=decide,
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://webhook.test")


async def reviewed(
    client: httpx.AsyncClient, pod: Mapping[str, Any] | None, *, path: str = "/mutate/enabled", **request: Any
) -> dict[str, Any]:
    """The `response` of the review, which must be 200."""
    answer = await client.post(path, json=a_review(pod, **request))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert (body["apiVersion"], body["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
    response: dict[str, Any] = body["response"]
    return response


def patched(pod: Mapping[str, Any], response: Mapping[str, Any]) -> dict[str, Any]:
    """The pod as the API server would store it: the response's patch applied to the pod's own JSON."""
    assert response["patchType"] == "JSONPatch"
    result: dict[str, Any] = jsonpatch.apply_patch(pod, base64.b64decode(response["patch"]).decode())
    return result


def decoded(pod: Mapping[str, Any]) -> Pod:
    """The pod as the webhook reads it."""
    return msgspec.convert(pod, Pod, strict=False)
