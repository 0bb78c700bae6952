from typing import Any

import pytest

from app.local.fargate.definitions.container_spec import ContainerSpec, Dependency
from app.local.fargate.tasks.ordering import State, hindrance, readiness
from tests.local.fargate.fakes import PACE, TO_RUNNING, Aws, a_container

PULLED = PACE.provisioning + PACE.pending


def depends_on(*targets: tuple[str, str]) -> list[dict[str, str]]:
    return [{"containerName": name, "condition": condition} for name, condition in targets]


def fails(name: str, **fields: Any) -> dict[str, Any]:
    return a_container(name, essential=False, script={"run_seconds": 1, "exit_code": 3}, **fields)


async def ended(aws: Aws, *containers: dict[str, Any]) -> dict[str, Any]:
    """The task, two minutes after its launch."""
    await aws.register(containerDefinitions=list(containers))
    arn = await aws.run()
    await aws.clock.advance(120)
    return await aws.task(arn)


async def test_while_init_containers_run_a_task_is_pending_and_not_started(aws: Aws) -> None:
    init = a_container("init", essential=False, script={"run_seconds": 30})
    await aws.register(containerDefinitions=[a_container(dependsOn=depends_on(("init", "SUCCESS"))), init])
    arn = await aws.run()
    await aws.clock.advance(PULLED + 10)
    task = await aws.task(arn)
    assert (task["lastStatus"], task["desiredStatus"]) == ("PENDING", "RUNNING")
    assert "startedAt" not in task
    await aws.clock.advance(25)
    task = await aws.task(arn)
    assert task["startedAt"] - task["createdAt"] == PULLED + 30 + PACE.activating


async def test_an_init_containers_start_and_end_are_versions_of_their_own(aws: Aws) -> None:
    init = a_container("init", essential=False, script={"run_seconds": 30})
    arn = await aws.run(
        await aws.register(
            containerDefinitions=[a_container(dependsOn=depends_on(("init", "SUCCESS"))), init]
        )
    )
    await aws.clock.advance(TO_RUNNING + 30)
    assert [status for _, status, _ in aws.statuses(arn)] == [
        "PROVISIONING",
        "PENDING",
        "PENDING",
        "PENDING",
        "ACTIVATING",
        "RUNNING",
    ]


async def test_what_depends_on_a_failed_container_fails_in_the_agents_words(aws: Aws) -> None:
    task = await ended(aws, a_container(dependsOn=depends_on(("init", "SUCCESS"))), fails("init"))
    assert (task["stopCode"], task["stoppedReason"]) == ("TaskFailedToStart", "Task failed to start")
    assert task["containers"][0]["exitCode"] == 143
    assert task["containers"][0]["reason"] == (
        "CannotStartContainerError: dependency graph: failed to resolve container ordering dependency [init] "
        "for target [main] as dependency did not exit successfully."
    )


async def test_a_failed_dependency_of_a_container_that_is_not_essential_lets_the_task_run(aws: Aws) -> None:
    helper = a_container("helper", essential=False, dependsOn=depends_on(("init", "SUCCESS")))
    task = await ended(aws, a_container(), helper, fails("init"))
    assert task["lastStatus"] == "RUNNING"
    assert [each.get("exitCode") for each in task["containers"]] == [None, 143, 3]


@pytest.mark.parametrize("condition", ["START", "COMPLETE", "SUCCESS"])
async def test_what_depends_on_a_container_that_never_started_never_starts(aws: Aws, condition: str) -> None:
    middle = a_container("middle", essential=False, dependsOn=depends_on(("init", "SUCCESS")))
    main = a_container(dependsOn=depends_on(("middle", condition)))
    task = await ended(aws, main, middle, fails("init"))
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["containers"][0]["reason"].endswith("because dependency will never start")


async def test_a_container_that_has_started_and_ended_counts_as_started(aws: Aws) -> None:
    task = await ended(aws, a_container(dependsOn=depends_on(("init", "START"))), fails("init"))
    assert task["lastStatus"] == "RUNNING"


async def test_every_dependency_must_be_met(aws: Aws) -> None:
    slow = a_container("slow", essential=False, script={"run_seconds": 40})
    quick = a_container("quick", essential=False, script={"run_seconds": 1})
    main = a_container(dependsOn=depends_on(("quick", "SUCCESS"), ("slow", "COMPLETE")))
    await aws.register(containerDefinitions=[main, slow, quick])
    arn = await aws.run()
    await aws.clock.advance(PULLED + 39)
    assert (await aws.task(arn))["containers"][0]["lastStatus"] == "PENDING"
    await aws.clock.advance(2)
    assert (await aws.task(arn))["lastStatus"] == "RUNNING"


async def test_an_init_container_that_outruns_its_start_timeout_fails_the_task(aws: Aws) -> None:
    init = a_container("init", essential=False, startTimeout=20)
    task = await ended(aws, a_container(dependsOn=depends_on(("init", "SUCCESS"))), init)
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["containers"][0]["reason"].endswith("has timed out.")


async def test_a_start_timeout_that_nobody_waits_for_does_nothing(aws: Aws) -> None:
    arn = await aws.running(containerDefinitions=[a_container(startTimeout=20)])
    await aws.clock.advance(TO_RUNNING + 60)
    assert (await aws.task(arn))["lastStatus"] == "RUNNING"


def waiting(condition: str) -> ContainerSpec:
    return ContainerSpec(name="main", depends_on=(Dependency("init", condition),))


NEVER_RAN = State("STOPPED", 143, started=False)


@pytest.mark.parametrize(
    ("condition", "state", "answer"),
    [
        pytest.param("START", State("PENDING"), "wait", id="not started yet"),
        pytest.param("START", State("RUNNING"), "start", id="started"),
        pytest.param("START", State("STOPPED", 1), "start", id="started and ended"),
        pytest.param("START", State("RUNNING", late=True), "start", id="late does not matter for START"),
        pytest.param("COMPLETE", State("RUNNING"), "wait", id="not complete"),
        pytest.param("COMPLETE", State("STOPPED", 1), "start", id="complete"),
        pytest.param("COMPLETE", State("RUNNING", late=True), "never", id="not complete in time"),
        pytest.param("SUCCESS", State("STOPPED", 0), "start", id="success"),
        pytest.param("SUCCESS", State("STOPPED", 1), "never", id="no success"),
        pytest.param("SUCCESS", State("STOPPED", None), "never", id="success unknown"),
        pytest.param("SUCCESS", State("STOPPED", 0, late=True), "start", id="success after all"),
        pytest.param("HEALTHY", State("RUNNING"), "wait", id="health unknown"),
        pytest.param("HEALTHY", State("RUNNING", health="HEALTHY"), "start", id="healthy"),
        pytest.param("HEALTHY", State("RUNNING", health="UNHEALTHY"), "wait", id="unhealthy"),
        pytest.param("HEALTHY", State("STOPPED", 0), "wait", id="ended before it was healthy"),
        pytest.param("HEALTHY", State("RUNNING", late=True), "never", id="not healthy in time"),
        pytest.param("START", NEVER_RAN, "never", id="never ran"),
        pytest.param("HEALTHY", NEVER_RAN, "never", id="never ran, nor will be healthy"),
    ],
)
def test_a_dependency_is(condition: str, state: State, answer: str) -> None:
    assert readiness(waiting(condition), {"init": state}) == answer


def test_nothing_hinders_a_container_that_may_still_start() -> None:
    assert hindrance(waiting("SUCCESS"), {"init": State("RUNNING")}) == ""
