"""What boto3, which knows nothing of us, makes of the embedded Fargate."""

import asyncio
import itertools
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import boto3  # type: ignore[import-untyped]  # it ships no types
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from app.local.fargate.config import FargateConfig, Pace
from app.local.fargate.embedded import EmbeddedFargate
from tests.fakes import VirtualClock
from tests.local.fargate.fakes import CLUSTER, GROUP, a_container, a_definition, a_launch

if TYPE_CHECKING:
    from types_boto3_ecs import ECSClient
    from types_boto3_logs import CloudWatchLogsClient

AT_ONCE = Pace(
    provisioning=0, pending=0, activating=0, deactivating=0, deprovisioning=0, visible_after=0, logged_after=0
)


class Remote:
    """The embedded Fargate as a client sees it."""

    def __init__(self, fargate: EmbeddedFargate, url: str) -> None:
        options: dict[str, Any] = {
            "endpoint_url": url,
            "region_name": "us-east-1",
            "aws_access_key_id": "local",
            "aws_secret_access_key": "local",
            "config": Config(retries={"total_max_attempts": 1}),
        }
        self.url = url
        self.fargate = fargate
        self.ecs: ECSClient = boto3.client("ecs", **options)
        self.logs: CloudWatchLogsClient = boto3.client("logs", **options)

    def close(self) -> None:
        self.ecs.close()
        self.logs.close()

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON of the control endpoint's answer."""
        return await asyncio.to_thread(self._ask, method, path, body)

    def _ask(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)  # noqa: S310  (loopback)
        try:
            with urllib.request.urlopen(request) as answer:  # noqa: S310  (loopback)
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())


@pytest.fixture
async def remote() -> AsyncIterator[Remote]:
    numbers = itertools.count(1)
    fargate = EmbeddedFargate(
        FargateConfig(pace=AT_ONCE, simulate_all=True),
        clock=VirtualClock(),
        ids=lambda: f"{next(numbers):032x}",
    )
    remote = Remote(fargate, await fargate.start())
    yield remote
    remote.close()
    await fargate.stop()


async def launch(remote: Remote, **changes: Any) -> Any:
    """Register and run a task; RunTask's answer."""
    definition = a_definition(containerDefinitions=[a_container(script={"log": ["hello"]})])
    await asyncio.to_thread(remote.ecs.register_task_definition, **definition)
    return await asyncio.to_thread(remote.ecs.run_task, **a_launch(**changes))


async def test_a_task_runs_logs_and_stops(remote: Remote) -> None:
    answer = await launch(remote)
    arn = answer["tasks"][0]["taskArn"]
    described = await asyncio.to_thread(remote.ecs.describe_tasks, cluster=CLUSTER, tasks=[arn])
    assert described["tasks"][0]["lastStatus"] == "RUNNING"
    assert isinstance(described["tasks"][0]["createdAt"], datetime)
    page = await asyncio.to_thread(
        remote.logs.get_log_events,
        logGroupName=GROUP,
        logStreamName=f"pods/main/{arn.rsplit('/', 1)[-1]}",
        startFromHead=True,
    )
    assert [each["message"] for each in page["events"]] == ["hello"]
    await asyncio.to_thread(remote.ecs.stop_task, cluster=CLUSTER, task=arn)
    stopped = await asyncio.to_thread(remote.ecs.describe_tasks, cluster=CLUSTER, tasks=[arn])
    assert stopped["tasks"][0]["stopCode"] == "UserInitiated"


async def test_a_client_that_goes_away_in_the_middle_of_its_request_has_asked_nothing(
    remote: Remote, caplog: pytest.LogCaptureFixture
) -> None:
    host, _, port = remote.url.removeprefix("http://").partition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"POST / HTTP/1.1\r\nHost: local\r\nContent-Length: 100\r\n\r\n{")
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await remote.ask("GET", "/_spillway/state"))[0] == 200
    assert remote.fargate.journal.since() == []
    assert caplog.records == []


