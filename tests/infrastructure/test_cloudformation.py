"""The CloudFormation template makes what `spillway aws init` makes."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cfnlint import api  # type: ignore[import-untyped]  # it ships no types

from app.aws.account.account import Account
from app.aws.account.names import NameFault, checked_name
from app.aws.account.options import Irsa, NodeRole, Options, PodIdentity, ServiceAccount, Trust
from app.aws.account.plan import Change, Create, Keep, Step
from app.aws.account.values import Made, helm_values
from app.aws.account.wanted import Kind
from tests.aws.account.moto_server import Front, iam_backend
from tests.infrastructure import template

TEMPLATE = Path(__file__).parents[2] / "infrastructure" / "cloudformation" / "spillway.yaml"
PROVIDER = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0A1B"
NODES = "arn:aws:iam::123456789012:role/nodes"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd"

pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse AWS..SQS..QueuePolicy:UserWarning")
"""moto knows no queue policies; `completed` applies what the template says of them."""


def stacked(front: Front, parameters: dict[str, str]) -> dict[str, str]:
    """A stack of the template in an account that has had an ECS cluster before, and its outputs."""
    front.client("iam").create_service_linked_role(AWSServiceName="ecs.amazonaws.com")
    client = front.client("cloudformation")
    client.create_stack(
        StackName="spillway",
        TemplateBody=TEMPLATE.read_text(),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    completed(front, {"Name": "spillway", "ContainerInsights": "enabled", **parameters})
    [stack] = client.describe_stacks(StackName="spillway")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}


def completed(front: Front, parameters: dict[str, str]) -> None:
    """What moto leaves out of a stack, as the template says it.

    It keeps the documents of roles as Python objects, gives clusters a name alone, and knows no policies of
    queues.
    """
    for role in iam_backend().roles.values():
        role.policies.update({name: _text(each) for name, each in role.policies.items()})
        role.assume_role_policy_document = _text(role.assume_role_policy_document)
    resources = template.read(TEMPLATE, parameters)["Resources"]
    _complete_cluster(front.client("ecs"), resources["Cluster"]["Properties"])
    sqs, policy = front.client("sqs"), resources["TaskEventsPolicy"]["Properties"]["PolicyDocument"]
    queue = sqs.get_queue_url(QueueName=resources["TaskEvents"]["Properties"]["QueueName"])["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})


def _complete_cluster(ecs: Any, cluster: dict[str, Any]) -> None:
    name = cluster["ClusterName"]
    arn = ecs.describe_clusters(clusters=[name])["clusters"][0]["clusterArn"]
    ecs.tag_resource(
        resourceArn=arn, tags=[{"key": each["Key"], "value": each["Value"]} for each in cluster["Tags"]]
    )
    ecs.put_cluster_capacity_providers(
        cluster=name, capacityProviders=cluster["CapacityProviders"], defaultCapacityProviderStrategy=[]
    )
    settings = [{"name": each["Name"], "value": each["Value"]} for each in cluster["ClusterSettings"]]
    ecs.update_cluster(cluster=name, settings=settings)
    if cluster["Configuration"]:
        execute = cluster["Configuration"]["ExecuteCommandConfiguration"]
        told = {"logging": execute["Logging"], "kmsKeyId": execute["KmsKeyId"]}
        ecs.update_cluster(cluster=name, configuration={"executeCommandConfiguration": told})


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)


def left_to_do(steps: Sequence[Step]) -> dict[str, tuple[str, ...]]:
    """What is otherwise than init wants it."""
    assert {type(each) for each in steps} <= {Keep, Change}
    return {str(each.resource.key): each.aspects for each in steps if isinstance(each, Change)}


def test_the_linter_finds_nothing() -> None:
    assert api.lint(TEMPLATE.read_text(), regions=["eu-west-1", "us-east-1"]) == []


@pytest.mark.parametrize("name", ["spillway", "a", "a" * 40, "sg", "s-g-1"])
def test_a_name_that_init_takes_is_taken(name: str) -> None:
    assert re.fullmatch(allowed_name(), checked_name(name))


@pytest.mark.parametrize("name", ["sg-x", "-a", "a_b", "Spillway", "a" * 41, "", "a/b"])
def test_a_name_that_init_refuses_is_refused(name: str) -> None:
    with pytest.raises(NameFault):
        checked_name(name)
    assert not re.fullmatch(allowed_name(), name)


def allowed_name() -> str:
    """The pattern of the parameter `Name`."""
    return str(template.read(TEMPLATE, {})["Parameters"]["Name"]["AllowedPattern"])


@pytest.mark.parametrize(
    ("trust", "parameters"),
    [
        pytest.param(PodIdentity(), {}, id="Pod Identity"),
        pytest.param(Irsa(provider=PROVIDER), {"Trust": "irsa", "OidcProvider": PROVIDER}, id="IRSA"),
        pytest.param(NodeRole(role=NODES), {"Trust": "node-role", "NodeRole": NODES}, id="kube2iam"),
    ],
)
async def test_init_has_nothing_to_do_after_the_template(
    front: Front, account: Account, options: Options, trust: Trust, parameters: dict[str, str]
) -> None:
    plain = msgspec.structs.replace(options, trust=trust, pod_cidrs=(), eks_cluster="")
    stacked(front, {"Vpc": options.vpc, **parameters})

    assert left_to_do(await account.plan(plain)) == {}


async def test_init_has_nothing_to_do_after_the_template_with_every_parameter(
    front: Front, account: Account, vpc: str
) -> None:
    nodes = front.client("ec2").create_security_group(GroupName="nodes", Description="nodes", VpcId=vpc)
    full = Options(
        names=msgspec.structs.replace(account.names, name="batch"),
        trust=PodIdentity(account=ServiceAccount(namespace="infra", name="bridge")),
        vpc=vpc,
        node_security_groups=(nodes["GroupId"],),
        pod_cidrs=("10.20.0.0/16",),
        retention_days=90,
        insights="enhanced",
        eks_cluster="prod",
        kms_key=KEY,
        task_roles=("arn:aws:iam::123456789012:role/a-*", "arn:aws:iam::123456789012:role/b"),
        ebs_role="arn:aws:iam::123456789012:role/ecs-volumes",
        boundary="arn:aws:iam::123456789012:policy/boundary",
    )
    stacked(
        front,
        {
            "Name": "batch",
            "Namespace": "infra",
            "ServiceAccount": "bridge",
            "Vpc": vpc,
            "NodeSecurityGroup": nodes["GroupId"],
            "PodCidr": "10.20.0.0/16",
            "LogRetention": "90",
            "ContainerInsights": "enhanced",
            "EksCluster": "prod",
            "KmsKey": KEY,
            "TaskRoles": ",".join(full.task_roles),
            "EbsRole": full.ebs_role,
            "PermissionsBoundary": full.boundary,
        },
    )
    batch = Account(account._calls, full.names)

    assert left_to_do(await batch.plan(full)) == {}


async def test_nothing_is_left_after_the_stack(front: Front, account: Account, options: Options) -> None:
    stacked(front, {"Vpc": options.vpc})

    front.client("cloudformation").delete_stack(StackName="spillway")

    left = [each for each in await account.plan(options) if not isinstance(each, Create)]
    # moto deletes no clusters with their stack; the service-linked role is the account's.
    assert [each.found.key.kind for each in left] == [Kind.SERVICE_ROLE, Kind.CLUSTER]


def test_the_outputs_are_the_charts_values(front: Front, vpc: str, options: Options) -> None:
    outputs = stacked(front, {"Vpc": vpc})
    made = Made(queue_url=outputs["EventsQueue"], security_groups=(outputs["SecurityGroup"],))
    plain = msgspec.structs.replace(options, eks_cluster="")
    settings = helm_values(plain, made, subnets=(), public_ip=False)["bridge"]["settings"]

    assert outputs.pop("BridgeRole") == options.names.role_arn("spillway-bridge")
    assert outputs == {
        "Region": settings["region"],
        "EcsCluster": settings["ecsCluster"],
        "LogGroup": settings["logGroup"],
        "ExecutionRole": settings["executionRole"],
        "TaskRole": settings["taskRole"],
        "SecurityGroup": settings["securityGroups"][0],
        "EventsQueue": settings["eventsQueue"],
    }
