"""The Terraform module says what `spillway aws init` wants. It is read here, and was never applied."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.aws.account import policies
from app.aws.account.documents import canonical
from app.aws.account.names import OWNER, REGION, Names
from app.aws.account.options import Irsa, NodeRole, Options, PodIdentity, ServiceAccount, Trust
from app.aws.account.wanted import EGRESS, INGRESS, SELF, SETTINGS, Key, Kind, wanted
from app.aws.account.wish import Wish
from tests.infrastructure.hcl import MODULE, Module

NAMES = Names(account="123456789012", region="eu-west-1")
ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/0A1B"
PROVIDER = f"arn:aws:iam::123456789012:oidc-provider/{ISSUER}"
NODES = "arn:aws:iam::123456789012:role/nodes"
GROUP = "aws_security_group.tasks[0].id"

PLAIN = Options(names=NAMES)
FULL = Options(
    names=msgspec.structs.replace(NAMES, name="batch"),
    trust=PodIdentity(account=ServiceAccount(namespace="infra", name="bridge")),
    vpc="vpc-0123456789abcdef0",
    node_security_groups=("sg-0123456789abcdef0",),
    pod_cidrs=("10.20.0.0/16",),
    retention_days=90,
    insights="enhanced",
    eks_cluster="prod",
    kms_key="arn:aws:kms:eu-west-1:123456789012:key/1234abcd",
    task_roles=("arn:aws:iam::123456789012:role/a-*", "arn:aws:iam::123456789012:role/b"),
    ebs_role="arn:aws:iam::123456789012:role/ecs-volumes",
    boundary="arn:aws:iam::123456789012:policy/boundary",
)
OPTIONS = [pytest.param(PLAIN, id="plain"), pytest.param(FULL, id="everything")]


def variables(options: Options) -> dict[str, Any]:
    """The module's variables for some options."""
    trust: dict[str, Any] = {"oidc_provider": "", "node_role": ""}
    match options.trust:
        case Irsa(provider=provider):
            trust |= {"trust": "irsa", "oidc_provider": provider}
        case NodeRole(role=role):
            trust |= {"trust": "node-role", "node_role": role}
        case PodIdentity():
            trust |= {"trust": "pod-identity"}
    return {
        **trust,
        "name": options.names.name,
        "namespace": options.trust.account.namespace,
        "service_account": options.trust.account.name,
        "eks_cluster": options.eks_cluster,
        "vpc": options.vpc,
        "node_security_groups": list(options.node_security_groups),
        "pod_cidrs": list(options.pod_cidrs),
        "log_retention": options.retention_days,
        "container_insights": options.insights,
        "kms_key": options.kms_key,
        "task_roles": list(options.task_roles),
        "ebs_role": options.ebs_role,
        "permissions_boundary": options.boundary,
    }


def module(options: Options) -> Module:
    """The module for some options; what AWS and Terraform's functions say is given."""
    names = options.names
    return Module(
        variables(options),
        {
            "data.aws_partition.current.partition": names.partition,
            "data.aws_region.current.name": names.region,
            "data.aws_caller_identity.current.account_id": names.account,
            "local.issuer": ISSUER,
            "local.boundary": options.boundary,
            "aws_sqs_queue.dead_letters.arn": names.arn("sqs", names.dead_letters),
            "aws_sqs_queue.task_events.arn": names.queue_arn,
            "each.value": "EACH",
        },
    )


def aspects(options: Options, kind: Kind, name: str) -> dict[str, Any]:
    """What init wants of a resource."""
    [found] = [each for each in wanted(options) if (each.key.kind, each.key.name) == (kind, name)]
    return dict(found.aspects)


TRUSTS = [
    pytest.param(PodIdentity(), id="Pod Identity"),
    pytest.param(Irsa(provider=PROVIDER), id="IRSA"),
    pytest.param(NodeRole(role=NODES), id="kube2iam"),
]


def permissions(statements: list[dict[str, Any]]) -> dict[str, Any]:
    """A role's policy, of its statements in the module's own form: those without resources are left out."""
    return {"Statement": [written(each) for each in statements if each["resources"]]}


def written(statement: dict[str, Any]) -> dict[str, Any]:
    """A statement as IAM writes it, of one in the module's own form."""
    conditions: dict[str, dict[str, Any]] = {}
    for each in statement["when"]:
        conditions.setdefault(each["test"], {})[each["variable"]] = each["values"]
    whom = statement.get("whom")
    parts = {
        "Sid": statement.get("sid", ""),
        "Effect": "Allow",
        "Principal": {whom["type"]: whom["identifiers"]} if whom else {},
        "Action": statement["actions"],
        "Resource": statement.get("resources", []),
        "Condition": conditions,
    }
    return {name: value for name, value in parts.items() if value}


@pytest.mark.parametrize("options", OPTIONS)
def test_the_permissions_are_inits(options: Options) -> None:
    read = module(options)
    said = {role: canonical(permissions(each)) for role, each in read.local("permissions").items()}

    assert said == {
        "bridge": canonical(policies.bridge_policy(options)),
        "execution": canonical(policies.execution_policy(options.names)),
        "task": canonical(policies.task_policy(options)),
    }
    assert canonical(read.document("task_events")) == canonical(policies.queue_policy(options.names))