async def test_every_answer_has_a_request_id(remote: Remote) -> None:
    answer = await asyncio.to_thread(remote.ecs.describe_clusters)
    assert answer["ResponseMetadata"]["RequestId"]


async def test_errors_become_the_clients_own_exceptions(remote: Remote) -> None:
    with pytest.raises(remote.ecs.exceptions.ClusterNotFoundException):
        await asyncio.to_thread(remote.ecs.list_tasks, cluster="nowhere")
    with pytest.raises(remote.logs.exceptions.ResourceNotFoundException):
        await asyncio.to_thread(remote.logs.get_log_events, logGroupName="/none", logStreamName="s")


async def test_a_conflict_carries_the_existing_arns(remote: Remote) -> None:
    answer = await launch(remote, clientToken="t")
    with pytest.raises(remote.ecs.exceptions.ConflictException) as conflict:
        await asyncio.to_thread(remote.ecs.run_task, **a_launch(clientToken="t", startedBy="other"))
    response: Any = conflict.value.response
    assert response["resourceIds"] == [answer["tasks"][0]["taskArn"]]
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400


async def test_a_paginator_sees_every_task(remote: Remote) -> None:
    await launch(remote, count=5)
    pages = remote.ecs.get_paginator("list_tasks").paginate(cluster=CLUSTER, PaginationConfig={"PageSize": 2})
    found = await asyncio.to_thread(lambda: [arn for page in pages for arn in page["taskArns"]])
    assert len(set(found)) == 5


async def test_a_throttled_client_is_told_in_aws_words(remote: Remote) -> None:
    def register() -> None:
        for _ in range(21):
            remote.ecs.register_task_definition(**a_definition())

    with pytest.raises(ClientError, match=r"ThrottlingException.*Rate exceeded"):
        await asyncio.to_thread(register)


async def test_an_operation_that_is_not_there_is_refused_and_the_next_is_served(remote: Remote) -> None:
    with pytest.raises(ClientError, match="UnsupportedFeatureException"):
        await asyncio.to_thread(remote.ecs.list_services, cluster=CLUSTER)
    assert await asyncio.to_thread(remote.ecs.list_tasks, cluster=CLUSTER)


async def test_a_lost_answer_is_a_closed_connection(remote: Remote) -> None:
    status, _ = await remote.ask(
        "POST", "/_spillway/faults", {"operation": "RunTask", "kind": "timeout-after-effect"}
    )
    assert status == 200
    with pytest.raises(ConnectionClosedError):
        await launch(remote, clientToken="t")
    listed = await asyncio.to_thread(remote.ecs.list_tasks, cluster=CLUSTER)
    again = await asyncio.to_thread(remote.ecs.run_task, **a_launch(clientToken="t"))
    assert [each["taskArn"] for each in again["tasks"]] == listed["taskArns"]


async def test_faults_are_listed_and_cleared(remote: Remote) -> None:
    order = {"operation": "RunTask", "kind": "error", "code": "ThrottlingException", "count": 3}
    _, listed = await remote.ask("POST", "/_spillway/faults", order)
    assert [each["operation"] for each in listed["faults"]] == ["RunTask"]
    assert await remote.ask("DELETE", "/_spillway/faults") == (200, {"faults": []})


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"operation": "RunTask", "kind": "earthquake"}, id="kind"),
        pytest.param({"operation": "RunTask", "kind": "error", "probabilty": 1}, id="misspelt member"),
        pytest.param({"operation": "RunTask", "kind": "error", "probability": 2}, id="probability"),
        pytest.param([], id="no object"),
    ],
)
async def test_an_order_that_is_no_fault_is_refused(remote: Remote, wrong: Any) -> None:
    status, body = await remote.ask("POST", "/_spillway/faults", wrong)
    assert status == 400
    assert body["message"].startswith("That is not a fault")


