"""A refusal as a v1.Status, so that kubectl shows its words. Pure.

kubectl takes whatever body comes in place of an upgrade for YAML: of a sentence with a colon in it, it would
make a Status without a message, and show nothing.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
"""

from http import HTTPStatus
from typing import Final

import msgspec

from app.kubelet.messages import Answer

_REASONS: Final[dict[int, str]] = {
    HTTPStatus.BAD_REQUEST: "BadRequest",
    HTTPStatus.FORBIDDEN: "Forbidden",
    HTTPStatus.NOT_FOUND: "NotFound",
    HTTPStatus.INTERNAL_SERVER_ERROR: "InternalError",
}


def as_status(answer: Answer) -> Answer:
    """The same answer, its text as the message of a Status."""
    status = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": answer.text,
        "reason": _REASONS.get(answer.status, ""),
        "code": int(answer.status),
    }
    headers = (*answer.headers, ("Content-Type", "application/json"))
    return Answer(status=answer.status, text=msgspec.json.encode(status).decode(), headers=headers)
