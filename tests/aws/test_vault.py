"""Entries in Secrets Manager: on the embedded one where it can show the fact, scripted where it cannot."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from app.aws.connection import Connection, ConnectionConfig
from app.aws.limiter import Limiter
from app.aws.vault import SecretsManagerVault
from app.ports.failures import NotFound, PortFailure, Refused, Unavailable
from tests.aws.fakes import HANG_UP, Answer, AwsStub, an_error
from tests.local.fargate.clients import Far

PREFIX = "spillway/cluster-1/fargate-1a/"
NAME = f"{PREFIX}uid_7"
ARN = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:spillway/cluster-1/fargate-1a/uid_7-AbCdEf"
CONTENT = {"password": "hunter2", "grüße": "\n"}
EXISTS = an_error("ResourceExistsException", "The operation failed because the secret already exists.")
DOOMED = an_error("InvalidRequestException", "a secret with this name is already scheduled for deletion.")
GONE = an_error("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")


@pytest.fixture
async def far() -> AsyncIterator[Far]:
    far = Far(can_execute=lambda _: False, throttles=False)
    await far.start()
    yield far
    await far.stop()


@pytest.fixture
async def vault(
    far: Far, config: ConnectionConfig, limiter: Limiter, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[SecretsManagerVault]:
    """On the embedded Secrets Manager."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", far.url)
    connection = await Connection.open(config)
    yield SecretsManagerVault(connection, limiter=limiter, prefix=PREFIX)
    connection.close()


@pytest.fixture
def scripted(connection: Connection, limiter: Limiter) -> SecretsManagerVault:
    """On a stub that answers as the test says."""
    return SecretsManagerVault(connection, limiter=limiter, prefix=PREFIX)


