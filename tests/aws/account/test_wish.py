"""Flags: which can be met, and what the chart is told."""

import json
import re

import msgspec
import pytest

from app.aws.account.names import NameFault, Names, checked_name
from app.aws.account.options import Irsa, NodeRole, Options, PodIdentity
from app.aws.account.values import Made, helm_values, next_steps
from app.aws.account.wanted import wanted
from app.aws.account.wish import Wish, WishFault, checked, options_of
from app.settings import BridgeSettings

NAMES = Names(account="123456789012", region="eu-west-1")
PROVIDER = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0A1B"
NODES = "arn:aws:iam::123456789012:role/nodes"
MADE = Made(queue_url="https://sqs/q", security_groups=("sg-1",))


@pytest.mark.parametrize(
    ("wish", "fault"),
    [
        pytest.param(Wish(trust="irsa"), "--oidc-provider or --eks-cluster", id="IRSA of no cluster"),
        pytest.param(Wish(trust="node-role"), "give --node-role", id="no role of nodes"),
        pytest.param(Wish(trust="node-role", node_role=f"{NODES}*"), "without *", id="roles of nodes"),
        pytest.param(Wish(vpc="prod"), "--vpc prod", id="VPC by its name"),
        pytest.param(Wish(subnets=("a",)), "--subnets a", id="subnet by its name"),
        pytest.param(Wish(pod_cidrs=("10.0.0.0/8",)), "give --vpc as well", id="pods without a VPC"),
        pytest.param(
            Wish(vpc="vpc-0123456789abcdef0", pod_cidrs=("10.0.0.1/8",)), "--pod-cidr 10.0.0.1/8", id="range"
        ),
        pytest.param(Wish(retention_days=31), "--log-retention 31", id="retention"),
        pytest.param(Wish(task_roles=("team",)), "--task-role team", id="role by its name"),
        pytest.param(Wish(kms_key="alias/x"), "--kms-key alias/x", id="key by its alias"),
        pytest.param(Wish(boundary="x"), "--permissions-boundary x", id="boundary by its name"),
    ],
)
def test_what_cannot_be_met_is_named(wish: Wish, fault: str) -> None:
    with pytest.raises(WishFault) as failed:
        checked(wish)

    assert fault in str(failed.value)


def test_every_fault_is_named() -> None:
    with pytest.raises(WishFault) as failed:
        checked(Wish(trust="irsa", vpc="x", retention_days=2))

    assert len(str(failed.value).splitlines()) == 3


@pytest.mark.parametrize("name", ["", "Spillway", "1a", "a_b", "a" * 41])
def test_names_that_aws_does_not_take_are_refused(name: str) -> None:
    with pytest.raises(NameFault):
        checked_name(name)


def test_the_wish_becomes_options() -> None:
    wish = Wish(trust="irsa", eks_cluster="prod", insights="enhanced", task_roles=(NODES,))

    options = options_of(checked(wish), NAMES, provider=PROVIDER)

    assert options.trust == Irsa(provider=PROVIDER)
    assert (options.eks_cluster, options.insights, options.task_roles) == ("prod", "enhanced", (NODES,))


def test_the_chart_is_told_what_was_made() -> None:
    options = Options(names=NAMES, vpc="vpc-1", eks_cluster="prod")

    values = helm_values(options, MADE, subnets=("subnet-1", "subnet-2"), public_ip=True)

    assert values == {
        "bridge": {
            "settings": {
                "region": "eu-west-1",
                "ecsCluster": "spillway",
                "subnets": ["subnet-1", "subnet-2"],
                "securityGroups": ["sg-1"],
                "assignPublicIp": True,
                "executionRole": "arn:aws:iam::123456789012:role/spillway-execution",
                "taskRole": "arn:aws:iam::123456789012:role/spillway-task",
                "logGroup": "/spillway/pods",
                "eventsQueue": "https://sqs/q",
                "eksCluster": "prod",
            },
            "serviceAccount": {"name": "spillway-bridge"},
        }
    }


def test_every_value_is_a_setting_of_the_bridge() -> None:
    options = Options(names=NAMES, eks_cluster="prod", ebs_role=NODES)
    settings = helm_values(options, MADE, subnets=("subnet-1",), public_ip=True)["bridge"]["settings"]

    assert {re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", each) for each in settings} <= set(
        BridgeSettings.model_fields
    )


