"""Container Insights of the embedded Fargate."""

import sys
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from app.local.fargate.running.processes import host_has
from tests.local.fargate.enclosed import AT_ONCE, sh
from tests.local.fargate.fakes import CLUSTER, Aws, Build, Refusal, a_container, until

GROUP = f"/aws/ecs/containerinsights/{CLUSTER}/performance"
ENABLED = [{"name": "containerInsights", "value": "enabled"}]


@pytest.fixture
async def aws(build: Build) -> Aws:
    """An embedded Fargate that simulates every task."""
    return begun(build(pace=AT_ONCE, container_insights=True))


def begun(aws: Aws) -> Aws:
    """Measuring, as it does from its start."""
    aws.fargate._performance.begin()
    return aws


async def events(aws: Aws, kind: str = "Container", **params: Any) -> list[dict[str, Any]]:
    """The performance log's events of one type."""
    pattern = f'{{ $.Type = "{kind}" }}'
    page = await aws.call("FilterLogEvents", logGroupName=GROUP, filterPattern=pattern, **params)
    return [msgspec.json.decode(each["message"]) for each in page["events"]]


async def test_every_minute_of_the_clock_has_its_measurement(aws: Aws) -> None:
    await aws.clock.advance(42)
    await aws.register(containerDefinitions=[a_container(), a_container("side")])
    arn = await aws.run()
    await aws.clock.advance(78)
    found = await events(aws)
    noon = 1_767_268_800_000
    assert [(each["ContainerName"], each["Timestamp"] - noon) for each in found] == [
        ("main", 60_000),
        ("side", 60_000),
        ("main", 120_000),
        ("side", 120_000),
    ]
    assert {each["TaskId"] for each in found} == {arn.rsplit("/", 1)[-1]}
    assert {(each["CpuUtilized"], each["MemoryUtilized"]) for each in found} == {(0.0, 0)}


async def test_tasks_are_measured_as_a_whole_too(aws: Aws) -> None:
    await aws.register(cpu="512", memory="1024")
    await aws.run()
    await aws.clock.advance(60)
    [task] = await events(aws, "Task")
    assert (task["CpuReserved"], task["MemoryReserved"], task["KnownStatus"]) == (512.0, 1024, "RUNNING")


async def test_stopped_tasks_are_not_measured(aws: Aws) -> None:
    await aws.register()
    arn = await aws.run()
    await aws.clock.advance(60)
    await aws.call("StopTask", cluster=CLUSTER, task=arn)
    await aws.clock.advance(120)
    assert len(await events(aws)) == 1


async def test_a_page_leads_to_the_next(aws: Aws) -> None:
    await aws.register()
    await aws.run()
    await aws.clock.advance(180)
    page = await aws.call("FilterLogEvents", logGroupName=GROUP, limit=4)
    rest = await aws.call("FilterLogEvents", logGroupName=GROUP, nextToken=page["nextToken"])
    assert (len(page["events"]), len(rest["events"])) == (4, 2)
    assert "nextToken" not in rest


async def test_events_are_found_by_their_time(aws: Aws) -> None:
    await aws.register()
    await aws.run()
    await aws.clock.advance(180)
    noon = 1_767_268_800_000
    assert len(await events(aws, startTime=noon + 120_000, endTime=noon + 120_000)) == 1


async def test_a_cluster_without_the_setting_has_no_log(build: Build) -> None:
    aws = begun(build(pace=AT_ONCE))
    await aws.register()
    await aws.run()
    await aws.clock.advance(180)
    with pytest.raises(Refusal, match="ResourceNotFoundException"):
        await events(aws)
    await aws.call("UpdateClusterSettings", cluster=CLUSTER, settings=ENABLED)
    await aws.clock.advance(60)
    assert len(await events(aws)) == 1


async def test_the_setting_is_shown_to_who_asks_for_it(aws: Aws) -> None:
    await aws.call("CreateCluster", clusterName="new", settings=ENABLED)
    answer = await aws.call("DescribeClusters", clusters=["new"], include=["SETTINGS"])
    assert answer["clusters"][0]["settings"] == ENABLED
    assert (await aws.call("DescribeClusters", clusters=["new"]))["clusters"][0]["settings"] == []


async def test_a_setting_that_does_not_exist_is_refused(aws: Aws) -> None:
    wrong = [{"name": "containerInsights", "value": "sometimes"}]
    with pytest.raises(Refusal, match="InvalidParameterException"):
        await aws.call("UpdateClusterSettings", cluster=CLUSTER, settings=wrong)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        pytest.param("", ["plain text", '{"Type":"Task"}'], id="none"),
        pytest.param("plain", ["plain text"], id="term"),
        pytest.param("text plain", ["plain text"], id="terms"),
        pytest.param('"plain text"', ["plain text"], id="quoted"),
        pytest.param('{ $.Type = "Task" }', ['{"Type":"Task"}'], id="member"),
        pytest.param('{$.Type="Cluster"}', [], id="another value"),
    ],
)
async def test_patterns(aws: Aws, pattern: str, found: list[str]) -> None:
    lines = ["plain text", '{"Type":"Task"}']
    await aws.call("CreateLogGroup", logGroupName="/g")
    await aws.call("CreateLogStream", logGroupName="/g", logStreamName="s")
    at = 1_767_268_800_000
    events = [{"timestamp": at, "message": each} for each in lines]
    await aws.call("PutLogEvents", logGroupName="/g", logStreamName="s", logEvents=events)
    page = await aws.call("FilterLogEvents", logGroupName="/g", filterPattern=pattern)
    assert [each["message"] for each in page["events"]] == found


async def test_a_pattern_beyond_the_embedded_ones_is_refused(aws: Aws) -> None:
    with pytest.raises(Refusal, match="cannot filter by"):
        await aws.call("FilterLogEvents", logGroupName="/spillway/pods", filterPattern="{ $.a > 1 }")


@pytest.fixture
async def host(build: Build) -> AsyncIterator[Aws]:
    """An embedded Fargate that runs what this host can execute."""
    aws = begun(build(can_execute=host_has, pace=AT_ONCE, container_insights=True))
    yield aws
    await aws.fargate._processes.close()


@pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")
async def test_what_a_process_takes_is_measured(host: Aws) -> None:
    busy = sh("i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo done; exec sleep 600")
    await host.register(containerDefinitions=[busy])
    arn = await host.run()
    stream = "pods/main/" + arn.rsplit("/", 1)[-1]
    streams = host.fargate._logs.group("/spillway/pods").streams
    await until(lambda: stream in streams and streams[stream].events)
    await host.clock.advance(60)
    [found] = await events(host)
    assert found["CpuUtilized"] > 0
    assert found["MemoryUtilized"] > 0
