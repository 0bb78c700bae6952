"""Secrets Manager and Parameter Store as boto3 sees them."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from app.local.fargate.running.processes import host_has
from tests.local.fargate.clients import Far
from tests.local.fargate.fakes import Aws, Refusal

TOKEN = "0123456789abcdef0123456789abcdef"
OTHER_TOKEN = "fedcba9876543210fedcba9876543210"
ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:"
DAY = 86_400


@pytest.fixture
async def far() -> AsyncIterator[Far]:
    far = Far(can_execute=host_has, throttles=False)
    await far.start()
    yield far
    await far.stop()


async def ask(far: Far, operation: str, **params: Any) -> Any:
    return await far.ask("secretsmanager", operation, **params)


async def refusal(far: Far, operation: str, **params: Any) -> tuple[str, str]:
    """Code and message of an error."""
    with pytest.raises(ClientError) as caught:
        await ask(far, operation, **params)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


async def test_a_secret_is_found_by_its_name_and_by_its_arn_with_and_without_the_end(far: Far) -> None:
    created = await ask(far, "create_secret", Name="shop/db", SecretString="hunter2")
    assert created["ARN"].startswith(f"{ARN}shop/db-")
    for name in ("shop/db", created["ARN"], f"{ARN}shop/db"):
        found = await ask(far, "get_secret_value", SecretId=name)
        assert (found["SecretString"], found["VersionStages"]) == ("hunter2", ["AWSCURRENT"])


async def test_binary_secrets_come_back_as_they_were(far: Far) -> None:
    await ask(far, "create_secret", Name="key", SecretBinary=b"\x00\xff")
    assert (await ask(far, "get_secret_value", SecretId="key"))["SecretBinary"] == b"\x00\xff"


async def test_creating_again_with_the_same_token_and_value_answers_as_before(far: Far) -> None:
    request = {"Name": "db", "SecretString": "hunter2", "ClientRequestToken": TOKEN}
    first = await ask(far, "create_secret", **request)
    again = await ask(far, "create_secret", **request)
    assert (first["ARN"], first["VersionId"]) == (again["ARN"], again["VersionId"]) == (first["ARN"], TOKEN)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"ClientRequestToken": OTHER_TOKEN}, id="another token"),
        pytest.param({"SecretString": "other"}, id="another value"),
    ],
)
async def test_a_name_is_taken(far: Far, changes: dict[str, str]) -> None:
    request = {"Name": "db", "SecretString": "hunter2", "ClientRequestToken": TOKEN}
    await ask(far, "create_secret", **request)
    code, message = await refusal(far, "create_secret", **{**request, **changes})
    assert code == "ResourceExistsException"
    assert "already exists" in message


async def test_a_new_value_makes_the_old_one_the_previous_one(far: Far) -> None:
    await ask(far, "create_secret", Name="db", SecretString="one", ClientRequestToken=TOKEN)
    await ask(far, "put_secret_value", SecretId="db", SecretString="two", ClientRequestToken=OTHER_TOKEN)
    current = await ask(far, "get_secret_value", SecretId="db")
    previous = await ask(far, "get_secret_value", SecretId="db", VersionStage="AWSPREVIOUS")
    named = await ask(far, "get_secret_value", SecretId="db", VersionId=TOKEN)
    assert [each["SecretString"] for each in (current, previous, named)] == ["two", "one", "one"]
    described = await ask(far, "describe_secret", SecretId="db")
    assert described["VersionIdsToStages"] == {OTHER_TOKEN: ["AWSCURRENT"], TOKEN: ["AWSPREVIOUS"]}


async def test_a_token_stands_for_one_value(far: Far) -> None:
    await ask(far, "create_secret", Name="db", SecretString="one", ClientRequestToken=TOKEN)
    request = {"SecretId": "db", "ClientRequestToken": TOKEN}
    assert (await ask(far, "put_secret_value", SecretString="one", **request))["VersionId"] == TOKEN
    code, _ = await refusal(far, "put_secret_value", SecretString="two", **request)
    assert code == "ResourceExistsException"


async def test_a_description_has_tags_and_no_value(far: Far) -> None:
    tags = [{"Key": "pod", "Value": "web"}]
    await ask(far, "create_secret", Name="db", SecretString="hunter2", Tags=tags, Description="a database")
    described = await ask(far, "describe_secret", SecretId="db")
    assert (described["Tags"], described["Description"]) == (tags, "a database")
    assert "hunter2" not in str(described)


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        pytest.param([], ["shop/a", "shop/b", "other"], id="none"),
        pytest.param([{"Key": "name", "Values": ["shop/"]}], ["shop/a", "shop/b"], id="name"),
        pytest.param([{"Key": "name", "Values": ["Shop/"]}], [], id="name in another case"),
        pytest.param([{"Key": "name", "Values": ["!shop/"]}], ["other"], id="not this name"),
        pytest.param([{"Key": "tag-key", "Values": ["POD"]}], ["shop/b"], id="tag key"),
        pytest.param(
            [{"Key": "tag-value", "Values": ["we", "x"]}], ["shop/b"], id="one of several tag values"
        ),
        pytest.param([{"Key": "description", "Values": ["data"]}], ["other"], id="description"),
        pytest.param([{"Key": "all", "Values": ["b"]}], ["shop/b"], id="a word of anything"),
        pytest.param(
            [{"Key": "name", "Values": ["shop/"]}, {"Key": "tag-key", "Values": ["pod"]}],
            ["shop/b"],
            id="all filters",
        ),
    ],
)
async def test_a_listing_is_filtered(aws: Aws, filters: list[Any], names: list[str]) -> None:
    tags = [{"Key": "pod", "Value": "web"}]
    await aws.call("CreateSecret", Name="shop/a")
    await aws.call("CreateSecret", Name="shop/b", Tags=tags)
    await aws.call("CreateSecret", Name="other", Description="database")
    listed = await aws.call("ListSecrets", Filters=filters)
    assert [each["Name"] for each in listed["SecretList"]] == names


async def test_a_paginator_sees_every_secret_once(far: Far) -> None:
    for number in range(5):
        await ask(far, "create_secret", Name=f"s{number}", SecretString="x")
    pages = (
        far.client("secretsmanager").get_paginator("list_secrets").paginate(PaginationConfig={"PageSize": 2})
    )
    found = await asyncio.to_thread(lambda: [each["Name"] for page in pages for each in page["SecretList"]])
    assert found == [f"s{number}" for number in range(5)]


async def test_a_wrong_token_of_a_listing_is_refused(far: Far) -> None:
    code, _ = await refusal(far, "list_secrets", NextToken="AAAA")
    assert code == "InvalidNextTokenException"


async def test_a_deletion_is_scheduled_and_can_be_called_off(far: Far) -> None:
    await ask(far, "create_secret", Name="db", SecretString="hunter2")
    await ask(far, "delete_secret", SecretId="db", RecoveryWindowInDays=7)
    for operation, params in [
        ("get_secret_value", {"SecretId": "db"}),
        ("put_secret_value", {"SecretId": "db", "SecretString": "x"}),
        ("create_secret", {"Name": "db", "SecretString": "x"}),
        ("delete_secret", {"SecretId": "db"}),
    ]:
        code, _ = await refusal(far, operation, **params)
        assert code == "InvalidRequestException"
    assert (await ask(far, "list_secrets"))["SecretList"] == []
    planned = await ask(far, "list_secrets", IncludePlannedDeletion=True)
    assert [each["Name"] for each in planned["SecretList"]] == ["db"]
    await ask(far, "restore_secret", SecretId="db")
    assert (await ask(far, "get_secret_value", SecretId="db"))["SecretString"] == "hunter2"


async def test_a_scheduled_deletion_comes(far: Far) -> None:
    await ask(far, "create_secret", Name="db", SecretString="hunter2")
    await ask(far, "delete_secret", SecretId="db", RecoveryWindowInDays=7)
    await far.clock.advance(7 * DAY + 1)
    code, _ = await refusal(far, "describe_secret", SecretId="db")
    assert code == "ResourceNotFoundException"


async def test_a_forced_deletion_is_at_once_and_never_fails_for_want_of_a_secret(far: Far) -> None:
    await ask(far, "create_secret", Name="db", SecretString="one")
    await ask(far, "delete_secret", SecretId="db", ForceDeleteWithoutRecovery=True)
    await ask(far, "delete_secret", SecretId="db", ForceDeleteWithoutRecovery=True)
    await ask(far, "create_secret", Name="db", SecretString="two")
    assert (await ask(far, "get_secret_value", SecretId="db"))["SecretString"] == "two"


@pytest.mark.parametrize(
    ("operation", "params", "code"),
    [
        pytest.param("GetSecretValue", {"SecretId": "none"}, "ResourceNotFoundException", id="none"),
        pytest.param(
            "DescribeSecret", {"SecretId": "none"}, "ResourceNotFoundException", id="none to describe"
        ),
        pytest.param("DeleteSecret", {"SecretId": "none"}, "ResourceNotFoundException", id="none to delete"),
        pytest.param(
            "DeleteSecret",
            {"SecretId": "x", "RecoveryWindowInDays": 6},
            "InvalidParameterException",
            id="days",
        ),
        pytest.param(
            "DeleteSecret",
            {"SecretId": "x", "RecoveryWindowInDays": 7, "ForceDeleteWithoutRecovery": True},
            "InvalidParameterException",
            id="forced with days",
        ),
        pytest.param("CreateSecret", {"Name": "a b", "SecretString": "x"}, "ValidationException", id="name"),
        pytest.param(
            "CreateSecret", {"Name": "a", "SecretString": "x" * 65_537}, "ValidationException", id="too long"
        ),
        pytest.param(
            "CreateSecret",
            {"Name": "a", "SecretString": "é" * 32_769},
            "ValidationException",
            id="too many bytes",
        ),
        pytest.param(
            "CreateSecret",
            {"Name": "a", "SecretBinary": b64encode(b"x" * 65_537).decode()},
            "ValidationException",
            id="too long binary",
        ),
        pytest.param(
            "CreateSecret",
            {"Name": "a", "SecretString": "x", "SecretBinary": "eA=="},
            "InvalidParameterException",
            id="two values",
        ),
        pytest.param(
            "CreateSecret",
            {"Name": "a", "Tags": [{"Key": "k", "Value": "v"}, {"Key": "k", "Value": "w"}]},
            "InvalidParameterException",
            id="a tag twice",
        ),
        pytest.param("PutSecretValue", {"SecretId": "empty"}, "InvalidParameterException", id="no value"),
    ],
)
async def test_a_request_is_refused(aws: Aws, operation: str, params: dict[str, Any], code: str) -> None:
    await aws.call("CreateSecret", Name="empty")
    with pytest.raises(Refusal, match=f"^{code}: "):
        await aws.call(operation, **params)


async def test_a_secret_without_a_value_has_none_to_give(far: Far) -> None:
    await ask(far, "create_secret", Name="empty")
    code, message = await refusal(far, "get_secret_value", SecretId="empty")
    assert (code, "AWSCURRENT" in message) == ("ResourceNotFoundException", True)


async def test_secrets_managers_limits_hold() -> None:
    far = Far(can_execute=host_has, throttles=True)
    await far.start()
    for number in range(50):
        await ask(far, "create_secret", Name=f"s{number}")
    code, _ = await refusal(far, "create_secret", Name="one-too-many")
    await far.stop()
    assert code == "ThrottlingException"


async def test_parameters_are_put_read_and_deleted(far: Far) -> None:
    await far.ask("ssm", "put_parameter", Name="/shop/db", Value="hunter2", Type="SecureString")
    with pytest.raises(far.client("ssm").exceptions.ParameterAlreadyExists):
        await far.ask("ssm", "put_parameter", Name="/shop/db", Value="x")
    await far.ask("ssm", "put_parameter", Name="/shop/db", Value="hunter3", Overwrite=True)
    found = await far.ask("ssm", "get_parameters", Names=["/shop/db", "/none"], WithDecryption=True)
    assert [(each["Value"], each["Version"]) for each in found["Parameters"]] == [("hunter3", 2)]
    assert found["InvalidParameters"] == ["/none"]
    await far.ask("ssm", "delete_parameter", Name="/shop/db")
    with pytest.raises(far.client("ssm").exceptions.ParameterNotFound):
        await far.ask("ssm", "delete_parameter", Name="/shop/db")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"Name": "a", "SecretString": 420815}', id="no text"),
        pytest.param(b'{"Name": "a", "SecretString": ["420815"]}', id="a list"),
        pytest.param(b'{"Name": "a", "SecretString": "420815", "Nonsense": 1}', id="beside nonsense"),
        pytest.param(b'{"Name": "", "SecretString": "420815"}', id="beside an empty name"),
    ],
)
async def test_a_refused_request_does_not_repeat_the_value(aws: Aws, body: bytes) -> None:
    answer = await aws.fargate.api.handle("secretsmanager.CreateSecret", body)
    assert answer.status == 400
    assert b"420815" not in answer.body
    assert "420815" not in str(aws.journal.since())
