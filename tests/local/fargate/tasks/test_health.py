from typing import Any

import pytest

from app.local.fargate.definitions.container_spec import HealthCheck
from app.local.fargate.journal import ContainerChange
from app.local.fargate.tasks.health import Condition, after_check, task_health
from tests.local.fargate.fakes import PACE, TO_RUNNING, Aws, Refusal, a_container, a_definition

PULLED = PACE.provisioning + PACE.pending
CHECK = {"command": ["CMD-SHELL", "curl -f http://localhost/"], "interval": 10, "timeout": 3, "retries": 2}


def checked(*codes: int | None, name: str = "main", **check: Any) -> dict[str, Any]:
    """A container whose health checks end with these codes."""
    return a_container(name, healthCheck={**CHECK, **check}, script={"checks": codes})


async def health(aws: Aws, arn: str) -> tuple[str, str]:
    """The task's and its first container's health."""
    task = await aws.task(arn)
    return task["healthStatus"], task["containers"][0]["healthStatus"]


async def test_health_is_unknown_until_the_first_check_passed(aws: Aws) -> None:
    arn = await aws.running(containerDefinitions=[checked(0)])
    assert await health(aws, arn) == ("UNKNOWN", "UNKNOWN")
    await aws.clock.advance(10)
    assert await health(aws, arn) == ("HEALTHY", "HEALTHY")


async def test_a_container_without_a_check_stays_unknown(aws: Aws) -> None:
    arn = await aws.running()
    await aws.clock.advance(600)
    assert await health(aws, arn) == ("UNKNOWN", "UNKNOWN")


async def test_as_many_failures_in_a_row_as_retries_make_a_container_unhealthy(aws: Aws) -> None:
    arn = await aws.running(containerDefinitions=[checked(0, 1)])
    await aws.clock.advance(19)
    assert await health(aws, arn) == ("HEALTHY", "HEALTHY")
    await aws.clock.advance(10)
    assert await health(aws, arn) == ("UNHEALTHY", "UNHEALTHY")


async def test_a_check_that_hangs_fails_at_its_timeout(aws: Aws) -> None:
    arn = await aws.running(containerDefinitions=[checked(None, retries=1)])
    await aws.clock.advance(11)
    assert (await health(aws, arn))[1] == "UNKNOWN"
    await aws.clock.advance(1)
    assert (await health(aws, arn))[1] == "UNHEALTHY"


async def test_an_unhealthy_container_recovers(aws: Aws) -> None:
    arn = await aws.running(containerDefinitions=[checked(1, 1, 0)])
    await aws.clock.advance(20)
    assert (await health(aws, arn))[1] == "UNHEALTHY"
    await aws.clock.advance(10)
    assert (await health(aws, arn))[1] == "HEALTHY"


async def test_an_unhealthy_standalone_task_goes_on_running(aws: Aws) -> None:
    arn = await aws.running(containerDefinitions=[checked(1)])
    await aws.clock.advance(3600)
    task = await aws.task(arn)
    assert (task["lastStatus"], task["desiredStatus"]) == ("RUNNING", "RUNNING")
    assert task["version"] == 4


async def test_health_is_in_the_journal_without_a_new_version(aws: Aws) -> None:
    arn = await aws.running(containerDefinitions=[checked(0, 1)])
    await aws.clock.advance(60)
    changes = [each for each in aws.journal.since() if isinstance(each, ContainerChange)]
    assert [each.health for each in changes if each.task == arn] == ["UNKNOWN", "HEALTHY", "UNHEALTHY"]
    assert len(aws.statuses(arn)) == 4


async def test_a_restarted_container_is_unknown_again(aws: Aws) -> None:
    policy = {"enabled": True, "restartAttemptPeriod": 60}
    container = a_container(
        healthCheck=CHECK, restartPolicy=policy, script={"run_seconds": 65, "exit_code": 1, "checks": [0]}
    )
    await aws.register(containerDefinitions=[container])
    arn = await aws.run()
    await aws.clock.advance(PULLED + 64)
    assert (await health(aws, arn))[1] == "HEALTHY"
    await aws.clock.advance(2)
    assert (await health(aws, arn))[1] == "UNKNOWN"
    await aws.clock.advance(10)
    assert (await health(aws, arn))[1] == "HEALTHY"