@pytest.mark.parametrize("trust", TRUSTS)
def test_the_roles_trust_whom_init_lets_them(trust: Trust) -> None:
    options = msgspec.structs.replace(PLAIN, trust=trust)
    read = module(options)
    trusted = read.local("trusted")
    said = {
        role: canonical({"Statement": [written(trusted[kind])]}) for role, kind in read.local("trust").items()
    }

    assert said == {
        "bridge": canonical(policies.bridge_trust(options)),
        "execution": canonical(policies.tasks_trust(NAMES)),
        "task": canonical(policies.tasks_trust(NAMES)),
    }


def test_the_documents_are_made_of_the_statements() -> None:
    read = module(PLAIN)
    [statement] = read.data("permissions")["dynamic"]
    [trust] = read.data("trust")["statement"]
    made, made_of = statement['"statement"'], "for permitted in each.value : permitted"

    assert made["for_each"] == f"${{[{made_of} if length(permitted.resources) > 0]}}"
    assert {name: made["content"][0][name] for name in ("sid", "actions", "resources")} == {
        name: f"${{statement.value.{name}}}" for name in ("sid", "actions", "resources")
    }
    assert trust["actions"] == "${local.trusted[each.value].actions}"
    assert trust["principals"][0]["identifiers"] == "${local.trusted[each.value].whom.identifiers}"
    assert conditions(made["content"][0]) == conditions(trust)


def conditions(block: dict[str, Any]) -> dict[str, Any]:
    """What a block's `dynamic "condition"` makes of each."""
    [dynamic] = block["dynamic"]
    [content] = dynamic['"condition"']["content"]
    return dict(content)


@pytest.mark.parametrize("options", OPTIONS)
def test_each_role_has_its_name_its_boundary_and_its_policy(options: Options) -> None:
    read, names = module(options), options.names
    [role] = read.resources("aws_iam_role")
    [attached] = read.resources("aws_iam_role_policy")
    made = {role["name"].replace("each.key", each) for each in role["for_each"]}

    assert made == {names.bridge_role, names.execution_role, names.task_role}
    assert role["permissions_boundary"] == options.boundary
    assert role["assume_role_policy"] == "data.aws_iam_policy_document.trust[each.key].json"
    assert attached["for_each"] == role["for_each"]
    assert (attached["name"], attached["role"]) == ("spillway", "aws_iam_role.this[each.key].name")
    assert attached["policy"] == "data.aws_iam_policy_document.permissions[each.key].json"


TERRAFORM = pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed")
OFFLINE = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull}
ASKED = """jsonencode({
  permissions = local.permissions, trust = { for role, kind in local.trust : role => local.trusted[kind] }
})"""


def evaluated(options: Options, folder: Path) -> Any:
    """The module's statements as Terraform itself works them out, without a provider."""
    places = {
        "data.aws_partition.current.partition": options.names.partition,
        "data.aws_region.current.name": options.names.region,
        "data.aws_caller_identity.current.account_id": options.names.account,
    }
    for path in (MODULE / "main.tf", MODULE / "policies.tf"):
        text = path.read_text()
        for place, value in places.items():
            text = text.replace(place, json.dumps(value))
        (folder / path.name).write_text(text[text.index("locals {") : text.index("\n}\n") + 3])
    shutil.copy(MODULE / "variables.tf", folder)
    (folder / "terraform.tfvars.json").write_text(json.dumps(variables(options)))
    ran = subprocess.run(
        ["terraform", "console"],
        input=" ".join(ASKED.split()),
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        env=OFFLINE,
    )
    return json.loads(json.loads(ran.stdout))


@TERRAFORM
@pytest.mark.parametrize(
    "options",
    [
        *OPTIONS,
        pytest.param(
            Options(names=Names(account="123456789012", region="cn-north-1", partition="aws-cn")), id="China"
        ),
        *(pytest.param(msgspec.structs.replace(FULL, trust=each.values[0]), id=each.id) for each in TRUSTS),
    ],
)
def test_terraform_itself_works_out_inits_policies(options: Options, tmp_path: Path) -> None:
    said = evaluated(options, tmp_path)
    trust = {role: canonical({"Statement": [written(each)]}) for role, each in said["trust"].items()}

    assert {role: canonical(permissions(each)) for role, each in said["permissions"].items()} == {
        "bridge": canonical(policies.bridge_policy(options)),
        "execution": canonical(policies.execution_policy(options.names)),
        "task": canonical(policies.task_policy(options)),
    }
    assert trust["bridge"] == canonical(policies.bridge_trust(options))
    assert trust["task"] == trust["execution"] == canonical(policies.tasks_trust(options.names))


