"""How an exec ended, as the `v1.Status` on its error stream. Pure.

https://github.com/kubernetes/kubernetes/blob/v1.36.0/staging/src/k8s.io/apimachinery/pkg/util/remotecommand/constants.go
"""

from http import HTTPStatus
from typing import Final

from app.model.wire import Json

SUCCESS: Final[Json] = {"metadata": {}, "status": "Success"}


def ended(code: int) -> Json:
    """The status for a command's exit code; clients take the code from `details.causes`."""
    if code == 0:
        return SUCCESS
    return {
        "metadata": {},
        "status": "Failure",
        "reason": "NonZeroExitCode",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def failed(reason: str) -> Json:
    """The status for a command that could not be run, or of whose end nothing is known."""
    return {
        "metadata": {},
        "status": "Failure",
        "reason": "InternalError",
        "message": f"Internal error occurred: {reason}",
        "code": int(HTTPStatus.INTERNAL_SERVER_ERROR),
    }