async def test_who_waits_for_a_healthy_container_starts_then_and_not_before(aws: Aws) -> None:
    waits = a_container(dependsOn=[{"containerName": "db", "condition": "HEALTHY"}])
    await aws.register(containerDefinitions=[waits, checked(1, 0, name="db")])
    arn = await aws.run()
    await aws.clock.advance(PULLED + 19)
    task = await aws.task(arn)
    assert task["lastStatus"] == "PENDING"
    assert [each["lastStatus"] for each in task["containers"]] == ["PENDING", "RUNNING"]
    assert "startedAt" not in task
    await aws.clock.advance(2)
    assert [each["lastStatus"] for each in (await aws.task(arn))["containers"]] == ["RUNNING", "RUNNING"]


@pytest.mark.parametrize(
    "script",
    [
        pytest.param({"checks": [1]}, id="is unhealthy"),
        pytest.param({"checks": [1], "run_seconds": 30, "exit_code": 0}, id="has ended"),
    ],
)
async def test_who_waits_for_a_container_that_never_gets_healthy_waits_on(
    aws: Aws, script: dict[str, Any]
) -> None:
    waits = a_container(dependsOn=[{"containerName": "db", "condition": "HEALTHY"}])
    database = a_container("db", essential=False, healthCheck=CHECK, script=script)
    await aws.register(containerDefinitions=[waits, database])
    arn = await aws.run()
    await aws.clock.advance(1800)
    task = await aws.task(arn)
    assert (task["lastStatus"], task["desiredStatus"]) == ("PENDING", "RUNNING")


async def test_a_start_timeout_ends_the_waiting(aws: Aws) -> None:
    waits = a_container(dependsOn=[{"containerName": "db", "condition": "HEALTHY"}])
    database = checked(1, name="db") | {"startTimeout": 60}
    await aws.register(containerDefinitions=[waits, database])
    arn = await aws.run()
    await aws.clock.advance(PULLED + 59)
    assert (await aws.task(arn))["lastStatus"] == "PENDING"
    await aws.clock.advance(60)
    task = await aws.task(arn)
    assert (task["lastStatus"], task["stopCode"]) == ("STOPPED", "TaskFailedToStart")
    assert task["containers"][0]["exitCode"] == 143
    assert task["containers"][0]["reason"].endswith("has timed out.")


async def test_a_start_timeout_does_not_matter_once_a_container_is_healthy(aws: Aws) -> None:
    waits = a_container(dependsOn=[{"containerName": "db", "condition": "HEALTHY"}])
    arn = await aws.running(containerDefinitions=[waits, checked(0, name="db") | {"startTimeout": 60}])
    await aws.clock.advance(120)
    assert (await aws.task(arn))["lastStatus"] == "RUNNING"


STRICT = HealthCheck(command=("CMD", "x"), retries=2, start_period=30)


def after(*answers: tuple[bool, float]) -> str:
    condition = Condition()
    for passed, ran in answers:
        condition = after_check(condition, STRICT, passed=passed, ran=ran)
    return condition.status


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        pytest.param([(False, 10), (False, 20), (False, 29)], "UNKNOWN", id="failures in the start period"),
        pytest.param([(False, 20), (False, 31)], "UNKNOWN", id="one failure after the start period"),
        pytest.param([(False, 31), (False, 41)], "UNHEALTHY", id="two failures after the start period"),
        pytest.param(
            [(True, 5), (False, 10), (False, 20)], "UNHEALTHY", id="a success ends the start period"
        ),
        pytest.param([(True, 40), (False, 50), (True, 60), (False, 70)], "HEALTHY", id="never two in a row"),
        pytest.param([(False, 40), (False, 50), (False, 60)], "UNHEALTHY", id="more than enough"),
    ],
)
def test_failures_count(answers: list[tuple[bool, float]], status: str) -> None:
    assert after(*answers) == status


