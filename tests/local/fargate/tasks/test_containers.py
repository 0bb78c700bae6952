import pytest

from tests.local.fargate.fakes import PACE, TO_RUNNING, Aws, a_container

PULLED = PACE.provisioning + PACE.pending


def depends_on(name: str, condition: str) -> list[dict[str, str]]:
    return [{"containerName": name, "condition": condition}]


async def test_a_container_waits_until_the_one_it_depends_on_succeeded(aws: Aws) -> None:
    init = a_container("init", essential=False, script={"run_seconds": 30})
    main = a_container(dependsOn=depends_on("init", "SUCCESS"))
    await aws.register(containerDefinitions=[main, init])
    arn = await aws.run()
    await aws.clock.advance(PULLED + 29)
    task = await aws.task(arn)
    assert task["lastStatus"] == "PENDING"
    assert [each["lastStatus"] for each in task["containers"]] == ["PENDING", "RUNNING"]
    await aws.clock.advance(2)
    assert (await aws.task(arn))["lastStatus"] == "RUNNING"


async def test_a_failed_init_container_keeps_the_others_from_starting(aws: Aws) -> None:
    init = a_container("init", essential=False, script={"run_seconds": 1, "exit_code": 3})
    main = a_container(dependsOn=depends_on("init", "SUCCESS"))
    await aws.register(containerDefinitions=[main, init])
    arn = await aws.run()
    await aws.clock.advance(60)
    task = await aws.task(arn)
    assert task["lastStatus"] == "STOPPED"
    assert task["stopCode"] == "TaskFailedToStart"
    assert [each["exitCode"] for each in task["containers"]] == [143, 3]
    assert "runtimeId" not in task["containers"][0]


async def test_complete_does_not_mind_the_exit_code(aws: Aws) -> None:
    init = a_container("init", essential=False, script={"run_seconds": 1, "exit_code": 3})
    main = a_container(dependsOn=depends_on("init", "COMPLETE"))
    await aws.register(containerDefinitions=[main, init])
    arn = await aws.run()
    await aws.clock.advance(TO_RUNNING + 2)
    assert (await aws.task(arn))["lastStatus"] == "RUNNING"


async def test_containers_stop_in_the_reverse_order_of_their_dependencies(aws: Aws) -> None:
    base = a_container("base", script={"term_seconds": 1})
    main = a_container(dependsOn=depends_on("base", "START"), script={"term_seconds": 5})
    arn = await aws.running(containerDefinitions=[base, main])
    await aws.call("StopTask", cluster="spillway", task=arn)
    await aws.clock.advance(PACE.deactivating + 5.5)
    task = await aws.task(arn)
    assert [each["lastStatus"] for each in task["containers"]] == ["RUNNING", "STOPPED"]
    await aws.clock.advance(1)
    assert (await aws.task(arn))["lastStatus"] == "DEPROVISIONING"


async def test_a_restart_policy_restarts_a_container_that_ran_long_enough(aws: Aws) -> None:
    policy = {"enabled": True, "ignoredExitCodes": [0], "restartAttemptPeriod": 60}
    arn = await aws.running(
        containerDefinitions=[a_container(script={"run_seconds": 61, "exit_code": 1}, restartPolicy=policy)]
    )
    await aws.clock.advance(120)
    assert (await aws.task(arn))["lastStatus"] == "RUNNING"


@pytest.mark.parametrize(
    ("seconds", "exit_code"),
    [pytest.param(59, 1, id="ended too early"), pytest.param(61, 0, id="with an ignored exit code")],
)
async def test_a_restart_policy_leaves_a_container_ended(aws: Aws, seconds: float, exit_code: int) -> None:
    policy = {"enabled": True, "ignoredExitCodes": [0], "restartAttemptPeriod": 60}
    script = {"run_seconds": seconds, "exit_code": exit_code}
    arn = await aws.running(containerDefinitions=[a_container(script=script, restartPolicy=policy)])
    await aws.clock.advance(120)
    assert (await aws.task(arn))["containers"][0]["exitCode"] == exit_code


async def test_a_scripts_lines_come_at_their_times(aws: Aws) -> None:
    script = {"log": ["one", "", "two", "three"], "log_every": 10}
    arn = await aws.running(containerDefinitions=[a_container(script=script)])
    assert await aws.lines(arn) == ["one"]
    await aws.clock.advance(20)
    assert await aws.lines(arn) == ["one", "two"]


async def test_a_stopped_container_prints_no_more(aws: Aws) -> None:
    script = {"log": ["one", "two"], "log_every": 10}
    arn = await aws.running(containerDefinitions=[a_container(script=script)])
    await aws.call("StopTask", cluster="spillway", task=arn)
    await aws.clock.advance(60)
    assert await aws.lines(arn) == ["one"]


async def test_an_unreadable_script_says_so_in_the_log(aws: Aws) -> None:
    broken = a_container(environment=[{"name": "SPILLWAY_SIMULATE", "value": "{run_seconds"}])
    arn = await aws.running(containerDefinitions=[broken])
    await aws.clock.advance(60)
    assert (await aws.task(arn))["containers"][0]["exitCode"] == 1
    assert (await aws.lines(arn))[0].startswith("SPILLWAY_SIMULATE is not a script")
