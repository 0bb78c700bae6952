import pytest

from app.aws.connection import Connection
from app.aws.definitions import EcsDefinitions
from app.aws.limiter import Limiter
from app.model.task import Definition
from app.ports.failures import NotFound, Refused, Throttled, Unavailable
from tests.aws.fakes import HANG_UP, Answer, AwsStub, an_error

ARN = "arn:aws:ecs:eu-west-3:123456789012:task-definition/spillway-1:4"
BODY = {"containerDefinitions": [{"name": "main", "image": "app:1"}], "cpu": "256", "memory": "512"}
DEFINITION = Definition(family="spillway-1", body=BODY)


@pytest.fixture
def definitions(connection: Connection, limiter: Limiter) -> EcsDefinitions:
    return EcsDefinitions(connection, limiter=limiter)


async def test_the_active_revision_is_found_by_family(aws: AwsStub, definitions: EcsDefinitions) -> None:
    aws.script(
        "DescribeTaskDefinition", Answer({"taskDefinition": {"taskDefinitionArn": ARN, "status": "ACTIVE"}})
    )
    assert await definitions.find("spillway-1") == ARN
    assert aws.asked("DescribeTaskDefinition") == [{"taskDefinition": "spillway-1"}]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(
            an_error("ClientException", "Unable to describe task definition."), id="never registered"
        ),
        pytest.param(
            Answer({"taskDefinition": {"taskDefinitionArn": ARN, "status": "INACTIVE"}}), id="deregistered"
        ),
    ],
)
async def test_a_family_without_an_active_revision_is_not_found(
    aws: AwsStub, definitions: EcsDefinitions, answer: Answer
) -> None:
    aws.script("DescribeTaskDefinition", answer)
    with pytest.raises(NotFound):
        await definitions.find("spillway-1")


async def test_registering_sends_the_body_under_the_family_with_our_tag(
    aws: AwsStub, definitions: EcsDefinitions
) -> None:
    aws.script("RegisterTaskDefinition", Answer({"taskDefinition": {"taskDefinitionArn": ARN}}))
    assert await definitions.register(DEFINITION) == ARN
    tag = {"key": "spillway:managed-by", "value": "spillway"}
    assert aws.asked("RegisterTaskDefinition") == [{**BODY, "family": "spillway-1", "tags": [tag]}]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(
            an_error("ClientException", "No Fargate configuration exists for given values."),
            Refused,
            id="size",
        ),
        pytest.param(an_error("ThrottlingException"), Throttled, id="throttled"),
        pytest.param(HANG_UP, Unavailable, id="no answer"),
        pytest.param(Answer({"taskDefinition": {}}), Unavailable, id="no ARN"),
    ],
)
async def test_a_failed_registration_is_not_repeated(
    aws: AwsStub, definitions: EcsDefinitions, answer: Answer, kind: type[Exception]
) -> None:
    aws.script("RegisterTaskDefinition", answer)
    with pytest.raises(kind):
        await definitions.register(DEFINITION)
    assert len(aws.asked("RegisterTaskDefinition")) == 1
