from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from app.aws import translate
from app.model import names
from app.model.names import TaskArn
from app.model.task import Definition, Launch, TaskContainer
from app.ports.failures import Unavailable
from tests.builders import a_pod, identity_of

POD = a_pod(uid="uid-1")
IDENTITY = identity_of(POD)
ARN = "arn:aws:ecs:eu-west-3:123456789012:task/spillway/0123456789abcdef0123456789abcdef"
OVERRIDES: dict[str, Any] = {
    "containerOverrides": [
        {
            "name": "main",
            "environment": [
                {"name": "GREETING", "value": "hello"},
                {"name": names.IDENTITY_VARIABLE, "value": IDENTITY.text()},
                {"name": names.ATTEMPT_VARIABLE, "value": "3"},
            ],
        }
    ]
}
LAUNCH = Launch(
    definition=Definition(family="spillway-1", body={}),
    overrides=OVERRIDES,
    started_by="spillway/uid-1",
    client_token="token-1",
)


def wire_task(**fields: Any) -> dict[str, Any]:
    return {
        "taskArn": ARN,
        "lastStatus": "RUNNING",
        "desiredStatus": "RUNNING",
        "overrides": OVERRIDES,
        **fields,
    }


def attached(name: str, kind: str = "ElasticNetworkInterface") -> list[dict[str, Any]]:
    details = [{"name": "subnetId", "value": "subnet-1"}, {"name": name, "value": "10.0.0.7"}]
    return [{"id": "1", "type": kind, "status": "ATTACHED", "details": details}]


def test_a_task_carries_whose_it_is_and_which_attempt() -> None:
    task = translate.task(wire_task())
    assert (task.identity, task.attempt) == (IDENTITY, 3)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"attachments": attached("privateIPv4Address")}, id="attachment"),
        pytest.param({"attachments": attached("privateIpv4Address", "eni")}, id="other case and type"),
        pytest.param(
            {
                "attachments": [{"id": "1", "type": "ElasticNetworkInterface", "details": []}],
                "containers": [
                    {"name": "main", "networkInterfaces": [{"privateIpv4Address": "10.0.0.7"}]},
                ],
            },
            id="container alone",
        ),
    ],
)
def test_the_address_is_found_wherever_ecs_writes_it(fields: dict[str, Any]) -> None:
    assert translate.task(wire_task(**fields)).ip == "10.0.0.7"


def test_a_task_without_an_interface_has_no_address() -> None:
    assert translate.task(wire_task()).ip == ""


def test_containers_come_with_exit_code_and_reason() -> None:
    box = {"name": "main", "lastStatus": "STOPPED", "exitCode": 137, "reason": "OutOfMemoryError", "cpu": "0"}
    assert translate.task(wire_task(containers=[box])).containers == (
        TaskContainer(name="main", last_status="STOPPED", exit_code=137, reason="OutOfMemoryError"),
    )


def test_a_container_that_could_not_start_has_no_exit_code_though_ecs_gives_one() -> None:
    reason = "CannotStartContainerError: dependency graph: …"
    wire = {"name": "main", "lastStatus": "STOPPED", "exitCode": 143, "reason": reason}
    [container] = translate.task(wire_task(containers=[wire])).containers
    assert (container.exit_code, container.reason) == (None, reason)


def test_containers_that_others_injected_and_odd_values_are_borne_with() -> None:
    guard = {"name": "aws-guardduty-agent-x", "lastStatus": "RUNNING", "cpu": "null", "gpuIds": []}
    task = translate.task(wire_task(containers=[guard], stopCode="InfrastructureHealth", novelty={"a": 1}))
    assert task.stop_code == "InfrastructureHealth"
    assert task.containers[0].name == "aws-guardduty-agent-x"


def test_a_task_of_somebody_else_has_no_identity() -> None:
    theirs = {"containerOverrides": [{"environment": [{"name": names.IDENTITY_VARIABLE, "value": "no"}]}]}
    task = translate.task(wire_task(overrides=theirs))
    assert (task.identity, task.attempt) == (None, 0)


def test_an_attempt_that_is_no_number_counts_as_none() -> None:
    odd = {"containerOverrides": [{"environment": [{"name": names.ATTEMPT_VARIABLE, "value": "-x"}]}]}
    assert translate.task(wire_task(overrides=odd)).attempt == 0


def test_a_bare_arn_is_a_task() -> None:
    task = translate.task({"taskArn": ARN, "lastStatus": "DELETED"})
    assert (task.arn, task.is_stopped, task.containers) == (ARN, True, ())


def test_times_are_in_utc() -> None:
    local = datetime(2026, 1, 1, 13, 0, tzinfo=timezone(timedelta(hours=1)))
    task = translate.task(wire_task(createdAt=local))
    assert task.created_at == datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
    assert task.created_at.tzinfo is UTC
    assert task.stopped_at is None


def test_what_is_not_a_task_says_nothing() -> None:
    with pytest.raises(Unavailable, match="not a Task"):
        translate.task({"taskArn": 7})


def test_a_relaunch_with_the_same_token_knows_its_identity_from_the_launch() -> None:
    task = translate.launched({"taskArn": ARN, "lastStatus": "STOPPED"}, LAUNCH)
    assert (task.identity, task.attempt) == (IDENTITY, 3)


def test_missing_tasks_are_told_apart_from_described_ones() -> None:
    answer = {"tasks": [wire_task()], "failures": [{"arn": "arn:gone", "reason": "MISSING"}]}
    described = translate.described(answer)
    assert [task.arn for task in described.tasks] == [ARN]
    assert described.missing == (TaskArn("arn:gone"),)


def test_a_task_that_ecs_failed_to_look_for_is_not_missing() -> None:
    with pytest.raises(Unavailable, match="arn:1: INTERNAL"):
        translate.described({"tasks": [], "failures": [{"arn": "arn:1", "reason": "INTERNAL"}]})


def test_tags_follow_from_the_launch_alone() -> None:
    assert translate.tags_of(LAUNCH) == translate.tags_of(LAUNCH)
    assert {tag["key"]: tag["value"] for tag in translate.tags_of(LAUNCH)} == {
        "spillway:managed-by": "spillway",
        "spillway:cluster": "cluster-1",
        "spillway:namespace": "shop",
        "spillway:pod": "web-1",
    }


def test_a_task_tells_whether_sessions_may_be_opened_in_it() -> None:
    asked, without = wire_task(enableExecuteCommand=True), wire_task()
    assert (translate.task(asked).execute_command, translate.task(without).execute_command) == (True, False)


def test_a_container_tells_how_its_agent_for_sessions_is() -> None:
    agents = [
        {"name": "Another", "lastStatus": "RUNNING"},
        {"name": "ExecuteCommandAgent", "lastStatus": "STOPPED", "reason": "no credentials"},
    ]
    boxes = [{"name": "main", "managedAgents": agents}, {"name": "side"}]
    main, side = translate.task(wire_task(containers=boxes)).containers
    assert (main.agent, main.agent_reason, side.agent) == ("STOPPED", "no credentials", "")


def test_a_container_keeps_the_first_words_that_its_launch_gave_it() -> None:
    overrides = {"containerOverrides": [{"name": "main", "command": ["run", "main", "--", "serve", "now"]}]}
    boxes = [{"name": "main"}, {"name": "side"}]
    main, side = translate.task(wire_task(overrides=overrides, containers=boxes)).containers
    assert (main.words, side.words) == (("run", "main", "--"), ())
