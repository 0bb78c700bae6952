"""Secrets as containers get them."""

import json
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from app.local.fargate.running.processes import host_has
from tests.local.fargate.clients import Far
from tests.local.fargate.enclosed import sh
from tests.local.fargate.fakes import Aws, a_container

TOKEN = "0123456789abcdef0123456789abcdef"
OTHER_TOKEN = "fedcba9876543210fedcba9876543210"
ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:"


@pytest.fixture
async def far() -> AsyncIterator[Far]:
    far = Far(can_execute=host_has, throttles=False)
    await far.start()
    yield far
    await far.stop()


async def ask(far: Far, operation: str, **params: Any) -> Any:
    return await far.ask("secretsmanager", operation, **params)


async def test_a_container_gets_the_values_that_its_secrets_name(far: Far) -> None:
    document = json.dumps({"user": "shop", "port": 5432})
    created = await ask(far, "create_secret", Name="db", SecretString=document, ClientRequestToken=TOKEN)
    await ask(far, "put_secret_value", SecretId="db", SecretString="{}", ClientRequestToken=OTHER_TOKEN)
    await far.ask("ssm", "put_parameter", Name="/shop/db", Value="of ssm", Type="SecureString")
    arn = created["ARN"]
    secrets = [
        {"name": "WHOLE", "valueFrom": arn},
        {"name": "KEY", "valueFrom": f"{arn}:user:AWSPREVIOUS:"},
        {"name": "NUMBER", "valueFrom": f"{arn}:port::{TOKEN}"},
        {"name": "PARAMETER", "valueFrom": "/shop/db"},
        {"name": "BY_ARN", "valueFrom": "arn:aws:ssm:us-east-1:123456789012:parameter/shop/db"},
    ]
    script = 'echo "$WHOLE|$KEY|$NUMBER|$PARAMETER|$BY_ARN"'
    task = await far.run(sh(script, secrets=secrets))
    await far.reaches(task, "STOPPED")
    assert await far.lines(task) == ["{}|shop|5432|of ssm|of ssm"]


@pytest.mark.parametrize(
    ("value_from", "reason"),
    [
        pytest.param(
            f"{ARN}none-abcdef",
            "unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch "
            f"secret {ARN}none-abcdef from secrets manager: ResourceNotFoundException: Secrets Manager can't "
            "find the specified secret.",
            id="no secret",
        ),
        pytest.param(f"{ARN}db:user::", "did not contain json key user", id="no key"),
        pytest.param(f"{ARN}text:user::", "is not a JSON object", id="no JSON"),
        pytest.param(f"{ARN}db::AWSPREVIOUS:", "staging label: AWSPREVIOUS", id="no such label"),
        pytest.param(f"{ARN}binary", "holds no SecretString", id="binary"),
        pytest.param(f"{ARN}gone", "marked for deletion", id="deleted"),
        pytest.param(
            "/none", "from ssm: service call has been retried 1 time(s): invalid ssm", id="no parameter"
        ),
        pytest.param("arn:aws:ssm:us-east-1:000000000000:parameter/x", "invalid ssm", id="another account"),
    ],
)
async def test_a_secret_that_cannot_be_read_keeps_the_task_from_starting(
    aws: Aws, value_from: str, reason: str
) -> None:
    token = {"ClientRequestToken": TOKEN}
    await aws.call("CreateSecret", Name="db", SecretString='{"other": "hunter2"}', **token)
    await aws.call("CreateSecret", Name="text", SecretString="hunter2", **token)
    await aws.call("CreateSecret", Name="binary", SecretBinary=b64encode(b"hunter2").decode(), **token)
    await aws.call("CreateSecret", Name="gone", SecretString="hunter2", **token)
    await aws.call("DeleteSecret", SecretId="gone")
    secrets = [{"name": "PASSWORD", "valueFrom": value_from}]
    task = await aws.task(await aws.running(containerDefinitions=[a_container(secrets=secrets)]))
    assert (task["stopCode"], task["lastStatus"]) == ("TaskFailedToStart", "STOPPED")
    assert task["stoppedReason"].startswith(
        "ResourceInitializationError: unable to pull secrets or registry auth: "
        "execution resource retrieval failed: "
    )
    assert reason in task["stoppedReason"]
    assert "exitCode" not in task["containers"][0]
    assert "hunter2" not in str(task)


async def test_registry_credentials_are_looked_for_before_the_image_is(far: Far) -> None:
    good = await ask(far, "create_secret", Name="good", SecretString='{"username": "u", "password": "p"}')
    bad = await ask(far, "create_secret", Name="bad", SecretString='{"username": "u"}')
    stopped = []
    for arn in (good["ARN"], bad["ARN"], f"{ARN}none-abcdef"):
        task = await far.run(sh("true", repositoryCredentials={"credentialsParameter": arn}))
        stopped.append((await far.reaches(task, "STOPPED"))["stoppedReason"])
    assert stopped[0] == "Essential container in task exited"
    assert "unable to get registry auth from asm" in stopped[1]
    assert "username and password" in stopped[1]
    assert "asm fetching secret from the service" in stopped[2]


async def test_a_value_is_read_once_for_a_task(far: Far) -> None:
    created = await ask(far, "create_secret", Name="db", SecretString="one")
    secrets = [{"name": "PASSWORD", "valueFrom": created["ARN"]}]
    init = a_container("init", essential=False, entryPoint=["sh", "-c", "sleep 0.3"])
    after = [{"containerName": "init", "condition": "SUCCESS"}]
    task = await far.run(sh("echo $PASSWORD", secrets=secrets, dependsOn=after), init)
    await far.task(task)
    await ask(far, "put_secret_value", SecretId="db", SecretString="two")
    await far.reaches(task, "STOPPED")
    assert await far.lines(task) == ["one"]


async def test_a_value_shows_nowhere_but_in_the_container(far: Far) -> None:
    created = await ask(far, "create_secret", Name="db", SecretString="hunter2")
    with pytest.raises(ClientError):
        await ask(far, "put_secret_value", SecretId="none", SecretString="hunter2")
    secrets = [{"name": "PASSWORD", "valueFrom": created["ARN"]}]
    task = await far.run(sh("sleep 60", secrets=secrets, user="0"))
    await far.reaches(task, "RUNNING")
    definition = await far.ask("ecs", "describe_task_definition", taskDefinition="web")
    seen = (await far.task(task), definition, far.fargate.journal.since(), far.fargate.state())
    record = next(iter(far.fargate._lifecycle.tasks.values()))
    assert record.containers["main"].secrets == {"PASSWORD": "hunter2"}
    assert "hunter2" not in str(seen) + str(record) + str(await far.page("/_spillway/journal"))
    await far.ask("ecs", "stop_task", cluster="spillway", task=task)