@pytest.mark.parametrize(
    ("trust", "path", "key"),
    [
        pytest.param(
            Irsa(provider=PROVIDER),
            ("serviceAccount", "annotations"),
            "eks.amazonaws.com/role-arn",
            id="IRSA",
        ),
        pytest.param(NodeRole(role=NODES), ("podAnnotations",), "iam.amazonaws.com/role", id="kube2iam"),
    ],
)
def test_the_chart_is_told_the_bridges_role(trust: Irsa | NodeRole, path: tuple[str, ...], key: str) -> None:
    values = helm_values(Options(names=NAMES, trust=trust), MADE, subnets=(), public_ip=False)["bridge"]
    for each in path:
        values = values[each]

    assert values == {key: "arn:aws:iam::123456789012:role/spillway-bridge"}


@pytest.mark.parametrize(
    "wish",
    [
        pytest.param(Wish(trust="pod-identity"), id="Pod Identity"),
        pytest.param(Wish(trust="irsa"), id="IRSA"),
        pytest.param(Wish(trust="node-role"), id="kube2iam"),
    ],
)
def test_the_chart_is_told_the_bridges_own_account(wish: Wish) -> None:
    named = msgspec.structs.replace(wish, namespace="infra", service_account="bridge")
    options = options_of(named, NAMES, provider=PROVIDER)

    values = helm_values(options, MADE, subnets=(), public_ip=False)
    *_, installation = next_steps(options, MADE, subnets=())

    assert values["bridge"]["serviceAccount"]["name"] == "bridge"
    assert "--namespace infra --create-namespace" in installation


def test_pod_identity_is_left_to_a_command() -> None:
    options = Options(names=NAMES, trust=PodIdentity(), vpc="vpc-1", eks_cluster="prod")

    steps = next_steps(options, msgspec.structs.replace(MADE, security_groups=()), subnets=("subnet-1",))

    assert len(steps) == 2
    assert "create-pod-identity-association --cluster-name prod --namespace spillway" in steps[0]


def test_the_nodes_groups_are_left_to_commands() -> None:
    options = Options(
        names=NAMES, trust=NodeRole(role=NODES), vpc="vpc-1", node_security_groups=("sg-a", "sg-b")
    )

    steps = next_steps(options, MADE, subnets=("subnet-1",))

    assert [each.rpartition("--group-id ")[2] for each in steps[:-1]] == [
        "sg-a --protocol=-1 --source-group sg-1",
        "sg-b --protocol=-1 --source-group sg-1",
    ]


def test_ranges_are_written_as_ec2_tells_them() -> None:
    wish = Wish(vpc="vpc-0123456789abcdef0", pod_cidrs=("2001:DB8:0::/32", "10.2.3.4", "10.2.3.4/32"))

    assert options_of(wish, NAMES, provider="").pod_cidrs == ("2001:db8::/32", "10.2.3.4/32")


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_in_other_partitions_nothing_is_of_the_first(partition: str) -> None:
    names = msgspec.structs.replace(NAMES, partition=partition)
    options = Options(names=names, eks_cluster="prod", vpc="vpc-1")
    text = json.dumps([dict(each.aspects) for each in wanted(options)])
    values = json.dumps(helm_values(options, MADE, subnets=(), public_ip=False))

    assert f"arn:{partition}:" in text
    assert f"arn:{partition}:" in values
    assert "arn:aws:" not in text + values
    assert ".amazonaws.com.cn" not in text


@pytest.mark.parametrize("name", ["sg-x", "-a", "a_b", "Spillway", "ä", "a" * 41, "", "a/b", "a b", "a\n"])
def test_what_aws_would_not_take_as_a_name_is_refused(name: str) -> None:
    with pytest.raises(NameFault, match="cannot name an installation"):
        checked_name(name)


def test_the_longest_name_fits_every_service() -> None:
    names = msgspec.structs.replace(NAMES, name=checked_name("a" * 40))
    roles = (names.bridge_role, names.execution_role, names.task_role)

    # IAM 64, SQS 80, EventBridge 64, EC2 255, CloudWatch Logs 512, ECS 255.
    assert max(len(each) for each in roles) <= 64
    assert max(len(names.queue), len(names.dead_letters)) <= 80
    assert len(names.queue) <= 64
    assert len(names.security_group) <= 255
    assert max(len(names.log_group), len(names.performance_log)) <= 512
