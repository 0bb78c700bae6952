import asyncio
from pathlib import Path

import msgspec
import pytest

from app.aws.connection import Connection, ConnectionConfig
from app.ports.failures import Refused, Unavailable
from tests.aws.fakes import Answer, AwsStub


@pytest.fixture
def nothing_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


async def test_without_a_region_the_mend_is_named(nothing_configured: None) -> None:
    with pytest.raises(Refused, match="AWS_REGION"):
        await Connection.open(ConnectionConfig())


async def test_without_credentials_the_mend_is_named(nothing_configured: None) -> None:
    with pytest.raises(Refused, match="AWS_ACCESS_KEY_ID"):
        await Connection.open(ConnectionConfig(region="eu-west-3"))


async def test_an_unknown_profile_is_refused_by_name(
    nothing_configured: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(Refused, match="nobody"):
        await Connection.open(ConnectionConfig(region="eu-west-3"))


async def test_endpoint_and_region_come_from_the_environment(
    nothing_configured: None, aws: AwsStub, config: ConnectionConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    aws.script("ListTasks", Answer({"taskArns": []}))
    connection = await Connection.open(msgspec.structs.replace(config, region=""))
    await connection.control.call("list_tasks")
    connection.close()
    assert connection.region == "us-west-2"
    assert len(aws.asked("ListTasks")) == 1


async def test_the_region_is_the_one_that_eks_and_other_sdks_name(
    nothing_configured: None, config: ConnectionConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")

    connection = await Connection.open(msgspec.structs.replace(config, region=""))
    connection.close()

    assert connection.region == "eu-west-1"


async def test_an_answer_that_is_no_answer_of_aws_is_none(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = b"<!doctype html><title>502 Bad Gateway</title>"

    async def garbled(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 502 Bad Gateway\r\nContent-Length: {len(page)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + page)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(garbled, "127.0.0.1", 0)
    monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    async with server, connection.borrowed("iam") as iam:
        with pytest.raises(Unavailable, match="could not be made or understood"):
            await iam.call("get_role", RoleName="spillway-bridge")


async def test_a_proxy_is_not_asked_for_this_machines_own_loopback(
    aws: AwsStub, config: ConnectionConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    aws.script("ListTasks", Answer({"taskArns": []}))
    connection = await Connection.open(config)
    await connection.control.call("list_tasks")
    connection.close()
    assert len(aws.asked("ListTasks")) == 1


async def test_a_client_of_another_service_is_built_once_for_each_region(
    connection: Connection,
) -> None:
    first, again, other = (
        await connection.channel("secretsmanager"),
        await connection.channel("secretsmanager", region="eu-west-3"),
        await connection.channel("secretsmanager", region="us-east-1"),
    )

    assert first is again
    assert first is not other


async def test_clients_of_other_services_are_closed_with_the_rest(
    aws: AwsStub, connection: Connection
) -> None:
    channel = await connection.channel("ecr")
    connection.close()

    with pytest.raises(Unavailable, match="closed"):
        await channel.call("get_authorization_token")
    assert aws.requests == []
