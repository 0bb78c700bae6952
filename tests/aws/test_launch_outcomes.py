"""Every way in which RunTask is known to fail, and what the bridge has to do about it.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/api_failures_messages.html
"""

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, NoCredentialsError, ReadTimeoutError

from app.aws import errors
from app.ports.failures import Conflict, NoCapacity, NotFound, PortFailure, Refused, Throttled, Unavailable

SLOWER_SAME_TOKEN = Throttled
SAME_TOKEN = Unavailable
ELSEWHERE = NoCapacity
"""The next attempt: in another subnet, on demand in place of Spot, in the end back to the scheduler."""
NEW_DEFINITION = NotFound
TOLD = Refused
"""Final for this attempt: the pod and an Event say why."""
ADOPT = Conflict

CAPACITY = "Capacity is unavailable at this time. Please try again later or in a different availability zone"
CURLY = "You\u2019ve reached the limit on the number of vCPUs you can run concurrently"
STRAIGHT = "You've reached the limit on the number of vCPUs you can run concurrently"
TASKS = "You\u2019ve reached the limit on the number of tasks you can run concurrently"
PROVISIONING = "Tasks provisioning capacity limit exceeded."
SUBNET = "Error retrieving subnet information for [subnet-1]: "
GROUPS = "Error retrieving security group information for [sg-1]: "
NO_ADDRESS = "The specified subnet does not have enough free addresses to satisfy the request."
PASS_ROLE = "User: bridge is not authorized to perform: iam:PassRole on resource: arn:aws:iam::1:role/app"
TRUST = "ECS was unable to assume the role 'arn:aws:iam::1:role/app' that was provided for this task."


@pytest.mark.parametrize(
    ("reason", "meaning"),
    [
        pytest.param(CAPACITY, ELSEWHERE, id="capacity"),
        pytest.param(CURLY, ELSEWHERE, id="vCPUs-curly"),
        pytest.param(STRAIGHT, ELSEWHERE, id="vCPUs-straight"),
        pytest.param(TASKS, ELSEWHERE, id="tasks-at-once"),
        pytest.param(PROVISIONING, ELSEWHERE, id="provisioning"),
        pytest.param("InsufficientFreeAddressesInSubnet", ELSEWHERE, id="addresses"),
        pytest.param("Something new", ELSEWHERE, id="a-reason-nobody-knows"),
        pytest.param("Rate exceeded", SLOWER_SAME_TOKEN, id="throttle"),
        pytest.param("RESOURCE:CPU", TOLD, id="RESOURCE:CPU"),
        pytest.param("RESOURCE:MEMORY", TOLD, id="RESOURCE:MEMORY"),
        pytest.param("RESOURCE:ENI", TOLD, id="RESOURCE:ENI"),
        pytest.param("RESOURCE:PORTS", TOLD, id="RESOURCE:PORTS"),
        pytest.param("AGENT", TOLD, id="AGENT"),
        pytest.param("ATTRIBUTE", TOLD, id="ATTRIBUTE"),
        pytest.param("LOCATION", TOLD, id="LOCATION"),
        pytest.param("EMPTY CAPACITY PROVIDER", TOLD, id="EMPTY-CAPACITY-PROVIDER"),
    ],
)
def test_a_reason_in_place_of_a_task_is_definite(reason: str, meaning: type[PortFailure]) -> None:
    failure = errors.launch_failure([{"arn": None, "reason": reason}])
    assert type(failure) is meaning
    assert reason in str(failure)


def test_an_answer_with_neither_task_nor_reason_is_asked_for_again() -> None:
    assert type(errors.launch_failure([])) is SAME_TOKEN


