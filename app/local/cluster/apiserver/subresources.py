"""Scales and token reviews: bodies that are translated rather than stored.

https://kubernetes.io/docs/reference/kubernetes-api/autoscaling-resources/ (Scale in autoscaling/v1)
"""

from typing import Any

from app.local.cluster.apiserver import errors
from app.local.cluster.apiserver.objects import Object
from app.local.cluster.apiserver.service_tokens import AUDIENCE, Users
from app.local.cluster.apiserver.table_cells import selector_text


def scale_of(obj: Object) -> Object:
    """The autoscaling/v1 Scale of a workload."""
    metadata = obj["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    replicas = obj["spec"].get("replicas", 0)
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: metadata[name] for name in kept if name in metadata},
        "spec": {"replicas": replicas} if replicas else {},
        "status": {
            "replicas": obj.get("status", {}).get("replicas", 0),
            "selector": selector_text(obj["spec"].get("selector", {})),
        },
    }


def rescaled(obj: Object, scale: Any) -> Object:
    """The workload with the replicas of a Scale. Raises ApiError 400, 422."""
    if not isinstance(scale, dict):
        raise errors.bad_request("the body must be a Scale")
    replicas = (scale.get("spec") or {}).get("replicas") or 0
    if isinstance(replicas, bool) or not isinstance(replicas, int):
        raise errors.bad_request(
            'Scale in version "v1" cannot be handled as a Scale: json: cannot unmarshal '
            "into Go struct field ScaleSpec.spec.replicas of type int32"
        )
    if replicas < 0:
        cause = errors.invalid_value("spec.replicas", str(replicas), "must be greater than or equal to 0")
        raise errors.invalid("Scale.autoscaling", obj["metadata"]["name"], [cause])
    metadata = dict(obj["metadata"])
    version = (scale.get("metadata") or {}).get("resourceVersion")
    if version:
        metadata["resourceVersion"] = version
    return obj | {"metadata": metadata, "spec": obj["spec"] | {"replicas": replicas}}


def token_review(body: Any, *, users: Users) -> Object:
    """A TokenReview's answer. Raises ApiError 400."""
    spec = body.get("spec") if isinstance(body, dict) else None
    token = spec.get("token") if isinstance(spec, dict) else None
    if not isinstance(spec, dict) or not token:
        raise errors.bad_request("token is required for TokenReview in authentication")
    bearer = users.get(str(token), spec.get("audiences") or (AUDIENCE,))
    status: Object = {"user": {}, "error": "invalid bearer token"}
    if bearer is not None:
        status = {"authenticated": True, "user": bearer.user, "audiences": list(bearer.audiences)}
    answer: Object = {"metadata": {}} | body | {"status": status}
    return answer