@pytest.mark.parametrize("options", OPTIONS)
def test_cluster_and_log_group_are_inits(options: Options) -> None:
    read, names = module(options), options.names
    [group] = read.resources("aws_cloudwatch_log_group")
    [cluster] = read.resources("aws_ecs_cluster")
    [providers] = read.resources("aws_ecs_cluster_capacity_providers")
    keys = [
        execute["kms_key_id"]
        for each in cluster["configuration"]
        for execute in each["execute_command_configuration"]
    ]

    assert (group["name"], group["retention_in_days"]) == (names.log_group, options.retention_days)
    assert cluster["name"] == names.cluster
    assert cluster["setting"] == [{"name": "containerInsights", "value": options.insights}]
    assert keys == (["configuration.value"] if options.kms_key else [])
    assert providers["capacity_providers"] == ["FARGATE", "FARGATE_SPOT"]


@pytest.mark.parametrize("options", OPTIONS)
def test_the_security_group_is_inits(options: Options) -> None:
    read = module(options)
    key = Key(Kind.SECURITY_GROUP, options.names.security_group, options.vpc)
    rules = read.resources("aws_vpc_security_group_ingress_rule")
    egress = [each["cidr_ipv4"] for each in read.resources("aws_vpc_security_group_egress_rule")]
    sources = [each.get("referenced_security_group_id") or each["cidr_ipv4"] for each in rules]
    expected = [each for each in wanted(options) if each.key == key]

    assert [each["name"] for each in read.resources("aws_security_group")] == [
        each.key.name for each in expected
    ]
    assert [egress] * len(expected) == [each.aspects[EGRESS] for each in expected]
    # One rule for the group itself, and one resource for each list of the others.
    assert len(sources) == sum(len(each.aspects[INGRESS]) for each in expected)
    assert [GROUP, "EACH", "EACH"][: len(sources)] == sources
    assert all(SELF in each.aspects[INGRESS] for each in expected)
    assert {each["ip_protocol"] for each in rules} <= {"-1"}


@pytest.mark.parametrize("options", OPTIONS)
def test_queues_and_rule_are_inits(options: Options) -> None:
    read, names = module(options), options.names
    queues = {each["name"]: each for each in read.resources("aws_sqs_queue")}
    [rule] = read.resources("aws_cloudwatch_event_rule")
    [target] = read.resources("aws_cloudwatch_event_target")

    assert {name: settings(each) for name, each in queues.items()} == {
        name: aspects(options, Kind.QUEUE, name)[SETTINGS] for name in (names.dead_letters, names.queue)
    }
    assert (rule["name"], rule["state"]) == (names.queue, "ENABLED")
    assert rule["event_pattern"] == policies.event_pattern(names)
    assert target["arn"] == names.queue_arn


def settings(queue: dict[str, Any]) -> dict[str, Any]:
    """A queue's settings as SQS names them."""
    written = {
        "MessageRetentionPeriod": str(queue["message_retention_seconds"]),
        "VisibilityTimeout": str(queue.get("visibility_timeout_seconds", "")),
        "RedrivePolicy": queue.get("redrive_policy", ""),
        "SqsManagedSseEnabled": str(queue["sqs_managed_sse_enabled"]).lower(),
    }
    return {name: value for name, value in written.items() if value}


TAGGED = (
    "aws_cloudwatch_log_group",
    "aws_ecs_cluster",
    "aws_iam_role",
    "aws_security_group",
    "aws_sqs_queue",
    "aws_cloudwatch_event_rule",
)


@pytest.mark.parametrize("kind", TAGGED)
def test_everything_that_can_be_is_tagged(kind: str) -> None:
    tags = [each["tags"] for each in module(FULL).resources(kind)]

    assert tags
    assert tags == [{OWNER: "batch", REGION: "eu-west-1"}] * len(tags)


def test_there_is_nothing_else() -> None:
    parts = {
        "aws_ecs_cluster_capacity_providers",
        "aws_iam_role_policy",
        "aws_vpc_security_group_egress_rule",
        "aws_vpc_security_group_ingress_rule",
        "aws_sqs_queue_policy",
        "aws_cloudwatch_event_target",
    }

    assert module(FULL).types() == {*TAGGED, *parts}


def test_the_defaults_are_the_flags() -> None:
    assert module(PLAIN).defaults() == variables(PLAIN)
    assert variables(PLAIN)["log_retention"] == Wish().retention_days
    assert variables(PLAIN)["trust"] == Wish().trust


@pytest.mark.parametrize("path", sorted(MODULE.glob("*.tf")), ids=lambda path: path.name)
def test_the_files_are_written_cleanly(path: Any) -> None:
    lines = path.read_text().split("\n")

    assert [each for each in lines if each != each.rstrip() or "\t" in each] == []
    assert [each for each in lines if (len(each) - len(each.lstrip())) % 2] == []
    assert lines[-1] == ""
    assert lines[-2] != ""


@TERRAFORM
def test_terraform_formats_the_module_no_otherwise() -> None:
    ran = subprocess.run(
        ["terraform", "fmt", "-check", "-diff", "-recursive", str(MODULE)],
        capture_output=True,
        text=True,
        check=False,
        env=OFFLINE,
    )

    assert (ran.returncode, ran.stdout) == (0, "")
