"""FilterLogEvents: the events of a whole group."""

from typing import Any

import pytest

from app.local.fargate.faults.orders import Fault
from tests.local.fargate.fakes import Aws, Build, Refusal

NOON = 1_767_268_800_000
USAGE = '{ $.record = "usage" }'


@pytest.fixture
async def aws(build: Build) -> Aws:
    """CloudWatch Logs with the streams of two keepers and of a container."""
    aws = build()
    await aws.call("CreateLogGroup", logGroupName="/g")
    for stream in ("pods/keeper/1", "pods/keeper/2", "pods/main/1"):
        await aws.call("CreateLogStream", logGroupName="/g", logStreamName=stream)
    return aws


async def put(aws: Aws, stream: str, *messages: str, at: int = 0) -> None:
    """Write events a second apart."""
    events = [{"timestamp": NOON + (at + n) * 1000, "message": each} for n, each in enumerate(messages)]
    await aws.call("PutLogEvents", logGroupName="/g", logStreamName=stream, logEvents=events)


async def look(aws: Aws, **params: Any) -> tuple[list[str], str]:
    """The messages of a page, and the token of the next, or nothing."""
    page = await aws.call("FilterLogEvents", logGroupName="/g", **params)
    return [each["message"] for each in page["events"]], page.get("nextToken", "")


async def test_a_prefix_chooses_the_streams_and_each_event_says_of_which_it_is(aws: Aws) -> None:
    for stream in ("pods/keeper/1", "pods/main/1", "pods/keeper/2"):
        await put(aws, stream, '{"record":"usage"}', '{"container":"main"}')
    page = await aws.call(
        "FilterLogEvents", logGroupName="/g", logStreamNamePrefix="pods/keeper/", filterPattern=USAGE
    )
    assert [each["logStreamName"] for each in page["events"]] == ["pods/keeper/1", "pods/keeper/2"]


async def test_a_prefix_of_no_stream_finds_nothing(aws: Aws) -> None:
    assert await look(aws, logStreamNamePrefix="nobody") == ([], "")


async def test_a_prefix_and_names_are_too_much(aws: Aws) -> None:
    with pytest.raises(Refusal, match="InvalidParameterException"):
        await look(aws, logStreamNamePrefix="pods", logStreamNames=["pods/main/1"])


async def test_what_is_written_between_two_pages_is_neither_missed_nor_told_twice(aws: Aws) -> None:
    await put(aws, "pods/keeper/1", "a", "c", "e")
    first, token = await look(aws, limit=2)
    await put(aws, "pods/keeper/2", "b", "d", at=1)
    await put(aws, "pods/keeper/2", "too late", at=0)
    rest, end = await look(aws, nextToken=token)
    assert (first, rest, end) == (["a", "c"], ["b", "e", "d"], "")


async def test_the_newest_come_first_where_that_is_asked_and_a_token_keeps_the_direction(aws: Aws) -> None:
    await put(aws, "pods/keeper/1", "a", "b", "c", "d")
    times = {"startTime": NOON + 1000, "endTime": NOON + 3000}
    first, token = await look(aws, startFromHead=False, limit=2, **times)
    assert (first, await look(aws, nextToken=token, **times)) == (["d", "c"], (["b"], ""))


@pytest.mark.parametrize("newest_first", [False, True])
async def test_an_empty_page_leads_on_to_all_there_is(aws: Aws, newest_first: bool) -> None:
    await put(aws, "pods/keeper/1", "a", "b", "c")
    aws.fargate.faults.add(Fault(operation="FilterLogEvents", kind="empty-page"))
    messages, token = await look(aws, startFromHead=not newest_first)
    found, end = await look(aws, nextToken=token)
    assert (messages, sorted(found), end) == ([], ["a", "b", "c"], "")


async def test_a_token_that_is_none_is_refused(aws: Aws) -> None:
    with pytest.raises(Refusal, match="nextToken is invalid"):
        await look(aws, nextToken="12")


async def test_more_than_five_looks_a_second_are_throttled(build: Build) -> None:
    aws = build(throttles=True)
    await aws.call("CreateLogGroup", logGroupName="/g")
    for _ in range(5):
        await look(aws)
    with pytest.raises(Refusal, match="Throttling"):
        await look(aws)
