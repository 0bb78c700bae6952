"""Refusals of the API server, worded and shaped as Kubernetes words and shapes them (metav1.Status).

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Cause(NamedTuple):
    """Why one field is refused: `reason` is a metav1.CauseType such as FieldValueRequired."""

    reason: str
    message: str
    field: str


class ApiError(Exception):
    """A refusal, rendered as metav1.Status."""

    def __init__(
        self,
        status_code: int,
        reason: str,
        message: str,
        *,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.reason = reason
        self.message = message
        self.details = details

    def status(self) -> dict[str, Any]:
        """The metav1.Status body."""
        body: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.status_code,
        }
        return body if self.details is None else body | {"details": dict(self.details)}


def bad_request(message: str) -> ApiError:
    """400: the request makes no sense."""
    return ApiError(400, "BadRequest", message)


def not_found(resource: str, name: str) -> ApiError:
    """404 for an object; `resource` is its plural, with the group where it has one (deployments.apps)."""
    return ApiError(404, "NotFound", f'{resource} "{name}" not found', details=_details(resource, name))


def no_such_resource() -> ApiError:
    """404 for a path that no resource has."""
    return ApiError(404, "NotFound", "the server could not find the requested resource", details={})


def already_exists(resource: str, name: str) -> ApiError:
    """409: the name is taken."""
    return ApiError(
        409, "AlreadyExists", f'{resource} "{name}" already exists', details=_details(resource, name)
    )


def conflict(resource: str, name: str, why: str) -> ApiError:
    """409: a precondition does not hold, or somebody was first."""
    return ApiError(
        409,
        "Conflict",
        f'Operation cannot be fulfilled on {resource} "{name}": {why}',
        details=_details(resource, name),
    )


def modified(resource: str, name: str) -> ApiError:
    """409: the resourceVersion sent is not the current one."""
    return conflict(
        resource,
        name,
        "the object has been modified; please apply your changes to the latest version and try again",
    )


def invalid(kind: str, name: str, causes: Sequence[Cause]) -> ApiError:
    """422 with every cause; `kind` carries the group where it has one (Deployment.apps)."""
    texts = [f"{cause.field}: {cause.message}" for cause in causes]
    what = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    short, _, group = kind.partition(".")
    details: dict[str, Any] = {"name": name, "group": group, "kind": short}
    details = {key: value for key, value in details.items() if value}
    return ApiError(
        422,
        "Invalid",
        f'{kind} "{name}" is invalid: {what}',
        details=details | {"causes": [cause._asdict() for cause in causes]},
    )


def rejected_patch(
    message: str = "the server rejected our request due to an error in our request",
) -> ApiError:
    """422: the patch cannot be applied to the object as it is."""
    return ApiError(422, "Invalid", message, details={})


def unsupported_media_type(message: str) -> ApiError:
    """415."""
    return ApiError(415, "UnsupportedMediaType", message)


def expired(asked: int, oldest: int) -> ApiError:
    """410: the version asked for is no longer kept; list again."""
    return ApiError(410, "Expired", f"too old resource version: {asked} ({oldest})")


def unauthorized() -> ApiError:
    """401: no token that we know."""
    return ApiError(401, "Unauthorized", "Unauthorized")


def disruption_budget(why: str) -> ApiError:
    """429: a PodDisruptionBudget does not allow an eviction now."""
    cause = {"reason": "DisruptionBudget", "message": why}
    return ApiError(
        429,
        "TooManyRequests",
        "Cannot evict pod as it would violate the pod's disruption budget.",
        details={"retryAfterSeconds": 10, "causes": [cause]},
    )


def internal(message: str) -> ApiError:
    """500."""
    return ApiError(
        500,
        "InternalError",
        f"Internal error occurred: {message}",
        details={"causes": [{"message": message}]},
    )


def required(field: str, detail: str = "") -> Cause:
    """The field is missing."""
    return Cause("FieldValueRequired", f"Required value: {detail}" if detail else "Required value", field)


def unsupported(field: str, value: object, supported: Sequence[str]) -> Cause:
    """The value is none of the allowed ones."""
    choices = ", ".join(f'"{each}"' for each in supported)
    return Cause(
        "FieldValueNotSupported", f'Unsupported value: "{value}": supported values: {choices}', field
    )


def invalid_value(field: str, value: str, why: str) -> Cause:
    """The value breaks a rule; `value` as Kubernetes prints it (strings quoted)."""
    return Cause("FieldValueInvalid", f"Invalid value: {value}: {why}", field)


def forbidden(field: str, why: str) -> Cause:
    """The field may not have this value here."""
    return Cause("FieldValueForbidden", f"Forbidden: {why}", field)


def _details(resource: str, name: str) -> dict[str, str]:
    plural, _, group = resource.partition(".")
    details = {"name": name, "group": group, "kind": plural}
    return {key: value for key, value in details.items() if value}
