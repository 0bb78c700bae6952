"""EKS Pod Identity: the role of a service account."""

import pytest
from structlog.testing import capture_logs

from app.aws.connection import Connection
from app.aws.limiter import Limiter
from app.aws.roles import PodIdentityRoles
from app.ports.failures import NotFound, PortFailure, Refused, Unavailable
from tests.aws.fakes import HANG_UP, Answer, AwsStub, an_error

LIST = "GET /clusters/prod/pod-identity-associations"
DESCRIBE = f"{LIST}/a-1"
ROLE = "arn:aws:iam::123456789012:role/shop"


def an_association(namespace: str = "shop", account: str = "web") -> dict[str, str]:
    return {"clusterName": "prod", "namespace": namespace, "serviceAccount": account, "associationId": "a-1"}


@pytest.fixture
def roles(connection: Connection, limiter: Limiter) -> PodIdentityRoles:
    return PodIdentityRoles(connection, limiter=limiter, cluster="prod")


async def test_the_role_is_found_by_namespace_and_account(aws: AwsStub, roles: PodIdentityRoles) -> None:
    aws.script(LIST, Answer({"associations": [an_association()]}))
    aws.script(DESCRIBE, Answer({"association": {**an_association(), "roleArn": ROLE}}))

    assert await roles.role_of("shop", "web") == ROLE
    assert aws.asked(LIST) == [{"namespace": "shop", "serviceAccount": "web"}]


@pytest.mark.parametrize(
    "listed",
    [
        pytest.param([], id="none"),
        pytest.param([an_association(account="other")], id="another account's"),
        pytest.param([an_association(namespace="other")], id="another namespace's"),
    ],
)
async def test_an_account_without_an_association_has_no_role(
    aws: AwsStub, roles: PodIdentityRoles, listed: list[dict[str, str]]
) -> None:
    aws.script(LIST, Answer({"associations": listed}))

    assert await roles.role_of("shop", "web") == ""


async def test_an_association_that_was_removed_meanwhile_gives_no_role(
    aws: AwsStub, roles: PodIdentityRoles
) -> None:
    aws.script(LIST, Answer({"associations": [an_association()]}))
    aws.script(DESCRIBE, an_error("ResourceNotFoundException", status=404))

    assert await roles.role_of("shop", "web") == ""


async def test_a_target_role_is_told_of_and_not_taken(aws: AwsStub, roles: PodIdentityRoles) -> None:
    target = {"targetRoleArn": "arn:aws:iam::999999999999:role/other"}
    aws.script(LIST, Answer({"associations": [an_association()]}))
    aws.script(DESCRIBE, Answer({"association": {**an_association(), "roleArn": ROLE, **target}}))

    with capture_logs() as told:
        assert await roles.role_of("shop", "web") == ROLE
    assert "not its target role" in told[0]["event"]


async def test_without_a_cluster_nobody_is_asked(
    aws: AwsStub, connection: Connection, limiter: Limiter
) -> None:
    assert await PodIdentityRoles(connection, limiter=limiter, cluster="").role_of("shop", "web") == ""
    assert aws.requests == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(
            an_error("ResourceNotFoundException", "No cluster found", status=404), NotFound, id="cluster"
        ),
        pytest.param(an_error("AccessDeniedException", "no", status=403), Refused, id="permission"),
        pytest.param(HANG_UP, Unavailable, id="no answer"),
    ],
)
async def test_failures_are_ours(
    aws: AwsStub, roles: PodIdentityRoles, answer: Answer, kind: type[PortFailure]
) -> None:
    aws.script(LIST, answer)

    with pytest.raises(kind):
        await roles.role_of("shop", "web")