@pytest.mark.parametrize(
    ("essential", "status"),
    [
        pytest.param(["HEALTHY", "HEALTHY"], "HEALTHY", id="all healthy"),
        pytest.param(["HEALTHY", "UNKNOWN"], "UNKNOWN", id="one unknown"),
        pytest.param(["UNKNOWN", "UNHEALTHY", "HEALTHY"], "UNHEALTHY", id="one unhealthy"),
        pytest.param([], "UNKNOWN", id="none"),
    ],
)
def test_the_worst_essential_container_decides_on_the_task(essential: list[str], status: str) -> None:
    assert task_health(essential) == status


async def test_a_container_that_is_not_essential_has_no_say(aws: Aws) -> None:
    helper = checked(1, name="helper") | {"essential": False}
    arn = await aws.running(containerDefinitions=[checked(0), helper])
    await aws.clock.advance(60)
    task = await aws.task(arn)
    assert [each["healthStatus"] for each in task["containers"]] == ["HEALTHY", "UNHEALTHY"]
    assert task["healthStatus"] == "HEALTHY"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        pytest.param({"interval": 4}, "interval must be between 5 and 300", id="interval too short"),
        pytest.param({"interval": 301}, "interval must be between 5 and 300", id="interval too long"),
        pytest.param({"timeout": 1}, "timeout must be between 2 and 60", id="timeout too short"),
        pytest.param({"timeout": 61}, "timeout must be between 2 and 60", id="timeout too long"),
        pytest.param({"retries": 0}, "retries must be between 1 and 10", id="no retries"),
        pytest.param({"retries": 11}, "retries must be between 1 and 10", id="too many retries"),
        pytest.param({"startPeriod": 301}, "startPeriod must be between 0 and 300", id="start period"),
        pytest.param({"command": ["curl", "-f"]}, "must begin with CMD or CMD-SHELL", id="neither kind"),
        pytest.param({"command": []}, "must begin with CMD or CMD-SHELL", id="no command"),
        pytest.param({"command": ["CMD"]}, "must name a command", id="nothing after CMD"),
    ],
)
async def test_a_health_check_is_refused(aws: Aws, changes: dict[str, Any], error: str) -> None:
    container = a_container(healthCheck={**CHECK, **changes})
    with pytest.raises(Refusal, match=f"ClientException: .*{error}"):
        await aws.call("RegisterTaskDefinition", **a_definition(containerDefinitions=[container]))


async def test_healthy_needs_a_health_check(aws: Aws) -> None:
    waits = a_container(dependsOn=[{"containerName": "db", "condition": "HEALTHY"}])
    with pytest.raises(Refusal, match="it has no health check"):
        await aws.call(
            "RegisterTaskDefinition", **a_definition(containerDefinitions=[waits, a_container("db")])
        )


async def test_a_start_timeout_is_at_most_two_minutes(aws: Aws) -> None:
    container = a_container(startTimeout=121)
    with pytest.raises(Refusal, match="between 2 and 120"):
        await aws.call("RegisterTaskDefinition", **a_definition(containerDefinitions=[container]))


def test_cmd_is_executed_and_cmd_shell_by_the_shell() -> None:
    assert HealthCheck(command=("CMD", "a", "b c")).argv == ("a", "b c")
    assert HealthCheck(command=("CMD-SHELL", "a || exit 1")).argv == ("/bin/sh", "-c", "a || exit 1")


async def test_stopped_tasks_are_checked_no_more(aws: Aws) -> None:
    arn = await aws.running(containerDefinitions=[checked(0, 1)])
    await aws.clock.advance(10)
    await aws.call("StopTask", cluster="spillway", task=arn)
    await aws.clock.advance(TO_RUNNING + 600)
    assert await health(aws, arn) == ("HEALTHY", "HEALTHY")
