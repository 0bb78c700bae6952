"""`spillway aws`: what it prints, what it asks, and with which code it ends."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from app.cli.main import cli
from tests.aws.account.moto_server import Front, Reply, environment, json_error, running
from tests.aws.account.test_init import lost_target, their_role


@pytest.fixture(scope="module")
def moto() -> Iterator[Front]:
    with running() as front:
        yield front


@pytest.fixture
def front(moto: Front, monkeypatch: pytest.MonkeyPatch) -> Front:
    moto.forget()
    for name, value in environment(moto).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COLUMNS", "300")
    return moto


def ran(*words: str) -> Any:
    """One command; nobody is there to be asked."""
    return CliRunner().invoke(cli, ["aws", *words])


def steps(result: Any) -> set[str]:
    return {each["action"] for each in json.loads(result.stdout)["steps"]}


def test_a_dry_run_changes_nothing(front: Front) -> None:
    result = ran("init", "--dry-run")

    assert result.exit_code == 0
    assert "create    ECS cluster spillway" in result.stdout
    assert "a dry run: 9 steps to do, nothing was done" in result.stdout
    assert front.changes == []


def test_init_ends_with_the_charts_values(front: Front) -> None:
    vpc = front.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]

    result = ran("init", "--vpc", vpc, "--subnets", "subnet-0123456789abcdef0", "--eks-cluster", "prod")
    values = yaml.safe_load(result.stdout.partition("alone):")[2])

    assert result.exit_code == 0
    assert "ready: 10 steps done, 0 kept as they were" in result.stdout
    assert values["bridge"]["settings"]["ecsCluster"] == "spillway"
    assert values["bridge"]["settings"]["securityGroups"][0].startswith("sg-")
    assert "next: give the bridge its role: aws eks create-pod-identity-association" in result.stdout


def test_json_is_one_object_alone(front: Front) -> None:
    first, second = ran("init", "--json"), ran("init", "--json")

    assert steps(first) == {"create"}
    assert steps(second) == {"keep"}
    assert json.loads(second.stdout)["values"]["bridge"]["settings"]["region"] == "eu-west-1"


def test_what_exists_is_not_changed_unasked(front: Front) -> None:
    ran("init")
    lost_target(front)
    front.asked.clear()

    unasked = ran("init")
    changes = list(front.changes)
    asked = ran("init", "--yes")

    assert unasked.exit_code == 1
    assert "Change 1 existing resource? --yes says so" in unasked.stderr
    assert changes == []
    assert (
        "change    EventBridge rule spillway-task-events (targets from nothing to arn:aws:sqs" in asked.stdout
    )
    assert asked.exit_code == 0


def test_what_is_not_ours_stops_everything(front: Front) -> None:
    their_role(front)

    result = ran("init", "--yes")

    assert result.exit_code == 1
    assert "refused   IAM role spillway-bridge (it has no tag spillway.dev/name" in result.stdout
    assert front.changes == []


def test_a_step_that_fails_says_how_to_go_on(front: Front) -> None:
    front.script("CreateCluster", json_error("AccessDeniedException", "no", status=403))

    result = ran("init")

    assert result.exit_code == 1
    assert "ECS cluster spillway: " in result.stderr
    assert "your identity needs the permission ecs:CreateCluster" in result.stderr
    assert "run init again: it goes on where this one stopped" in result.stderr
    assert ran("init").exit_code == 0


def test_wrong_flags_end_with_two_before_anything_is_asked(front: Front) -> None:
    result = ran("init", "--trust", "irsa", "--log-retention", "2")

    assert result.exit_code == 2
    assert "--oidc-provider or --eks-cluster" in result.stderr
    assert "--log-retention 2" in result.stderr
    assert front.asked == []


def test_a_name_that_aws_does_not_take_ends_with_two(front: Front) -> None:
    assert ran("init", "--name", "My_Spillway").exit_code == 2


def test_no_answer_ends_with_two(front: Front) -> None:
    front.always("GetCallerIdentity", json_error("AccessDenied", "no", status=403))

    assert ran("check").exit_code == 2


def test_check_fails_on_an_empty_account_and_says_what_to_do(front: Front) -> None:
    result = ran("check")

    assert result.exit_code == 2
    assert "FAIL  ECS cluster spillway: is not there -> run spillway aws init" in result.stdout


def test_check_tells_programs(front: Front) -> None:
    ran("init")

    result = ran("check", "--json")
    told = json.loads(result.stdout)

    assert result.exit_code == 1
    assert told["level"] == "WARN"
    assert {"level", "subject", "said", "mend"} == set(told["findings"][0])


def test_destroy_asks_and_then_leaves_nothing(front: Front) -> None:
    ran("init")

    unasked, asked, again = ran("destroy"), ran("destroy", "--yes"), ran("destroy")

    assert unasked.exit_code == 1
    assert "Remove all this? --yes says so" in unasked.stderr
    assert asked.exit_code == 0
    assert "nothing of it is left" in asked.stdout
    assert again.exit_code == 0
    assert steps(ran("destroy", "--json")) == {"gone"}


def test_destroy_refuses_while_tasks_run(front: Front) -> None:
    ran("init")
    task = f"arn:aws:ecs:eu-west-1:123456789012:task/spillway/{'0' * 32}"
    front.always("ListTasks", Reply(json.dumps({"taskArns": [task]})))

    result = ran("destroy", "--yes")

    assert result.exit_code == 1
    assert "nothing was done: the ECS cluster still runs 1 task;" in result.stderr
    assert "--stop-tasks" in result.stderr


def test_destroy_refuses_while_others_rules_name_our_group(front: Front) -> None:
    ec2 = front.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    values = json.loads(ran("init", "--vpc", vpc, "--json").stdout)["values"]
    [ours] = values["bridge"]["settings"]["securityGroups"]
    nodes = ec2.create_security_group(GroupName="nodes", Description="nodes", VpcId=vpc)["GroupId"]
    rule = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": ours}]}
    ec2.authorize_security_group_ingress(GroupId=nodes, IpPermissions=[rule])
    front.asked.clear()
    command = f"aws ec2 revoke-security-group-ingress --group-id {nodes} --protocol=-1 --source-group {ours}"

    dry, refused = ran("destroy", "--dry-run"), ran("destroy", "--yes", "--json")

    assert dry.exit_code == 0
    assert f"first     {command}" in dry.stdout
    assert refused.exit_code == 1
    assert "nothing was done: rules of groups that are not ours name" in refused.stderr
    assert json.loads(refused.stdout)["first"] == [command]
    assert front.changes == []


def test_destroy_says_what_it_keeps_and_why(front: Front) -> None:
    ran("init")

    result = ran("destroy", "--yes", "--keep-logs")

    assert "kept      log group /spillway/pods: --keep-logs says so" in result.stdout
    assert "done, but for what is kept" in result.stdout


def test_a_failure_is_one_object_for_programs(front: Front) -> None:
    front.script("CreateCluster", json_error("AccessDeniedException", "no", status=403))

    failed = ran("init", "--json")
    told = json.loads(failed.stdout)

    assert failed.exit_code == 1
    assert "your identity needs the permission ecs:CreateCluster for spillway" in told["error"]
    assert [each["kind"] for each in told["done"]] == ["service-linked role", "log group"]
    assert {each["action"] for each in told["steps"]} == {"create"}


def test_what_is_refused_is_told_to_programs(front: Front) -> None:
    their_role(front)

    refused = ran("init", "--json", "--yes")
    told = json.loads(refused.stdout)

    assert refused.exit_code == 1
    assert [each["name"] for each in told["steps"] if each["action"] == "refused"] == ["spillway-bridge"]
    assert "1 resource not ours" in told["error"]


def test_tasks_that_run_are_told_to_programs(front: Front) -> None:
    ran("init")
    task = f"arn:aws:ecs:eu-west-1:123456789012:task/spillway/{'0' * 32}"
    front.always("ListTasks", Reply(json.dumps({"taskArns": [task]})))

    told = json.loads(ran("destroy", "--yes", "--json").stdout)

    assert told["tasks"] == 1
    assert "spillway drain" in told["error"]


def test_the_values_are_all_that_standard_output_has(front: Front) -> None:
    early = ran("init", "--values", "--dry-run")
    first, again = ran("init", "--values"), ran("init", "--values", "--dry-run")

    assert "# next: run it without --dry-run: what is not made yet is missing here" in early.stdout
    assert yaml.safe_load(first.stdout)["bridge"]["settings"]["ecsCluster"] == "spillway"
    assert first.stdout == again.stdout
    assert "# next: set bridge.settings.subnets to the list of the subnets for the tasks" in first.stdout
    assert "ready: 9 steps done" in first.stderr