async def entry(far: Far, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = await far.ask("secretsmanager", "describe_secret", SecretId=name)
    return found


async def test_what_is_kept_can_be_read_and_carries_our_tag(far: Far, vault: SecretsManagerVault) -> None:
    arn = await vault.keep(NAME, CONTENT)

    assert await vault.read(arn) == CONTENT
    assert (await entry(far, NAME))["Tags"] == [{"Key": "spillway:managed-by", "Value": "spillway"}]


async def test_keeping_again_finds_the_entry(vault: SecretsManagerVault) -> None:
    assert await vault.keep(NAME, CONTENT) == await vault.keep(NAME, CONTENT)


async def test_of_two_contents_under_one_name_the_first_is_kept(vault: SecretsManagerVault) -> None:
    first = await vault.keep(NAME, {"key": "one"})

    assert await vault.keep(NAME, {"key": "two"}) == first
    assert await vault.read(first) == {"key": "one"}


async def test_the_largest_content_fits_and_one_byte_more_is_refused_without_asking(
    vault: SecretsManagerVault,
) -> None:
    room = 65_536 - len('{"k":""}')

    await vault.keep(NAME, {"k": "x" * room})
    with pytest.raises(Refused, match="65537 bytes") as failure:
        await vault.keep(f"{NAME}_2", {"k": "x" * (room + 1)})
    assert "xxx" not in str(failure.value)


async def test_an_entry_whose_deletion_is_scheduled_is_called_back(
    far: Far, vault: SecretsManagerVault
) -> None:
    arn = await vault.keep(NAME, CONTENT)
    await far.ask("secretsmanager", "delete_secret", SecretId=NAME)

    assert await vault.keep(NAME, CONTENT) == arn
    assert await vault.read(arn) == CONTENT


async def test_everything_of_the_prefix_is_listed_and_nothing_else(
    far: Far, vault: SecretsManagerVault
) -> None:
    names = {f"{PREFIX}uid_{number}" for number in range(230)}
    for name in (*names, "spillway/cluster-1/fargate-2/uid_7", "spillway/cluster-1/seal-1", "production"):
        await far.ask("secretsmanager", "create_secret", Name=name, SecretString="{}")

    kept = await vault.kept()

    assert {each.name for each in kept} == names
    assert {each.created_at for each in kept} == {far.clock.now()}
    assert len(kept) == 230


async def test_what_is_forgotten_is_gone_at_once_and_may_be_kept_anew(vault: SecretsManagerVault) -> None:
    arn = await vault.keep(NAME, CONTENT)
    await vault.forget(arn)

    with pytest.raises(NotFound):
        await vault.read(arn)
    assert await vault.kept() == ()
    assert await vault.keep(NAME, {"key": "new"}) != arn


async def test_forgetting_twice_is_no_failure(vault: SecretsManagerVault) -> None:
    arn = await vault.keep(NAME, CONTENT)
    await vault.forget(arn)
    await vault.forget(arn)

    assert await vault.kept() == ()


async def test_a_lost_answer_is_repeated_with_the_same_token(
    aws: AwsStub, scripted: SecretsManagerVault
) -> None:
    aws.script("CreateSecret", HANG_UP, Answer({"ARN": ARN}))

    assert await scripted.keep(NAME, CONTENT) == ARN
    tokens = {each["ClientRequestToken"] for each in aws.asked("CreateSecret")}
    assert [len(token) for token in tokens] == [64]
    assert len(aws.asked("CreateSecret")) == 2


@pytest.mark.parametrize("answer", [pytest.param(EXISTS, id="exists"), pytest.param(DOOMED, id="doomed")])
async def test_an_entry_that_is_just_being_deleted_is_tried_again_later(
    aws: AwsStub, scripted: SecretsManagerVault, answer: Answer
) -> None:
    aws.script("CreateSecret", answer)
    aws.script("DescribeSecret", GONE)

    with pytest.raises(Unavailable, match="is being deleted"):
        await scripted.keep(NAME, CONTENT)


async def test_an_entry_that_is_being_deleted_counts_as_forgotten(
    aws: AwsStub, scripted: SecretsManagerVault
) -> None:
    aws.script("DeleteSecret", DOOMED)

    await scripted.forget(ARN)

    assert aws.asked("DeleteSecret") == [{"SecretId": ARN, "ForceDeleteWithoutRecovery": True}]


async def test_a_listing_whose_second_page_fails_fails_as_a_whole(
    aws: AwsStub, scripted: SecretsManagerVault
) -> None:
    page = {"SecretList": [{"Name": NAME, "ARN": ARN, "CreatedDate": 1767268800.0}], "NextToken": "2"}
    aws.script("ListSecrets", Answer(page), an_error("InternalServiceError", status=500))

    with pytest.raises(Unavailable):
        await scripted.kept()


async def test_a_listing_asks_for_our_names_only(aws: AwsStub, scripted: SecretsManagerVault) -> None:
    page = {"SecretList": [{"Name": NAME, "ARN": ARN, "CreatedDate": 1767268800.0}]}
    aws.script("ListSecrets", Answer(page))

    [kept] = await scripted.kept()

    assert kept.created_at == datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert aws.asked("ListSecrets") == [{"Filters": [{"Key": "name", "Values": [PREFIX]}], "MaxResults": 100}]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(an_error("AccessDeniedException", "not authorized"), Refused, id="permission"),
        pytest.param(an_error("LimitExceededException", "quota"), Refused, id="quota"),
        pytest.param(Answer({}), Unavailable, id="no ARN"),
    ],
)
async def test_failures_never_tell_the_content(
    aws: AwsStub, scripted: SecretsManagerVault, answer: Answer, kind: type[PortFailure]
) -> None:
    aws.script("CreateSecret", answer)

    with pytest.raises(kind) as failure:
        await scripted.keep(NAME, CONTENT)
    assert "hunter2" not in str(failure.value)


@pytest.mark.parametrize(
    "text", [pytest.param("hunter2", id="no JSON"), pytest.param('{"key":["hunter2"]}', id="no texts")]
)
async def test_an_entry_of_another_form_is_refused_without_its_content(
    aws: AwsStub, scripted: SecretsManagerVault, text: str
) -> None:
    aws.script("GetSecretValue", Answer({"ARN": ARN, "SecretString": text}))

    with pytest.raises(Refused, match="not a JSON object of texts") as failure:
        await scripted.read(ARN)
    assert "hunter2" not in str(failure.value)
    assert failure.value.__cause__ is None
