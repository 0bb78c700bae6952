"""Why ECS opens no session, with the mend. Pure."""

from collections.abc import Sequence
from typing import Final

from app.model.setting import named
from app.ports.containers import Running
from app.ports.failures import NotFound, PortFailure, Refused, Unavailable

_AGENT: Final = (
    "the task was launched without exec, or the container's agent does not run: let "
    f"{named('bridge', 'exec')} be auto or on, give the pod a task role that allows "
    "ssmmessages:CreateControlChannel, CreateDataChannel, OpenControlChannel and OpenDataChannel, leave its "
    "root file system writable, and make the pod anew"
)
_CONNECTION: Final = (
    "the container's agent is not connected to Session Manager: allow ssmmessages:* in the policy of the "
    "task's role, and let the task's subnet reach ssmmessages, through NAT or a VPC endpoint"
)

_Kind = type[NotFound] | type[Refused] | type[Unavailable]

_BY_TEXT: Final[Sequence[tuple[str, _Kind, str]]] = (
    ("targetnotconnectedexception", Unavailable, _CONNECTION),
    ("execute command was not enabled", Refused, _AGENT),
    ("agent isn't running", Refused, _AGENT),
    ("task was not found", NotFound, ""),
    ("task wasn't found", NotFound, ""),
    ("task not found", NotFound, ""),
    ("task is not running", NotFound, ""),
    ("task has stopped", NotFound, ""),
    ("task is stopped", NotFound, ""),
)


def exec_failure(failure: PortFailure, where: Running) -> PortFailure:
    """The failure of an ExecuteCommand in the words of `app.ports.sessions`."""
    said = str(failure)
    plain = said.lower().replace("\u2019", "'")
    for words, kind, mend in _BY_TEXT:
        if words in plain:
            return kind(f"container {where.container}: {said}" + (f" ({mend})" if mend else ""))
    return failure
