"""The policies allow what the code does, and nothing else."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import cfnlint  # type: ignore[import-untyped]  # it ships no types
import pytest
from botocore import xform_name

from app.aws.account import policies
from app.aws.account.checks.permissions import (
    Permission,
    bridge_permissions,
    execution_permissions,
    task_permissions,
)
from app.aws.account.names import Names
from app.aws.account.options import Options
from tests.aws.account.evaluator import decision

NAMES = Names(account="123456789012", region="eu-west-1")
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd"
FULL = Options(
    names=NAMES,
    eks_cluster="prod",
    kms_key=KEY,
    task_roles=("arn:aws:iam::123456789012:role/team-*",),
    ebs_role="arn:aws:iam::123456789012:role/ecs-volumes",
)

SERVICES = ("ecs", "logs", "sqs", "secretsmanager", "ecr", "eks", "ssm", "kms", "pricing", "service-quotas")
"""Whose operations app/aws calls; a service that is missing here fails the first test."""

OTHERWISE = {
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "service-quotas:GetServiceQuota": "servicequotas:GetServiceQuota",
    "service-quotas:GetAWSDefaultServiceQuota": "servicequotas:GetAWSDefaultServiceQuota",
}
"""Permissions that are not called as their operation."""

BESIDES = {
    "iam:PassRole": "RunTask and RegisterTaskDefinition name roles",
    "ecs:TagResource": "RunTask and RegisterTaskDefinition give tags",
    "secretsmanager:TagResource": "CreateSecret gives tags",
    "ecr:BatchGetImage": "app/registry reads manifests with the login of GetAuthorizationToken",
    "ecr:GetDownloadUrlForLayer": "app/registry reads configurations with it",
}
"""Permissions that no operation is called after."""

ROOT = Path(policies.__file__).parents[1]


def sources() -> Iterator[ast.Module]:
    """What a running bridge is made of in app/aws."""
    for path in ROOT.rglob("*.py"):
        if "account" not in path.relative_to(ROOT).parts:
            yield ast.parse(path.read_text())


def called() -> set[str]:
    """The permissions of the operations that app/aws names: of every text that is one of boto3's names."""
    loader = botocore.session.get_session()
    known = {
        xform_name(operation): f"{service}:{operation}"
        for service in SERVICES
        for operation in loader.get_service_model(service).operation_names
    }
    texts = {
        node.value
        for source in sources()
        for node in ast.walk(source)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return {OTHERWISE.get(known[text], known[text]) for text in texts if text in known}


def asked_services() -> set[str]:
    """The services that app/aws asks for by name."""
    return {
        node.args[0].value
        for source in sources()
        for node in ast.walk(source)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"channel", "borrowed", "_ask"}
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
        and "_" not in node.args[0].value
    }


def actions(policy: Any) -> set[str]:
    return {action for statement in policy["Statement"] for action in statement["Action"]}


def test_every_service_that_is_asked_is_looked_at_here() -> None:
    assert {"sqs", "eks", "ecr", "kms"} <= asked_services() <= set(SERVICES)


def test_the_bridge_may_do_what_the_code_calls_and_nothing_else() -> None:
    assert "ecs:RunTask" in called()
    assert actions(policies.bridge_policy(FULL)) == called() | set(BESIDES)


def test_the_permissions_that_are_examined_are_those_of_the_policy() -> None:
    assert {each.action for each in bridge_permissions(FULL)} == actions(policies.bridge_policy(FULL))
    assert {each.action for each in execution_permissions(FULL)} == actions(policies.execution_policy(NAMES))
    assert {each.action for each in task_permissions(FULL)} == actions(policies.task_policy(FULL))


def named(permission: Permission) -> str:
    return f"{permission.action} {permission.resource}"


@pytest.mark.parametrize("permission", bridge_permissions(FULL), ids=named)
def test_the_bridge_is_allowed(permission: Permission) -> None:
    policy = policies.bridge_policy(FULL)

    assert decision([policy], permission.action, permission.resource, dict(permission.context)) == "allowed"


@pytest.mark.parametrize("permission", execution_permissions(FULL), ids=named)
def test_ecs_is_allowed(permission: Permission) -> None:
    assert (
        decision([policies.execution_policy(NAMES)], permission.action, permission.resource, {}) == "allowed"
    )


@pytest.mark.parametrize("permission", task_permissions(FULL), ids=named)
def test_the_example_of_a_task_is_allowed(permission: Permission) -> None:
    assert decision([policies.task_policy(FULL)], permission.action, permission.resource, {}) == "allowed"


