import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)

from app.aws import errors
from app.ports.failures import Conflict, NoCapacity, NotFound, PortFailure, Refused, Throttled, Unavailable


def client_error(code: str, message: str, *, status: int = 400) -> ClientError:
    body = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(body, "RunTask")


CAPACITY = "Capacity is unavailable at this time. Please try again later or in a different availability zone"
VCPUS = "You\u2019ve reached the limit on the number of vCPUs you can run concurrently"


@pytest.mark.parametrize(
    ("code", "message", "status", "kind"),
    [
        pytest.param("ThrottlingException", "Rate exceeded", 400, Throttled, id="throttled"),
        pytest.param("SlowDown", "", 429, Throttled, id="too many requests"),
        pytest.param(
            "InvalidParameterException",
            "Error retrieving subnet information for [subnet-1]: Rate exceeded (ErrorCode: Throttling)",
            400,
            Throttled,
            id="EC2's throttle in disguise",
        ),
        pytest.param("ClientException", CAPACITY, 400, NoCapacity, id="capacity as exception"),
        pytest.param("ClientException", VCPUS, 400, NoCapacity, id="vCPU limit, curly apostrophe"),
        pytest.param(
            "ClientException", VCPUS.replace("\u2019", "'"), 400, NoCapacity, id="vCPU limit, straight one"
        ),
        pytest.param(
            "ClientException", "TaskDefinition is inactive", 400, NotFound, id="inactive definition"
        ),
        pytest.param(
            "ClientException",
            "Too many concurrent attempts to create a new revision of the specified family.",
            400,
            Throttled,
            id="revisions raced",
        ),
        pytest.param("InvalidParameterException", "Invalid subnet", 400, Refused, id="wrong parameter"),
        pytest.param(
            "InvalidParameterException",
            "Unable to assume the service linked role.",
            400,
            Unavailable,
            id="service-linked role on its way",
        ),
        pytest.param("AccessDeniedException", "not authorized: ecs:RunTask", 400, Refused, id="denied"),
        pytest.param("BlockedException", "Your account was blocked", 400, Refused, id="blocked"),
        pytest.param("ClusterNotFoundException", "Cluster not found.", 400, Refused, id="no cluster"),
        pytest.param("UnsupportedFeatureException", "", 400, Refused, id="unsupported"),
        pytest.param("LimitExceededException", "", 400, Refused, id="limit"),
        pytest.param("ServerException", "Service Unavailable.", 500, Unavailable, id="server's fault"),
        pytest.param("SomethingNew", "", 503, Unavailable, id="unknown server error"),
        pytest.param("SomethingNew", "", 400, Refused, id="unknown client error"),
        pytest.param("ExpiredTokenException", "expired", 400, Unavailable, id="expired credentials"),
        pytest.param("InvalidSignatureException", "not yet", 403, Unavailable, id="clock skew"),
        pytest.param("ResourceNotFoundException", "no stream", 400, NotFound, id="no log stream"),
        pytest.param(
            "ClientException", "Unable to describe task definition.", 400, NotFound, id="no definition"
        ),
        pytest.param(
            "InvalidParameterException", "The referenced task was not found.", 400, NotFound, id="no task"
        ),
    ],
)
def test_an_answered_error_becomes_what_the_caller_does_about_it(
    code: str, message: str, status: int, kind: type[PortFailure]
) -> None:
    failure = errors.failure_of(client_error(code, message, status=status))
    assert type(failure) is kind
    assert code in str(failure)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        pytest.param(ReadTimeoutError(endpoint_url="http://ecs"), Unavailable, id="read timeout"),
        pytest.param(ConnectTimeoutError(endpoint_url="http://ecs"), Unavailable, id="connect timeout"),
        pytest.param(EndpointConnectionError(endpoint_url="http://ecs"), Unavailable, id="no connection"),
        pytest.param(NoCredentialsError(), Unavailable, id="credentials vanished"),
        pytest.param(ParamValidationError(report="count"), Refused, id="botocore refuses the request"),
        pytest.param(BotoCoreError(), Unavailable, id="anything else of botocore"),
    ],
)
def test_an_unanswered_call_is_unavailable_unless_it_was_never_made(
    error: Exception, kind: type[PortFailure]
) -> None:
    assert type(errors.failure_of(error)) is kind


def test_a_conflict_names_the_tasks_that_the_token_launched() -> None:
    error = client_error("ConflictException", "token used")
    error.response["resourceIds"] = ["arn:1"]
    failure = errors.failure_of(error)
    assert isinstance(failure, Conflict)
    assert failure.existing == ("arn:1",)


@pytest.mark.parametrize(
    ("reasons", "kind"),
    [
        pytest.param([CAPACITY], NoCapacity, id="capacity"),
        pytest.param([VCPUS], NoCapacity, id="vCPU limit"),
        pytest.param(["Rate exceeded"], Throttled, id="throttle in disguise"),
        pytest.param(["RESOURCE:MEMORY"], Refused, id="EC2 memory"),
        pytest.param(["AGENT"], Refused, id="EC2 agent"),
        pytest.param(["EMPTY CAPACITY PROVIDER"], Refused, id="no provider"),
        pytest.param(["something new"], Unavailable, id="unknown"),
        pytest.param([], Unavailable, id="nothing at all"),
    ],
)
def test_a_launch_without_a_task_says_why(reasons: list[str], kind: type[PortFailure]) -> None:
    failure = errors.launch_failure([{"arn": None, "reason": reason} for reason in reasons])
    assert type(failure) is kind
    assert all(reason in str(failure) for reason in reasons)


@pytest.mark.parametrize(
    ("code", "message", "mend"),
    [
        pytest.param("AccessDeniedException", "", "policy", id="denied"),
        pytest.param("ClusterNotFoundException", "", "create the ECS cluster", id="no cluster"),
        pytest.param("ClientException", VCPUS, "Service Quotas", id="vCPU limit"),
        pytest.param(
            "InvalidParameterException",
            "Unable to assume the service linked role",
            "create-service-linked-role",
            id="service-linked role",
        ),
    ],
)
def test_what_people_can_mend_is_named(code: str, message: str, mend: str) -> None:
    assert mend in str(errors.failure_of(client_error(code, message)))


def test_no_failure_is_an_error_of_the_vendor() -> None:
    assert not issubclass(PortFailure, (BotoCoreError, ClientError))
