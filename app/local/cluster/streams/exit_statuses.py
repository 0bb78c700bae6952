"""How a command ended: what a kubelet said on the error stream, as the API server tells the client.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
As `errorDecoderV4` of client-go, and the stream translator, which both put words before the kubelet's.
"""

from typing import Any, Final

import msgspec

from app.local.cluster.apiserver import errors

Status = dict[str, object]
SUCCESS: Final[Status] = {"metadata": {}, "status": "Success"}
_STRUCTURED: Final = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_LARGEST: Final = 255


def status_of(said: bytes, *, version: str) -> Status:
    """The Status for what the kubelet said on a stream of this protocol version; silence is success."""
    if not said:
        return SUCCESS
    text = said.decode(errors="replace")
    if version not in _STRUCTURED:
        return broken(f"error executing remote command: {text}")
    try:
        return _told(msgspec.json.decode(said, type=dict[str, Any]))
    except (msgspec.DecodeError, msgspec.ValidationError) as why:
        return broken(f'error stream protocol error: {why} in "{text}"')


def broken(why: str) -> Status:
    """The Status for what went wrong on the way."""
    said = errors.internal(why).status()
    return {name: value for name, value in said.items() if name not in {"kind", "apiVersion"}}


def refusal_text(body: bytes) -> str:
    """What a kubelet said instead of upgrading: a Status's message, or plain text."""
    text = body.decode(errors="replace").strip()
    try:
        status = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, msgspec.ValidationError):
        return text
    return str(status["message"]) if status.get("kind") == "Status" else text


def _told(status: dict[str, Any]) -> Status:
    match status.get("status"), status.get("reason"):
        case "Success", _:
            return SUCCESS
        case "Failure", "NonZeroExitCode":
            return _exited(status.get("details"))
        case "Failure", _:
            return broken(str(status.get("message", "")))
        case _:
            return broken("error stream protocol error: unknown error")


def _exited(details: Any) -> Status:
    if not isinstance(details, dict):
        return broken("error stream protocol error: details must be set")
    codes = [
        each.get("message", "") for each in details.get("causes", ()) if each.get("reason") == "ExitCode"
    ]
    if not codes:
        return broken("error stream protocol error: no ExitCode cause given")
    code = str(codes[0])
    if not code.isdecimal() or int(code) > _LARGEST:
        return broken(f'error stream protocol error: invalid exit code value "{code}"')
    said = f"command terminated with exit code {int(code)}"
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: {said}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(int(code))}]},
    }