@pytest.mark.parametrize(
    ("code", "message", "meaning"),
    [
        pytest.param("ThrottlingException", "Rate exceeded", SLOWER_SAME_TOKEN, id="throttled"),
        pytest.param(
            "InvalidParameterException",
            f"{SUBNET}Rate exceeded (ErrorCode: Throttling)",
            SLOWER_SAME_TOKEN,
            id="EC2-throttles-subnets",
        ),
        pytest.param(
            "InvalidParameterException",
            f"{GROUPS}Request limit exceeded. (ErrorCode: RequestLimitExceeded)",
            SLOWER_SAME_TOKEN,
            id="EC2-throttles-groups",
        ),
        pytest.param(
            "InvalidParameterException",
            f"{SUBNET}An internal error has occurred (ErrorCode: InternalError)",
            SAME_TOKEN,
            id="EC2-fails",
        ),
        pytest.param(
            "InvalidParameterException",
            f"{SUBNET}The service is unavailable (ErrorCode: Unavailable)",
            SAME_TOKEN,
            id="EC2-away",
        ),
        pytest.param("ServerException", "Service Unavailable. Please try again later.", SAME_TOKEN, id="5xx"),
        pytest.param(
            "InvalidParameterException",
            "Unable to assume the service linked role. Please verify that it exists.",
            SAME_TOKEN,
            id="new-account",
        ),
        pytest.param("ExpiredTokenException", "The security token is expired", SAME_TOKEN, id="expired"),
        pytest.param("UnrecognizedClientException", "The token is invalid", SAME_TOKEN, id="unknown-key"),
        pytest.param("InvalidSignatureException", "Signature not yet current", SAME_TOKEN, id="clock"),
        pytest.param("ClientException", CAPACITY, ELSEWHERE, id="capacity"),
        pytest.param("ClientException", CURLY, ELSEWHERE, id="vCPUs-curly"),
        pytest.param("ClientException", STRAIGHT, ELSEWHERE, id="vCPUs-straight"),
        pytest.param("ClientException", PROVISIONING, ELSEWHERE, id="provisioning"),
        pytest.param("InvalidParameterException", NO_ADDRESS, ELSEWHERE, id="addresses-in-words"),
        pytest.param(
            "InvalidParameterException",
            f"{SUBNET}none (ErrorCode: InsufficientFreeAddressesInSubnet)",
            ELSEWHERE,
            id="addresses-by-code",
        ),
        pytest.param(
            "ClientException", "insufficient free addresses in subnet-1", ELSEWHERE, id="addresses-short"
        ),
        pytest.param("ClientException", "TaskDefinition is inactive", NEW_DEFINITION, id="inactive"),
        pytest.param(
            "ClientException", "Unable to describe task definition.", NEW_DEFINITION, id="no-definition"
        ),
        pytest.param("ClientException", PASS_ROLE, TOLD, id="role-not-passable"),
        pytest.param("ClientException", TRUST, TOLD, id="role-not-trusting"),
        pytest.param(
            "ClientException", "No Fargate configuration exists for given values.", TOLD, id="no-such-size"
        ),
        pytest.param("AccessDeniedException", PASS_ROLE, TOLD, id="denied"),
        pytest.param("BlockedException", "Your AWS account was blocked.", TOLD, id="blocked"),
        pytest.param("ClusterNotFoundException", "Cluster not found.", TOLD, id="no-cluster"),
        pytest.param("UnsupportedFeatureException", "Not in this Region.", TOLD, id="unsupported"),
        pytest.param("PlatformUnknownException", "No such platform version.", TOLD, id="unknown-platform"),
        pytest.param(
            "PlatformTaskDefinitionIncompatibilityException", "Not on 1.3.0.", TOLD, id="other-platform"
        ),
        pytest.param(
            "InvalidParameterException",
            "The specified capacity provider 'FARGATE_SPOT' was not found.",
            TOLD,
            id="no-spot-provider",
        ),
        pytest.param(
            "InvalidParameterException",
            f"{SUBNET}The subnet ID 'subnet-1' does not exist (ErrorCode: InvalidSubnetID.NotFound)",
            TOLD,
            id="no-subnet",
        ),
        pytest.param("LimitExceededException", "Too many.", TOLD, id="limit"),
    ],
)
def test_an_error_of_a_launch_says_what_to_do(code: str, message: str, meaning: type[PortFailure]) -> None:
    failure = errors.failure_of(_answered(code, message))
    assert type(failure) is meaning
    assert f"{code}: {message}" in str(failure)


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(ReadTimeoutError(endpoint_url="https://ecs"), id="timeout"),
        pytest.param(ConnectionClosedError(endpoint_url="https://ecs"), id="connection-closed"),
        pytest.param(NoCredentialsError(), id="credentials-gone"),
    ],
)
def test_a_launch_without_an_answer_is_asked_for_again(error: Exception) -> None:
    assert type(errors.failure_of(error)) is SAME_TOKEN


@pytest.mark.parametrize(
    "existing",
    [pytest.param(("arn:task/1", "arn:task/2"), id="named"), pytest.param((), id="not-named")],
)
def test_a_token_that_was_used_otherwise_leads_to_what_it_launched(existing: tuple[str, ...]) -> None:
    error = _answered("ConflictException", "The clientToken is in use.")
    error.response["resourceIds"] = list(existing)
    failure = errors.failure_of(error)
    assert type(failure) is ADOPT
    assert failure.existing == existing


def test_a_conflict_that_says_nothing_of_tasks_names_none() -> None:
    failure = errors.failure_of(_answered("ConflictException", "The clientToken is in use."))
    assert isinstance(failure, Conflict)
    assert failure.existing == ()


@pytest.mark.parametrize(
    ("code", "message", "mend"),
    [
        pytest.param("AccessDeniedException", PASS_ROLE, "policy of the bridge's role", id="denied"),
        pytest.param("ClusterNotFoundException", "", "create the ECS cluster", id="no-cluster"),
        pytest.param("BlockedException", "", "AWS Support", id="blocked"),
        pytest.param("UnsupportedFeatureException", "", "another region", id="unsupported"),
        pytest.param("PlatformUnknownException", "", "platform version LATEST", id="unknown-platform"),
        pytest.param(
            "PlatformTaskDefinitionIncompatibilityException", "", "platform version LATEST", id="platform"
        ),
        pytest.param("ClientException", CURLY, "Service Quotas", id="vCPUs"),
        pytest.param("ClientException", NO_ADDRESS, "more subnets, or larger ones", id="addresses"),
        pytest.param("ClientException", TRUST, "ecs-tasks.amazonaws.com", id="role-not-trusting"),
        pytest.param(
            "InvalidParameterException",
            "The specified capacity provider 'FARGATE_SPOT' was not found.",
            "put-cluster-capacity-providers",
            id="no-spot-provider",
        ),
        pytest.param(
            "InvalidParameterException",
            "Unable to assume the service linked role",
            "create-service-linked-role",
            id="new-account",
        ),
    ],
)
def test_the_mend_is_named(code: str, message: str, mend: str) -> None:
    assert mend in str(errors.failure_of(_answered(code, message)))


def _answered(code: str, message: str) -> ClientError:
    body = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return ClientError(body, "RunTask")