async def test_the_journal_is_read_from_any_number(remote: Remote) -> None:
    await launch(remote)
    _, everything = await remote.ask("GET", "/_spillway/journal")
    _, rest = await remote.ask("GET", "/_spillway/journal?since=2")
    assert everything["entries"][2:] == rest["entries"]
    assert everything["next"] == rest["next"] == len(everything["entries"])
    assert (await remote.ask("GET", "/_spillway/journal?since=x"))[0] == 400


async def test_the_state_tells_the_tasks(remote: Remote) -> None:
    await launch(remote)
    _, state = await remote.ask("GET", "/_spillway/state")
    assert state["tasksByStatus"] == {"RUNNING": 1}
    assert state["logStreams"] == {GROUP: 1}


async def raw(remote: Remote, target: str, body: bytes) -> tuple[int, Any]:
    def post() -> tuple[int, Any]:
        headers = {"X-Amz-Target": target}
        request = urllib.request.Request(remote.url, data=body, headers=headers)  # noqa: S310  (loopback)
        try:
            with urllib.request.urlopen(request) as answer:  # noqa: S310  (loopback)
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    return await asyncio.to_thread(post)


ECS = "AmazonEC2ContainerServiceV20141113"


@pytest.mark.parametrize(
    ("target", "body", "code"),
    [
        pytest.param("", b"{}", "UnknownOperationException", id="no target"),
        pytest.param(f"{ECS}.Fly", b"{}", "UnknownOperationException", id="unknown operation"),
        pytest.param("Other_2020.RunTask", b"{}", "UnknownOperationException", id="unknown service"),
        pytest.param(f"{ECS}.RunTask", b"{", "SerializationException", id="half an object"),
        pytest.param(f"{ECS}.RunTask", b"[]", "SerializationException", id="no object"),
        pytest.param(f"{ECS}.RunTask", b"\xff", "SerializationException", id="no UTF-8"),
        pytest.param(f"{ECS}.RunTask", b"{}", "ClientException", id="missing member"),
        pytest.param(f"{ECS}.RunTask", b'{"taskDefinition":1}', "ClientException", id="wrong type"),
        pytest.param(f"{ECS}.RunTask", b'{"taskDefinition":null}', "ClientException", id="null"),
        pytest.param(
            f"{ECS}.RunTask", b'{"taskDefinition":"a","wings":2}', "ClientException", id="unknown member"
        ),
        pytest.param(
            f"{ECS}.RunTask",
            b'{"taskDefinition":"a","launchType":"X"}',
            "ClientException",
            id="no such value",
        ),
        pytest.param("Logs_20140328.GetLogEvents", b"{}", "InvalidParameterException", id="logs"),
    ],
)
async def test_a_bad_request_is_refused_and_the_next_is_served(
    remote: Remote, target: str, body: bytes, code: str
) -> None:
    status, answer = await raw(remote, target, body)
    assert (status, answer["__type"]) == (400, code)
    assert answer["message"]
    assert (await raw(remote, f"{ECS}.ListTasks", b"{}"))[0] == 200


async def test_a_refusal_names_every_violation(remote: Remote) -> None:
    _, answer = await raw(remote, f"{ECS}.RunTask", b'{"wings":2,"count":"many"}')
    assert 'Missing required parameter in input: "taskDefinition"' in answer["message"]
    assert "wings" in answer["message"]
    assert "count" in answer["message"]


async def test_clients_at_once_are_all_served(remote: Remote) -> None:
    await launch(remote)
    answers = await asyncio.gather(
        *(asyncio.to_thread(remote.ecs.list_tasks, cluster=CLUSTER) for _ in range(40))
    )
    assert {len(each["taskArns"]) for each in answers} == {1}


async def test_a_port_that_is_taken_is_an_error(remote: Remote) -> None:
    port = int(remote.url.rsplit(":", 1)[1])
    second = EmbeddedFargate(FargateConfig(port=port), clock=VirtualClock(), ids=lambda: "x")
    with pytest.raises(OSError, match="in use"):
        await second.start()
    await second.stop()
