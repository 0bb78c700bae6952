"""What AWS's errors and RunTask's failures mean, as our own few failures. Pure.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/CommonErrors.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/api_failures_messages.html
"""

from collections.abc import Mapping, Sequence
from typing import Final

from botocore.exceptions import (
    ClientError,
    HTTPClientError,
    InvalidRegionError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
)

from app.model.setting import named
from app.model.wire import Json
from app.ports.failures import Conflict, NoCapacity, NotFound, PortFailure, Refused, Throttled, Unavailable

NO_CREDENTIALS: Final = (
    "no AWS credentials were found: give the pod's service account a role (IRSA or Pod Identity), "
    "or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
)

Kind = (
    type[NotFound] | type[Conflict] | type[NoCapacity] | type[Throttled] | type[Refused] | type[Unavailable]
)

_BY_CODE: Final[Mapping[str, Kind]] = {
    "ThrottlingException": Throttled,
    "Throttling": Throttled,
    "ThrottledException": Throttled,
    "RequestThrottled": Throttled,
    "RequestThrottledException": Throttled,
    "TooManyRequestsException": Throttled,
    "RequestLimitExceeded": Throttled,
    "ResourceNotFoundException": NotFound,
    "NoSuchResourceException": NotFound,
    # Of a session.
    "DoesNotExistException": NotFound,
    "ResourceExistsException": Conflict,
    "ServerException": Unavailable,
    "InternalFailure": Unavailable,
    "InternalServerError": Unavailable,
    "ServiceUnavailable": Unavailable,
    "ServiceUnavailableException": Unavailable,
    "RequestTimeout": Unavailable,
    # Who we are, not what we asked: renewed credentials or a corrected clock make the same call succeed.
    "ExpiredToken": Unavailable,
    "ExpiredTokenException": Unavailable,
    "RequestExpired": Unavailable,
    "UnrecognizedClientException": Unavailable,
    "InvalidSignatureException": Unavailable,
    "InvalidClientTokenId": Unavailable,
    "IncompleteSignature": Unavailable,
    "MissingAuthenticationToken": Unavailable,
}

_MORE_ADDRESSES: Final = f"give {named('bridge', 'subnets')} more subnets, or larger ones"

_BY_TEXT: Final[Sequence[tuple[str, Kind, str]]] = (
    ("capacity is unavailable", NoCapacity, ""),
    (
        "you can run concurrently",
        NoCapacity,
        "ask for more in Service Quotas (AWS Fargate: on-demand or Spot vCPU resource count)",
    ),
    # The quota of tasks in PROVISIONING state in one cluster.
    ("provisioning capacity limit exceeded", NoCapacity, ""),
    ("provisioning state", NoCapacity, ""),
    ("insufficientfreeaddresses", NoCapacity, _MORE_ADDRESSES),
    ("insufficient free addresses", NoCapacity, _MORE_ADDRESSES),
    ("enough free addresses", NoCapacity, _MORE_ADDRESSES),
    # EC2's throttles and failures while ECS looks subnets up, dressed as InvalidParameterException.
    ("rate exceeded", Throttled, ""),
    ("request limit exceeded", Throttled, ""),
    ("errorcode: throttling", Throttled, ""),
    ("errorcode: internalerror", Unavailable, ""),
    ("errorcode: unavailable", Unavailable, ""),
    ("too many concurrent attempts", Throttled, ""),
    (
        "service linked role",
        Unavailable,
        "create it: aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com",
    ),
    ("unable to describe task definition", NotFound, ""),
    ("taskdefinition is inactive", NotFound, ""),
    ("referenced task was not found", NotFound, ""),
    ("already scheduled for deletion", Conflict, ""),
    ("unable to assume the role", Refused, "let the role trust ecs-tasks.amazonaws.com"),
    (
        "capacity provider '",
        Refused,
        "give the cluster FARGATE_SPOT: aws ecs put-cluster-capacity-providers",
    ),
)

_LATEST_PLATFORM: Final = "set Fargate's platform version LATEST"

