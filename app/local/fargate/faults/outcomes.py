"""Everything that RunTask may answer instead of a task, each as a fault with a name.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/api_failures_messages.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/request-throttling.html
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from app.local.fargate.faults.orders import Fault

NO_CAPACITY: Final = (
    "Capacity is unavailable at this time. Please try again later or in a different availability zone"
)
OVER_QUOTA: Final = "You’ve reached the limit on the number of vCPUs you can run concurrently"  # noqa: RUF001  (AWS writes it so)
NO_SPOT_CAPACITY: Final = "SpotInterruption: there is no Fargate Spot capacity for the task"

_RUN_TASK: Final = "RunTask"


def _failure(reason: str = "") -> Fault:
    """HTTP 200 with `failures`."""
    return Fault(operation=_RUN_TASK, kind="capacity", message=reason)


def _error(code: str, message: str) -> Fault:
    return Fault(operation=_RUN_TASK, kind="error", code=code, message=message)


RUN_TASK_OUTCOMES: Final[Mapping[str, Fault]] = {
    "no-capacity": _failure(),
    "vcpu-limit": _failure(OVER_QUOTA),
    "vcpu-limit-error": _error("ClientException", OVER_QUOTA),
    "resource": _failure("RESOURCE:FARGATE"),
    "agent": _failure("AGENT"),
    "attribute": _failure("ATTRIBUTE"),
    "location": _failure("LOCATION"),
    "empty-capacity-provider": _failure("EMPTY CAPACITY PROVIDER"),
    "throttled": _error("ThrottlingException", "Rate exceeded"),
    "throttled-by-ec2": _error(
        "InvalidParameterException",
        "Error retrieving subnet information for [subnet-local]: Rate exceeded (ErrorCode: Throttling)",
    ),
    "no-service-linked-role": _error(
        "InvalidParameterException",
        "Unable to assume the service linked role. Please verify that the ECS service linked role exists.",
    ),
    "unknown-subnet": _error(
        "InvalidParameterException",
        "Error retrieving subnet information for [subnet-local]: The subnet ID 'subnet-local' does not exist "
        "(ErrorCode: InvalidSubnetID.NotFound)",
    ),
    "inactive-definition": _error("ClientException", "TaskDefinition is inactive"),
    "role-not-passable": _error(
        "ClientException",
        "ECS was unable to assume the role 'arn:aws:iam::123456789012:role/task' that was provided for this "
        "task.",
    ),
    "provisioning-limit": _error(
        "ClientException",
        "You've reached the limit on the number of tasks you can have in provisioning state.",
    ),
    "conflict": _error("ConflictException", "The clientToken was used before with other parameters."),
    "blocked": _error("BlockedException", "Your account is currently blocked."),
    "access-denied": _error(
        "AccessDeniedException", "User is not authorized to perform: ecs:RunTask on the task definition"
    ),
    "cluster-not-found": _error("ClusterNotFoundException", "Cluster not found."),
    "unknown-platform": _error("PlatformUnknownException", "The specified platform version does not exist."),
    "platform-mismatch": _error(
        "PlatformTaskDefinitionIncompatibilityException",
        "The specified platform does not satisfy the task definition's required capabilities.",
    ),
    "unsupported": _error(
        "UnsupportedFeatureException", "The specified task isn't supported in this Region."
    ),
    "expired-credentials": _error(
        "ExpiredTokenException", "The security token included in the request is expired"
    ),
    "server-error": _error("ServerException", "Service Unavailable. Please try again later."),
    "lost-request": Fault(operation=_RUN_TASK, kind="lost-request"),
    "lost-answer": Fault(operation=_RUN_TASK, kind="timeout-after-effect"),
    "no-spot-capacity": Fault(operation=_RUN_TASK, kind="no-spot-capacity"),
}


def outcome(name: str, **changes: Any) -> Fault:
    """The fault of this name, with some of its members changed, as `probability=0.3`.

    Raises:
        KeyError: no outcome has this name.
    """
    return msgspec.structs.replace(RUN_TASK_OUTCOMES[name], **changes)


def fault_from(body: bytes) -> Fault:
    """The fault in a JSON object: its members, or `outcome` with a name and the members that differ.

    Raises:
        msgspec.MsgspecError: it is none.
    """
    members = msgspec.json.decode(body)
    if not isinstance(members, dict) or "outcome" not in members:
        return msgspec.convert(members, Fault)
    named = RUN_TASK_OUTCOMES.get(members.pop("outcome"))
    if named is None:
        raise msgspec.ValidationError(f"outcome must be one of {', '.join(sorted(RUN_TASK_OUTCOMES))}")
    return msgspec.convert(msgspec.to_builtins(named) | members, Fault)
