"""AdmissionReview v1 as the API server sends it and expects it back.

https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#request
"""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import UNSET, Raw, UnsetType

from app.model.pod import Pod
from app.model.wire import Json, Wire

API_VERSION: Final = "admission.k8s.io/v1"
KIND: Final = "AdmissionReview"
CREATE: Final = "CREATE"


class BadReview(ValueError):
    """The body is no AdmissionReview of a pod; the message says where and what was expected."""


class ObjectKind(Wire, frozen=True):
    """The kind of the object under review, as the webhook's rules asked for it."""

    group: str = ""
    version: str = ""
    kind: str = ""


class AdmissionRequest(Wire, frozen=True):
    """What is asked; `object` is still undecoded and `null` for DELETE."""

    uid: str = ""
    kind: ObjectKind | None = None
    operation: str = ""
    namespace: str = ""
    name: str = ""
    object: Raw = Raw(b"null")


class _Review(Wire, frozen=True):
    api_version: str = ""
    kind: str = ""
    request: AdmissionRequest | None = None


class _PodObject(Pod, frozen=True):
    api_version: str = ""
    kind: str = ""


class _SpecObject(Wire, frozen=True):
    spec: Json = None


class _Response(Wire, frozen=True, omit_defaults=True):
    uid: str
    allowed: bool
    patch_type: str | UnsetType = UNSET
    patch: bytes | UnsetType = UNSET
    warnings: tuple[str, ...] = ()


class _Answer(Wire, frozen=True):
    response: _Response
    api_version: str = API_VERSION
    kind: str = KIND


_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_REVIEW: Final = msgspec.json.Decoder(_Review)
_POD: Final = msgspec.json.Decoder(_PodObject)
_SPEC: Final = msgspec.json.Decoder(_SpecObject)


def decode(body: bytes) -> AdmissionRequest:
    """The request of a review, with a uid, an operation and a pod's kind (or none said).

    Raises:
        BadReview: the body is not JSON, no AdmissionReview v1, incomplete, or about something else.
    """
    try:
        review = _REVIEW.decode(body)
    except _UNREADABLE as error:
        raise BadReview(f"the body is not an {KIND}: {error}") from error
    if (review.api_version, review.kind) != (API_VERSION, KIND):
        said = f"{review.api_version or 'no apiVersion'}, {review.kind or 'no kind'}"
        raise BadReview(f"expected {API_VERSION}, {KIND}, got {said}; set admissionReviewVersions to [v1]")
    request = review.request
    if request is None:
        raise BadReview("request is missing")
    for field in ("uid", "operation"):
        if not getattr(request, field):
            raise BadReview(f"request.{field} is missing or empty")
    if request.kind is not None and (request.kind.group, request.kind.kind) != ("", "Pod"):
        raise BadReview(
            f"request.kind is {request.kind.kind or 'empty'}, not Pod; let the rules name pods only"
        )
    return request


def pod_of(request: AdmissionRequest) -> Pod:
    """The pod to be created.

    Raises:
        BadReview: there is no object, it is not a pod, or a field of it has the wrong type.
    """
    if bytes(request.object) == b"null":
        raise BadReview("request.object is missing")
    try:
        pod = _POD.decode(request.object)
    except _UNREADABLE as error:
        raise BadReview(f"request.object is not a Pod: {error}") from error
    said = pod.kind or ("" if request.kind is None else request.kind.kind)
    if said != "Pod":
        raise BadReview(f"request.object is {said or 'of no kind'}, not a Pod")
    return pod


def spec_of(request: AdmissionRequest) -> Json:
    """The spec of the pod to be created as it came, with the fields that a `Pod` does not hold.

    Raises:
        BadReview: the object cannot be read.
    """
    try:
        return _SPEC.decode(request.object).spec
    except _UNREADABLE as error:
        raise BadReview(f"request.object is not a Pod: {error}") from error


def encode(uid: str, *, patch: Sequence[Json] = (), warnings: tuple[str, ...] = ()) -> bytes:
    """The review that allows the request, with its patch (RFC 6902 operations) and warnings, if any.

    `patch` and `patchType` are there together or not at all, as the API server demands.
    """
    response = _Response(uid=uid, allowed=True, warnings=warnings)
    if patch:
        # msgspec writes bytes as base64, which is what the API server expects of a patch.
        response = msgspec.structs.replace(response, patch_type="JSONPatch", patch=msgspec.json.encode(patch))
    return msgspec.json.encode(_Answer(response=response))
