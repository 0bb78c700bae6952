import pytest

from tests.local.fargate.fakes import Aws, Refusal, a_launch

TOKEN = "t" * 64


async def test_the_same_request_again_is_the_same_task(aws: Aws) -> None:
    await aws.register()
    first = await aws.run(clientToken=TOKEN)
    assert await aws.run(clientToken=TOKEN) == first
    assert await aws.arns() == [first]


async def test_without_a_token_each_request_is_another_task(aws: Aws) -> None:
    await aws.register()
    assert await aws.run() != await aws.run()


async def test_other_parameters_conflict_and_name_the_existing_task(aws: Aws) -> None:
    await aws.register()
    arn = await aws.run(clientToken=TOKEN)
    with pytest.raises(Refusal, match="ConflictException") as refusal:
        await aws.run(clientToken=TOKEN, startedBy="somebody-else")
    assert refusal.value.body["resourceIds"] == [arn]


async def test_a_token_belongs_to_one_cluster(aws: Aws) -> None:
    await aws.register()
    first = await aws.run(clientToken=TOKEN)
    assert await aws.run(clientToken=TOKEN, cluster="default") != first


async def test_of_a_stopped_task_only_its_states_are_repeated(aws: Aws) -> None:
    await aws.register()
    arn = await aws.run(clientToken=TOKEN)
    await aws.call("StopTask", cluster="spillway", task=arn)
    await aws.clock.advance(60)
    answer = await aws.call("RunTask", **a_launch(clientToken=TOKEN))
    assert answer["tasks"] == [{"taskArn": arn, "lastStatus": "STOPPED", "desiredStatus": "STOPPED"}]


async def test_a_token_is_good_for_a_day_at_most(aws: Aws) -> None:
    await aws.register()
    first = await aws.run(clientToken=TOKEN)
    await aws.clock.advance(24 * 3600 - 1)
    assert await aws.run(clientToken=TOKEN) == first
    await aws.clock.advance(1)
    assert await aws.run(clientToken=TOKEN) != first


async def test_a_token_is_good_for_an_hour_after_its_task_stopped(aws: Aws) -> None:
    await aws.register()
    first = await aws.run(clientToken=TOKEN)
    await aws.call("StopTask", cluster="spillway", task=first)
    await aws.clock.advance(10 + 3599)
    assert await aws.run(clientToken=TOKEN) == first
    await aws.clock.advance(1)
    assert await aws.run(clientToken=TOKEN) != first


async def test_a_refused_launch_uses_no_token_up(aws: Aws) -> None:
    await aws.register()
    with pytest.raises(Refusal):
        await aws.run(clientToken=TOKEN, networkConfiguration=None)
    assert await aws.run(clientToken=TOKEN)
