from typing import Any

import pytest

from tests.local.fargate.fakes import GROUP, Aws, Refusal

NOON = 1_767_268_800_000
"""The clock's start, in milliseconds."""


async def written(aws: Aws, *messages: str, first: int = NOON) -> None:
    await aws.call(
        "PutLogEvents",
        logGroupName=GROUP,
        logStreamName="s",
        logEvents=[{"timestamp": first + index, "message": text} for index, text in enumerate(messages)],
    )


async def page(aws: Aws, **params: Any) -> dict[str, Any]:
    return await aws.call("GetLogEvents", logGroupName=GROUP, logStreamName="s", **params)


def texts(answer: dict[str, Any]) -> list[str]:
    return [each["message"] for each in answer["events"]]


@pytest.fixture
async def stream(aws: Aws) -> Aws:
    """An embedded Fargate with an empty stream `s`."""
    await aws.call("CreateLogStream", logGroupName=GROUP, logStreamName="s")
    return aws


async def test_reading_from_the_head_goes_forward_page_by_page(stream: Aws) -> None:
    await written(stream, "1", "2", "3", "4", "5")
    first = await page(stream, startFromHead=True, limit=2)
    second = await page(stream, startFromHead=True, limit=2, nextToken=first["nextForwardToken"])
    third = await page(stream, startFromHead=True, limit=2, nextToken=second["nextForwardToken"])
    assert [texts(first), texts(second), texts(third)] == [["1", "2"], ["3", "4"], ["5"]]


async def test_the_default_page_is_the_newest_events(stream: Aws) -> None:
    await written(stream, "1", "2", "3")
    assert texts(await page(stream, limit=2)) == ["2", "3"]


async def test_reading_backward_goes_to_older_events(stream: Aws) -> None:
    await written(stream, "1", "2", "3", "4", "5")
    first = await page(stream, limit=2)
    second = await page(stream, limit=2, nextToken=first["nextBackwardToken"])
    third = await page(stream, limit=2, nextToken=second["nextBackwardToken"])
    assert [texts(first), texts(second), texts(third)] == [["4", "5"], ["2", "3"], ["1"]]


async def test_at_the_end_the_same_forward_token_comes_back(stream: Aws) -> None:
    await written(stream, "1")
    token = (await page(stream, startFromHead=True))["nextForwardToken"]
    again = await page(stream, startFromHead=True, nextToken=token)
    assert (texts(again), again["nextForwardToken"]) == ([], token)


async def test_at_the_beginning_the_same_backward_token_comes_back(stream: Aws) -> None:
    await written(stream, "1")
    token = (await page(stream))["nextBackwardToken"]
    again = await page(stream, nextToken=token)
    assert (texts(again), again["nextBackwardToken"]) == ([], token)


async def test_an_ended_reader_sees_what_comes_later(stream: Aws) -> None:
    await written(stream, "1")
    token = (await page(stream, startFromHead=True))["nextForwardToken"]
    await written(stream, "2", first=NOON + 10)
    assert texts(await page(stream, startFromHead=True, nextToken=token)) == ["2"]


@pytest.mark.parametrize("from_head", [True, False])
async def test_an_empty_streams_token_leads_to_its_first_events(stream: Aws, *, from_head: bool) -> None:
    token = (await page(stream, startFromHead=from_head))["nextForwardToken"]
    await written(stream, "1")
    assert texts(await page(stream, startFromHead=True, nextToken=token)) == ["1"]


async def test_an_empty_forward_page_can_be_turned_around(stream: Aws) -> None:
    await written(stream, "1", "2")
    token = (await page(stream, startFromHead=True))["nextForwardToken"]
    empty = await page(stream, startFromHead=True, nextToken=token)
    assert texts(await page(stream, nextToken=empty["nextBackwardToken"])) == ["1", "2"]


async def test_an_empty_backward_page_can_be_turned_around(stream: Aws) -> None:
    await written(stream, "1", "2")
    token = (await page(stream))["nextBackwardToken"]
    empty = await page(stream, nextToken=token)
    assert texts(await page(stream, nextToken=empty["nextForwardToken"])) == ["1", "2"]


async def test_events_of_one_millisecond_are_neither_lost_nor_doubled(stream: Aws) -> None:
    for text in ("a", "b", "c"):
        await written(stream, text)
    first = await page(stream, startFromHead=True, limit=2)
    second = await page(stream, startFromHead=True, nextToken=first["nextForwardToken"])
    assert texts(first) + texts(second) == ["a", "b", "c"]


async def test_events_stand_in_the_order_of_their_timestamps(stream: Aws) -> None:
    await written(stream, "late", first=NOON + 100)
    await written(stream, "early", first=NOON)
    assert texts(await page(stream, startFromHead=True)) == ["early", "late"]


