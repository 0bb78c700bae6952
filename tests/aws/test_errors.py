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
from app.ports.failures import NotFound, PortFailure, Refused, Throttled, Unavailable


def client_error(code: str, message: str, *, status: int = 400) -> ClientError:
    body = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(body, "RunTask")


@pytest.mark.parametrize(
    ("code", "message", "status", "kind"),
    [
        pytest.param("ThrottlingException", "Rate exceeded", 400, Throttled, id="throttled"),
        pytest.param("SlowDown", "", 429, Throttled, id="too many requests"),
        pytest.param(
            "ClientException",
            "Too many concurrent attempts to create a new revision of the specified family.",
            400,
            Throttled,
            id="revisions raced",
        ),
        pytest.param("InvalidParameterException", "Invalid subnet", 400, Refused, id="wrong parameter"),
        pytest.param("LimitExceededException", "", 400, Refused, id="limit"),
        pytest.param("ServerException", "Service Unavailable.", 500, Unavailable, id="server's fault"),
        pytest.param("SomethingNew", "", 503, Unavailable, id="unknown server error"),
        pytest.param("SomethingNew", "", 400, Refused, id="unknown client error"),
        pytest.param("ResourceNotFoundException", "no stream", 400, NotFound, id="no log stream"),
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


def test_no_failure_is_an_error_of_the_vendor() -> None:
    assert not issubclass(PortFailure, (BotoCoreError, ClientError))
