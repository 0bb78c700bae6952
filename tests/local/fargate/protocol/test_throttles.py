from typing import Any

import pytest

from tests.local.fargate.fakes import Aws, Build, Refusal, a_launch


async def outcomes(aws: Aws, calls: int, operation: str, **params: Any) -> list[str]:
    found = []
    for _ in range(calls):
        try:
            await aws.call(operation, **params)
            found.append("ok")
        except Refusal as refusal:
            found.append(str(refusal))
    return found


THROTTLED = "ThrottlingException: Rate exceeded"


async def test_twenty_launches_at_once_then_twenty_a_second(build: Build) -> None:
    aws = build(throttles=True)
    await aws.register()
    assert await outcomes(aws, 21, "RunTask", **a_launch()) == ["ok"] * 20 + [THROTTLED]
    await aws.clock.advance(1)
    assert await outcomes(aws, 21, "RunTask", **a_launch()) == ["ok"] * 20 + [THROTTLED]
    await aws.clock.advance(0.05)
    assert await outcomes(aws, 2, "RunTask", **a_launch()) == ["ok", THROTTLED]


async def test_definitions_are_registered_and_deregistered_from_one_bucket(build: Build) -> None:
    aws = build(throttles=True)
    for _ in range(15):
        await aws.register()
    assert await outcomes(aws, 6, "DeregisterTaskDefinition", taskDefinition="web:1") == ["ok"] * 5 + [
        THROTTLED
    ]
    await aws.clock.advance(1)
    await aws.register()
    with pytest.raises(Refusal, match=THROTTLED):
        await aws.register()


async def test_describing_has_a_bucket_of_its_own(build: Build) -> None:
    aws = build(throttles=True)
    await aws.register()
    await outcomes(aws, 30, "RunTask", **a_launch())
    assert await outcomes(aws, 101, "ListTasks", cluster="spillway") == ["ok"] * 100 + [THROTTLED]


async def test_launches_of_many_tasks_draw_from_the_launch_bucket(build: Build) -> None:
    aws = build(throttles=True)
    await aws.register()
    assert await outcomes(aws, 11, "RunTask", **a_launch(count=10)) == ["ok"] * 10 + [THROTTLED]


async def test_a_refused_call_counts_against_the_limit_too(build: Build) -> None:
    aws = build(throttles=True)
    await outcomes(aws, 20, "RunTask", **a_launch("nothing"))
    assert await outcomes(aws, 1, "RunTask", **a_launch("nothing")) == [THROTTLED]


async def test_log_events_are_read_twenty_five_times_a_second(build: Build) -> None:
    aws = build(throttles=True)
    await aws.call("CreateLogStream", logGroupName="/spillway/pods", logStreamName="s")
    found = await outcomes(aws, 26, "GetLogEvents", logGroupName="/spillway/pods", logStreamName="s")
    assert found == ["ok"] * 25 + [THROTTLED]


async def test_limits_can_be_scaled(build: Build) -> None:
    aws = build(throttles=True, throttle_scale=0.1)
    await aws.register()
    assert await outcomes(aws, 3, "RunTask", **a_launch()) == ["ok", "ok", THROTTLED]


async def test_a_throttled_call_has_no_effect(build: Build) -> None:
    aws = build(throttles=True)
    await aws.register()
    await outcomes(aws, 40, "RunTask", **a_launch())
    assert len(await aws.arns()) == 20