async def test_the_start_is_inclusive_and_the_end_exclusive(stream: Aws) -> None:
    await written(stream, "0", "1", "2", "3")
    assert texts(await page(stream, startTime=NOON + 1, endTime=NOON + 3)) == ["1", "2"]


async def test_a_page_holds_at_most_a_megabyte(stream: Aws) -> None:
    await written(stream, "a" * 600_000)
    await written(stream, "b" * 600_000)
    first = await page(stream, startFromHead=True)
    assert [len(each) for each in texts(first)] == [600_000]
    second = await page(stream, startFromHead=True, nextToken=first["nextForwardToken"])
    assert texts(second)[0].startswith("b")


async def test_a_page_holds_at_most_ten_thousand_events(stream: Aws) -> None:
    await written(stream, *["x"] * 10_000)
    await written(stream, "last", first=NOON + 20_000)
    first = await page(stream, startFromHead=True)
    assert len(first["events"]) == 10_000
    assert texts(await page(stream, startFromHead=True, nextToken=first["nextForwardToken"])) == ["last"]


async def test_an_event_tells_when_it_happened_and_when_it_came_in(stream: Aws) -> None:
    await stream.clock.advance(5)
    await written(stream, "x")
    assert (await page(stream))["events"] == [
        {"timestamp": NOON, "message": "x", "ingestionTime": NOON + 5000}
    ]


async def test_a_foreign_token_is_refused(stream: Aws) -> None:
    with pytest.raises(Refusal, match="InvalidParameterException: The specified nextToken is invalid"):
        await page(stream, nextToken="f/1")


@pytest.mark.parametrize("limit", [0, 10_001])
async def test_another_limit_is_refused(stream: Aws, limit: int) -> None:
    with pytest.raises(Refusal, match="InvalidParameterException"):
        await page(stream, limit=limit)


@pytest.mark.parametrize(
    ("group", "name", "what"),
    [pytest.param("/none", "s", "group", id="group"), pytest.param(GROUP, "none", "stream", id="stream")],
)
async def test_what_is_not_there_is_not_found(stream: Aws, group: str, name: str, what: str) -> None:
    with pytest.raises(Refusal, match=f"ResourceNotFoundException: The specified log {what} does not exist"):
        await stream.call("GetLogEvents", logGroupName=group, logStreamName=name)


async def test_what_exists_is_not_created_again(stream: Aws) -> None:
    with pytest.raises(Refusal, match="ResourceAlreadyExistsException"):
        await stream.call("CreateLogStream", logGroupName=GROUP, logStreamName="s")
    with pytest.raises(Refusal, match="ResourceAlreadyExistsException"):
        await stream.call("CreateLogGroup", logGroupName=GROUP)


async def test_a_streams_name_has_no_colon(stream: Aws) -> None:
    with pytest.raises(Refusal, match="InvalidParameterException"):
        await stream.call("CreateLogStream", logGroupName=GROUP, logStreamName="a:b")


async def test_too_old_and_too_new_events_are_rejected_and_told(stream: Aws) -> None:
    await stream.clock.advance(20 * 24 * 3600)
    answer = await stream.call(
        "PutLogEvents",
        logGroupName=GROUP,
        logStreamName="s",
        logEvents=[{"timestamp": NOON, "message": "old"}],
    )
    assert answer["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
    assert texts(await page(stream)) == []


async def test_a_batch_must_be_in_order(stream: Aws) -> None:
    events = [{"timestamp": NOON + 1, "message": "b"}, {"timestamp": NOON, "message": "a"}]
    with pytest.raises(Refusal, match="chronological order"):
        await stream.call("PutLogEvents", logGroupName=GROUP, logStreamName="s", logEvents=events)


async def test_streams_are_described_by_prefix_or_by_their_last_event(stream: Aws) -> None:
    await stream.call("CreateLogStream", logGroupName=GROUP, logStreamName="a")
    await written(stream, "x")
    by_name = await stream.call("DescribeLogStreams", logGroupName=GROUP)
    newest = await stream.call(
        "DescribeLogStreams", logGroupName=GROUP, orderBy="LastEventTime", descending=True, limit=1
    )
    prefixed = await stream.call("DescribeLogStreams", logGroupName=GROUP, logStreamNamePrefix="a")
    assert [each["logStreamName"] for each in by_name["logStreams"]] == ["a", "s"]
    assert [each["logStreamName"] for each in newest["logStreams"]] == ["s"]
    assert newest["logStreams"][0]["lastEventTimestamp"] == NOON
    assert [each["logStreamName"] for each in prefixed["logStreams"]] == ["a"]


async def test_groups_are_described_by_prefix(stream: Aws) -> None:
    await stream.call("CreateLogGroup", logGroupName="/other")
    answer = await stream.call("DescribeLogGroups", logGroupNamePrefix="/spillway")
    assert [each["logGroupName"] for each in answer["logGroups"]] == [GROUP]