_MENDS: Final[Mapping[str, str]] = {
    "AccessDeniedException": "allow it in the policy of the bridge's role",
    "ClusterNotFoundException": f"create the ECS cluster, or name one in {named('bridge', 'ecs_cluster')}",
    "BlockedException": "ask AWS Support why the account is blocked",
    "UnsupportedFeatureException": "run the tasks in another region",
    "PlatformUnknownException": _LATEST_PLATFORM,
    "PlatformTaskDefinitionIncompatibilityException": _LATEST_PLATFORM,
    "ExpiredTokenException": "renew the AWS credentials",
    "ExpiredToken": "renew the AWS credentials",
    "UnrecognizedClientException": "check the AWS credentials",
    "InvalidClientTokenId": "check the AWS credentials, and that the account has the region enabled",
    "InvalidSignatureException": "check the AWS credentials and this machine's clock",
}

_PLACEMENT: Final = ("resource:", "agent", "attribute", "location", "empty capacity provider")


def failure_of(error: Exception) -> PortFailure:
    """What an exception of botocore means to the caller; the caller chains the original."""
    match error:
        case ClientError():
            return _answered(error)
        case NoRegionError() | InvalidRegionError() | ProfileNotFound() | PartialCredentialsError():
            return Refused(f"{error}; set AWS_REGION, AWS_PROFILE and the credentials to what exists")
        case ParamValidationError():
            return Refused(str(error))
        case NoCredentialsError():
            return Unavailable(NO_CREDENTIALS)
        case HTTPClientError():
            return Unavailable(f"AWS did not answer: {error}")
        case _:
            return Unavailable(f"the call to AWS could not be made or understood: {error}")


def code_of(failure: PortFailure) -> str:
    """AWS's own code for what `failure_of` has told; empty where AWS has not answered."""
    error = failure.__cause__
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def _answered(error: ClientError) -> PortFailure:
    answer: Mapping[str, Json] = error.response
    body = answer.get("Error", {})
    code, message = str(body.get("Code", "")), str(body.get("Message", ""))
    status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    said = f"{error.operation_name}: {code}: {message}"
    if code == "ConflictException":
        return Conflict(said, existing=tuple(answer.get("resourceIds", ())))
    known = _BY_CODE.get(code)
    if known is not None:
        return known(_with_mend(said, _MENDS.get(code, "")))
    return _by_text(said) or _by_status(status, _with_mend(said, _MENDS.get(code, "")))


def _by_status(status: int, said: str) -> PortFailure:
    if status == 429:  # noqa: PLR2004  (Too Many Requests)
        return Throttled(said)
    is_definite = 400 <= status < 500  # noqa: PLR2004  (a client error by RFC 9110)
    return Refused(said) if is_definite else Unavailable(said)


def launch_failure(failures: Sequence[Mapping[str, Json]]) -> PortFailure:
    """What RunTask means by answering 200 without a task.

    Its reasons are definite, so that one nobody knows is answered by going elsewhere: asking again with the
    same token would ask for the same subnet for ever.

    Args:
        failures: its `failures`, as `[{"reason": "Capacity is unavailable at this time. …"}]`.
    """
    texts = [": ".join(filter(None, (each.get("reason"), each.get("detail")))) for each in failures]
    if not any(texts):
        return Unavailable("RunTask: neither a task nor a failure in the answer")
    said = "RunTask: " + "; ".join(texts)
    known = _by_text(said)
    if known is not None:
        return known
    if any(text.lower().startswith(_PLACEMENT) for text in texts):
        return Refused(f"{said} (a reason of EC2 placement: check the cluster's capacity providers)")
    return NoCapacity(said)


def _by_text(said: str) -> PortFailure | None:
    plain = said.lower().replace("\u2019", "'")
    for words, kind, mend in _BY_TEXT:
        if words in plain:
            return kind(_with_mend(said, mend))
    return None


def _with_mend(said: str, mend: str) -> str:
    return f"{said} ({mend})" if mend else said
