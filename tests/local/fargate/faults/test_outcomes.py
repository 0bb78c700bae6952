import json
from typing import Any

import msgspec
import pytest

from app.local.fargate.faults.orders import Fault
from app.local.fargate.faults.outcomes import RUN_TASK_OUTCOMES, fault_from, outcome
from app.local.fargate.journal import Call
from app.local.fargate.oracle.tally import tally
from tests.local.fargate.fakes import CLUSTER, TO_RUNNING, Aws, LostAnswer, Refusal, a_launch

FAILURES = {
    "no-capacity": "Capacity is unavailable at this time",
    "vcpu-limit": "limit on the number of vCPUs",
    "resource": "RESOURCE:",
    "agent": "AGENT",
    "attribute": "ATTRIBUTE",
    "location": "LOCATION",
    "empty-capacity-provider": "EMPTY CAPACITY PROVIDER",
}
ERRORS = {
    "vcpu-limit-error": "ClientException: You’ve reached",  # noqa: RUF001  (AWS writes it so)
    "throttled": "ThrottlingException: Rate exceeded",
    "throttled-by-ec2": "InvalidParameterException: Error retrieving subnet information.*Rate exceeded",
    "no-service-linked-role": "InvalidParameterException: Unable to assume the service linked role",
    "unknown-subnet": "InvalidParameterException: .*InvalidSubnetID.NotFound",
    "inactive-definition": "ClientException: TaskDefinition is inactive",
    "role-not-passable": "ClientException: ECS was unable to assume the role",
    "provisioning-limit": "ClientException: .*provisioning state",
    "conflict": "ConflictException",
    "blocked": "BlockedException",
    "access-denied": "AccessDeniedException",
    "cluster-not-found": "ClusterNotFoundException",
    "unknown-platform": "PlatformUnknownException",
    "platform-mismatch": "PlatformTaskDefinitionIncompatibilityException",
    "unsupported": "UnsupportedFeatureException",
    "expired-credentials": "ExpiredTokenException",
    "server-error": "ServerException",
}
LOST = {"lost-request", "lost-answer"}


def test_every_outcome_has_its_test() -> None:
    assert {*FAILURES, *ERRORS, *LOST, "no-spot-capacity"} == set(RUN_TASK_OUTCOMES)


@pytest.mark.parametrize(("name", "reason"), [pytest.param(*each, id=each[0]) for each in FAILURES.items()])
async def test_failures_come_with_status_200_and_no_task(aws: Aws, name: str, reason: str) -> None:
    await aws.register()
    aws.fargate.faults.add(outcome(name))
    answer = await aws.call("RunTask", **a_launch())
    assert answer["tasks"] == []
    assert reason in answer["failures"][0]["reason"]
    assert await aws.run()


@pytest.mark.parametrize(("name", "error"), [pytest.param(*each, id=each[0]) for each in ERRORS.items()])
async def test_errors_come_instead_of_a_task(aws: Aws, name: str, error: str) -> None:
    await aws.register()
    aws.fargate.faults.add(outcome(name))
    with pytest.raises(Refusal, match=error):
        await aws.run()
    assert await aws.arns() == []


async def test_a_conflict_names_tasks_that_are_there(aws: Aws) -> None:
    await aws.register()
    arn = await aws.run()
    aws.fargate.faults.add(outcome("conflict", resource_ids=(arn,)))
    with pytest.raises(Refusal) as refusal:
        await aws.run()
    assert refusal.value.body["resourceIds"] == [arn]


async def test_a_lost_request_does_nothing(aws: Aws) -> None:
    await aws.register()
    aws.fargate.faults.add(outcome("lost-request"))
    with pytest.raises(LostAnswer):
        await aws.run()
    assert await aws.arns() == []
    calls = [each for each in aws.journal.since() if isinstance(each, Call) and each.operation == "RunTask"]
    assert [(each.outcome, each.answered) for each in calls] == [("lost", False)]


async def test_lost_answers_are_counted_and_lost_requests_are_not(aws: Aws) -> None:
    await aws.register()
    for name in ("lost-answer", "lost-request"):
        aws.fargate.faults.add(outcome(name))
        with pytest.raises(LostAnswer):
            await aws.run()
    found = tally(aws.journal.since())
    assert (found.lost_answers, found.unanswered, found.launches) == (1, 2, 1)


async def test_an_outcome_may_be_made_frequent(aws: Aws) -> None:
    await aws.register()
    aws.fargate.faults.add(outcome("no-capacity", probability=0.3, seed=4))
    answers = [await aws.call("RunTask", **a_launch()) for _ in range(100)]
    assert 20 <= sum(not each["tasks"] for each in answers) <= 40


def test_a_named_fault_is_read_with_what_differs() -> None:
    body = json.dumps({"outcome": "vcpu-limit", "probability": 0.2, "provider": "FARGATE_SPOT"}).encode()
    fault = fault_from(body)
    assert fault == outcome("vcpu-limit", probability=0.2, provider="FARGATE_SPOT")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"outcome": "earthquake"}, id="unknown name"),
        pytest.param({"outcome": "throttled", "probability": 2}, id="impossible"),
        pytest.param({"outcome": "throttled", "wings": 2}, id="unknown member"),
    ],
)
def test_what_is_no_named_fault_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        fault_from(json.dumps(body).encode())


async def test_a_partial_listing_leaves_the_same_tasks_out_each_time(aws: Aws) -> None:
    await aws.register()
    everything = [await aws.run() for _ in range(30)]
    aws.fargate.faults.add(Fault(operation="ListTasks", kind="partial", share=0.3, seed=1, count=2))
    listed = [await aws.arns() for _ in range(3)]
    assert listed[0] == listed[1]
    assert 12 <= len(listed[0]) < 30
    assert listed[2] == everything


async def test_a_partial_description_calls_tasks_missing(aws: Aws) -> None:
    await aws.register()
    arns = [await aws.run() for _ in range(10)]
    await aws.clock.advance(TO_RUNNING)
    aws.fargate.faults.add(Fault(operation="DescribeTasks", kind="partial", share=1.0))
    answer = await aws.call("DescribeTasks", cluster=CLUSTER, tasks=arns)
    assert answer["tasks"] == []
    assert [each["arn"] for each in answer["failures"]] == arns
    assert await aws.task(arns[0])


def test_a_share_of_more_than_all_is_refused() -> None:
    with pytest.raises(ValueError, match="share must be between 0 and 1"):
        Fault(operation="ListTasks", kind="partial", share=1.5)