TASKS = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
OURS = {"ecs:cluster": NAMES.cluster_arn}


@pytest.mark.parametrize(
    ("action", "resource", "context"),
    [
        pytest.param(
            "ecs:RunTask",
            NAMES.arn("ecs", "task-definition/spillway-0:1"),
            {"ecs:cluster": NAMES.arn("ecs", "cluster/prod")},
            id="a task in another cluster",
        ),
        pytest.param(
            "ecs:RunTask", NAMES.arn("ecs", "task-definition/shop:1"), OURS, id="another's task definition"
        ),
        pytest.param("ecs:StopTask", NAMES.arn("ecs", "task/prod/0"), {}, id="another cluster's task"),
        pytest.param("ecs:ExecuteCommand", NAMES.arn("ecs", "task/prod/0"), {}, id="a session elsewhere"),
        pytest.param(
            "ecs:ListTasks", "*", {"ecs:cluster": NAMES.arn("ecs", "cluster/prod")}, id="another's tasks"
        ),
        pytest.param(
            "ecs:TagResource",
            NAMES.arn("ecs", "task/spillway/0"),
            {},
            id="tags of a task that exists",
        ),
        pytest.param("iam:PassRole", NAMES.role_arn("admin"), TASKS, id="any role"),
        pytest.param("iam:PassRole", NAMES.role_arn("spillway-bridge"), TASKS, id="its own role"),
        pytest.param(
            "iam:PassRole",
            NAMES.role_arn("spillway-task"),
            {"iam:PassedToService": "ec2.amazonaws.com"},
            id="a role to another service",
        ),
        pytest.param(
            "secretsmanager:GetSecretValue",
            NAMES.arn("secretsmanager", "secret:prod/database-AbCdEf"),
            {},
            id="another's secret",
        ),
        pytest.param(
            "logs:GetLogEvents",
            NAMES.arn("logs", "log-group:/aws/eks/prod/cluster:log-stream:x"),
            {},
            id="another's logs",
        ),
        pytest.param("sqs:ReceiveMessage", NAMES.arn("sqs", "orders"), {}, id="another's queue"),
        pytest.param("sqs:ReceiveMessage", NAMES.arn("sqs", NAMES.dead_letters), {}, id="the dead letters"),
        pytest.param("kms:GenerateDataKey", f"{KEY}0", {}, id="another key"),
        pytest.param("ssm:ResumeSession", NAMES.arn("ssm", "session/alice-0"), {}, id="a person's session"),
        pytest.param(
            "eks:ListPodIdentityAssociations", NAMES.arn("eks", "cluster/dev"), {}, id="another EKS cluster"
        ),
    ],
)
def test_the_bridge_is_not_allowed(action: str, resource: str, context: dict[str, str]) -> None:
    assert decision([policies.bridge_policy(FULL)], action, resource, context) == "implicitDeny"


def test_what_is_not_asked_for_is_not_allowed() -> None:
    plain = actions(policies.bridge_policy(Options(names=NAMES)))

    assert actions(policies.bridge_policy(FULL)) - plain == {
        "eks:DescribePodIdentityAssociation",
        "eks:ListPodIdentityAssociations",
        "kms:GenerateDataKey",
    }


def reference() -> Any:
    """AWS's service authorization reference, as cfn-lint ships it."""
    path = Path(cfnlint.__file__).parent / "data" / "AdditionalSpecs" / "Policies.json"
    return json.loads(path.read_text())


ALL = (policies.bridge_policy(FULL), policies.execution_policy(NAMES), policies.task_policy(FULL))


@pytest.mark.parametrize(
    ("action", "resources"),
    [
        pytest.param(action, statement["Resource"], id=f"{statement['Sid']} {action}")
        for policy in ALL
        for statement in policy["Statement"]
        for action in statement["Action"]
    ],
)
def test_only_what_knows_no_resources_is_allowed_on_all(action: str, resources: list[str]) -> None:
    service, _, operation = action.partition(":")
    known = reference()[service]["Actions"][operation.lower()]
    # ListTasks is of container instances, of which Fargate has none; quotas are read, and not of one alone.
    free = {"ecs:ListTasks", "servicequotas:GetServiceQuota"}

    assert (resources == ["*"]) == (not (known or {}).get("Resources") or action in free)


def test_the_bridges_policy_fits_into_a_role() -> None:
    limit = 10_240  # characters of all inline policies of a role, white space aside
    assert len(json.dumps(policies.bridge_policy(FULL), separators=(",", ":"))) < limit / 2
