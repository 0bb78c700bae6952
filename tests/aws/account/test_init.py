"""`init`: makes what is missing, repairs what is not as wanted, and touches nothing else."""

import json
from collections.abc import Callable, Sequence

import msgspec
import pytest

from app.aws.account.account import Account
from app.aws.account.options import Irsa, NodeRole, Options, PodIdentity, Trust
from app.aws.account.plan import Change, Create, Keep, Refuse, Step
from app.aws.account.wanted import BOUNDARY, SERVICE_ROLE, Key, Kind, wanted
from app.ports.failures import Conflict, PortFailure, Refused
from tests.aws.account.fakes import HastyClock
from tests.aws.account.moto_server import Front, json_error, query_error

PROVIDER = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0A1B"
NODES = "arn:aws:iam::123456789012:role/nodes"
BOUNDARY_ARN = "arn:aws:iam::123456789012:policy/boundary"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd"


async def applied(account: Account, options: Options) -> tuple[Step, ...]:
    """An init, and the steps it took."""
    steps = await account.plan(options)
    done: list[Step] = []
    await account.apply(steps, told=done.append)  # type: ignore[arg-type]  # applies no removal
    assert tuple(done) == steps
    return steps


def changed(steps: Sequence[Step]) -> dict[str, tuple[str, ...]]:
    """The aspects that are to change, by the resource."""
    return {str(step.resource.key): step.aspects for step in steps if isinstance(step, Change)}


async def test_an_empty_account_is_given_everything(account: Account, options: Options) -> None:
    steps = await applied(account, options)

    assert steps == tuple(Create(each) for each in wanted(options))


async def test_the_second_init_changes_nothing(account: Account, options: Options, front: Front) -> None:
    await applied(account, options)
    front.asked.clear()

    steps = await applied(account, options)

    assert {type(each) for each in steps} == {Keep}
    assert front.asked
    assert front.changes == []


@pytest.mark.parametrize(
    "trust",
    [
        pytest.param(PodIdentity(), id="Pod Identity"),
        pytest.param(Irsa(provider=PROVIDER), id="IRSA"),
        pytest.param(NodeRole(role=NODES), id="kube2iam"),
    ],
)
async def test_every_option_is_kept_the_second_time(account: Account, options: Options, trust: Trust) -> None:
    full = msgspec.structs.replace(
        options,
        trust=trust,
        insights="enhanced",
        retention_days=90,
        kms_key=KEY,
        task_roles=("arn:aws:iam::123456789012:role/team-*",),
        ebs_role="arn:aws:iam::123456789012:role/ecs-volumes",
        boundary=BOUNDARY_ARN,
    )
    await applied(account, full)

    assert {type(each) for each in await account.plan(full)} == {Keep}


async def test_a_plan_changes_nothing(account: Account, options: Options, front: Front) -> None:
    await account.plan(options)

    assert front.changes == []


async def test_what_other_options_say_is_changed_and_no_more(account: Account, options: Options) -> None:
    await applied(account, options)
    other = msgspec.structs.replace(options, retention_days=7, pod_cidrs=("10.9.0.0/16",), eks_cluster="")

    steps = await applied(account, other)

    assert changed(steps) == {
        "log group /spillway/pods": ("retention in days",),
        "IAM role spillway-bridge": ("policy",),
        "security group spillway-tasks": ("ingress",),
    }
    assert {type(each) for each in await account.plan(other)} == {Keep}


async def test_a_boundary_is_given_and_taken_back(account: Account, options: Options) -> None:
    bounded = msgspec.structs.replace(options, boundary=BOUNDARY_ARN)
    await applied(account, options)

    assert set(changed(await applied(account, bounded)).values()) == {(BOUNDARY,)}
    assert set(changed(await applied(account, options)).values()) == {(BOUNDARY,)}


async def test_another_key_of_sessions_leaves_their_log_where_it_is(
    account: Account, options: Options, front: Front
) -> None:
    await applied(account, options)
    ecs = front.client("ecs")
    audit = {"logging": "OVERRIDE", "logConfiguration": {"cloudWatchLogGroupName": "/audit"}}
    ecs.update_cluster(cluster="spillway", configuration={"executeCommandConfiguration": audit})

    for key in (KEY, ""):
        await applied(account, msgspec.structs.replace(options, kms_key=key))

    [cluster] = ecs.describe_clusters(clusters=["spillway"], include=["CONFIGURATIONS"])["clusters"]
    assert cluster["configuration"]["executeCommandConfiguration"] == audit


def foreign_statement(front: Front) -> None:
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    front.client("iam").put_role_policy(
        RoleName="spillway-bridge", PolicyName="spillway", PolicyDocument=json.dumps(policy)
    )


def lost_policy(front: Front) -> None:
    front.client("iam").delete_role_policy(RoleName="spillway-execution", PolicyName="spillway")


def other_trust(front: Front) -> None:
    principal = {"Service": "ec2.amazonaws.com"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    front.client("iam").update_assume_role_policy(
        RoleName="spillway-task",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )


def lost_target(front: Front) -> None:
    front.client("events").remove_targets(Rule="spillway-task-events", Ids=["queue"])


def more_targets(front: Front) -> None:
    target = {"Id": "other", "Arn": "arn:aws:sqs:eu-west-1:123456789012:other"}
    front.client("events").put_targets(Rule="spillway-task-events", Targets=[target])


def switched_off(front: Front) -> None:
    front.client("events").disable_rule(Name="spillway-task-events")


def other_pattern(front: Front) -> None:
    front.client("events").put_rule(Name="spillway-task-events", EventPattern='{"source": ["aws.s3"]}')


def closed_queue(front: Front) -> None:
    sqs = front.client("sqs")
    url = sqs.get_queue_url(QueueName="spillway-task-events")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": "", "VisibilityTimeout": "600"})


def no_spot(front: Front) -> None:
    front.client("ecs").put_cluster_capacity_providers(
        cluster="spillway", capacityProviders=["FARGATE"], defaultCapacityProviderStrategy=[]
    )


def no_insights(front: Front) -> None:
    settings = [{"name": "containerInsights", "value": "disabled"}]
    front.client("ecs").update_cluster(cluster="spillway", settings=settings)


def logs_for_ever(front: Front) -> None:
    front.client("logs").delete_retention_policy(logGroupName="/spillway/pods")


def the_group(front: Front) -> str:
    filters = [{"Name": "group-name", "Values": ["spillway-tasks"]}]
    return str(front.client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"])


def opened_group(front: Front) -> None:
    front.client("ec2").authorize_security_group_ingress(
        GroupId=the_group(front),
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        ],
    )


def closed_group(front: Front) -> None:
    everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    front.client("ec2").revoke_security_group_egress(GroupId=the_group(front), IpPermissions=everything)


@pytest.mark.parametrize(
    ("tamper", "resource", "aspects"),
    [
        pytest.param(foreign_statement, "IAM role spillway-bridge", ("policy",), id="policy changed"),
        pytest.param(lost_policy, "IAM role spillway-execution", ("policy",), id="policy lost"),
        pytest.param(other_trust, "IAM role spillway-task", ("trust",), id="trust changed"),
        pytest.param(lost_target, "EventBridge rule spillway-task-events", ("targets",), id="target lost"),
        pytest.param(more_targets, "EventBridge rule spillway-task-events", ("targets",), id="target added"),
        pytest.param(switched_off, "EventBridge rule spillway-task-events", ("state",), id="rule off"),
        pytest.param(
            other_pattern, "EventBridge rule spillway-task-events", ("event pattern",), id="pattern changed"
        ),
        pytest.param(
            closed_queue, "SQS queue spillway-task-events", ("policy", "settings"), id="queue changed"
        ),
        pytest.param(no_spot, "ECS cluster spillway", ("capacity providers",), id="no Spot"),
        pytest.param(no_insights, "ECS cluster spillway", ("Container Insights",), id="no Insights"),
        pytest.param(logs_for_ever, "log group /spillway/pods", ("retention in days",), id="retention"),
        pytest.param(opened_group, "security group spillway-tasks", ("ingress",), id="group opened"),
        pytest.param(closed_group, "security group spillway-tasks", ("egress",), id="group closed"),
    ],
)
async def test_drift_is_repaired(
    account: Account,
    options: Options,
    front: Front,
    tamper: Callable[[Front], None],
    resource: str,
    aspects: tuple[str, ...],
) -> None:
    await applied(account, options)
    tamper(front)

    assert changed(await applied(account, options)) == {resource: aspects}
    assert {type(each) for each in await account.plan(options)} == {Keep}


def their_role(front: Front) -> None:
    front.client("iam").create_role(RoleName="spillway-bridge", AssumeRolePolicyDocument="{}")


def their_cluster(front: Front) -> None:
    front.client("ecs").create_cluster(clusterName="spillway", tags=[{"key": "team", "value": "shop"}])


def their_logs(front: Front) -> None:
    front.client("logs").create_log_group(logGroupName="/spillway/pods", tags={"spillway.dev/name": "other"})


def their_queue(front: Front) -> None:
    front.client("sqs").create_queue(QueueName="spillway-task-events")


def their_rule(front: Front) -> None:
    front.client("events").put_rule(Name="spillway-task-events", EventPattern='{"source": ["aws.s3"]}')


def their_group(front: Front) -> None:
    ec2 = front.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    ec2.create_security_group(GroupName="spillway-tasks", Description="theirs", VpcId=vpc)


def another_regions_role(front: Front) -> None:
    tags = {"spillway.dev/name": "spillway", "spillway.dev/region": "us-east-1"}
    front.client("iam").create_role(
        RoleName="spillway-bridge",
        AssumeRolePolicyDocument="{}",
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )


@pytest.mark.parametrize(
    ("make", "resource", "words"),
    [
        pytest.param(their_role, "IAM role spillway-bridge", "no tag spillway.dev/name", id="role"),
        pytest.param(their_cluster, "ECS cluster spillway", "no tag spillway.dev/name", id="cluster"),
        pytest.param(their_logs, "log group /spillway/pods", "spillway.dev/name=other", id="logs"),
        pytest.param(their_queue, "SQS queue spillway-task-events", "another --name", id="queue"),
        pytest.param(their_rule, "EventBridge rule spillway-task-events", "another --name", id="rule"),
        pytest.param(their_group, "security group spillway-tasks", "another --name", id="group"),
        pytest.param(another_regions_role, "IAM role spillway-bridge", "of us-east-1", id="region"),
    ],
)
async def test_what_is_not_ours_is_refused_in_init_and_kept_by_destroy(
    account: Account, options: Options, front: Front, make: Callable[[Front], None], resource: str, words: str
) -> None:
    make(front)

    [refused] = [each for each in await account.plan(options) if isinstance(each, Refuse)]
    [kept] = [each for each in await account.plan_removal() if isinstance(each, Refuse)]

    assert str(refused.found.key) == resource
    assert words in refused.reason
    # Without a VPC a group of another VPC is nobody's business: it is looked for by its tag.
    assert str(kept.found.key) == resource


@pytest.mark.parametrize(
    ("operation", "reply"),
    [
        pytest.param("PutRetentionPolicy", json_error("LimitExceededException"), id="log group"),
        pytest.param("PutClusterCapacityProviders", json_error("ClientException"), id="cluster"),
        pytest.param("PutRolePolicy", query_error("LimitExceeded", status=409), id="role"),
        pytest.param("AuthorizeSecurityGroupIngress", query_error("RulesPerLimitExceeded"), id="group"),
        pytest.param("SetQueueAttributes", json_error("InvalidAttributeValue"), id="queue"),
        pytest.param("PutTargets", json_error("LimitExceededException"), id="rule"),
    ],
)
async def test_a_half_done_init_is_continued(
    account: Account, options: Options, front: Front, operation: str, reply: object
) -> None:
    front.script(operation, reply)  # type: ignore[arg-type]  # pytest's parameters are objects

    with pytest.raises(PortFailure):
        await applied(account, options)
    steps = await applied(account, options)

    assert not any(isinstance(each, Refuse) for each in steps)
    assert {type(each) for each in await account.plan(options)} == {Keep}


async def test_a_role_that_iam_does_not_know_yet_is_waited_for(
    account: Account, options: Options, front: Front, time: HastyClock
) -> None:
    front.script("PutRolePolicy", *[query_error("NoSuchEntity", "not yet", status=404)] * 3)

    await applied(account, options)

    assert front.asked.count("PutRolePolicy") == 6
    assert time.slept.count(1.0) == 1
    assert time.slept.count(4.0) == 1


async def test_a_trusted_role_that_iam_does_not_know_yet_is_waited_for(
    account: Account, options: Options, front: Front
) -> None:
    front.script("CreateRole", query_error("MalformedPolicyDocument", "Invalid principal in policy"))

    await applied(account, options)

    assert front.asked.count("CreateRole") == 4


async def test_a_queues_name_that_is_still_taken_is_waited_for(
    account: Account, options: Options, front: Front
) -> None:
    front.script("CreateQueue", json_error("AWS.SimpleQueueService.QueueDeletedRecently"))

    await applied(account, options)

    assert front.asked.count("CreateQueue") == 3


async def test_throttled_calls_are_repeated(account: Account, options: Options, front: Front) -> None:
    front.script("CreateCluster", *[json_error("ThrottlingException", "Rate exceeded")] * 2)

    await applied(account, options)

    assert front.asked.count("CreateCluster") == 3


async def test_a_missing_permission_is_named(account: Account, options: Options, front: Front) -> None:
    front.script("CreateRole", query_error("AccessDenied", "not authorized", status=403))

    with pytest.raises(Refused, match="your identity needs the permission iam:CreateRole"):
        await applied(account, options)


async def test_a_change_that_was_not_answered_is_not_repeated(
    account: Account, options: Options, front: Front
) -> None:
    front.script("CreateLogGroup", json_error("ServiceUnavailableException", status=503))

    with pytest.raises(PortFailure):
        await applied(account, options)
    assert front.asked.count("CreateLogGroup") == 1


async def test_a_group_that_a_log_driver_made_meanwhile_is_told_of(
    account: Account, options: Options, front: Front
) -> None:
    front.script("CreateLogGroup", json_error("ResourceAlreadyExistsException"))

    with pytest.raises(Conflict, match="run init again"):
        await applied(account, options)


async def test_two_installations_share_ecss_own_role_alone(account: Account, options: Options) -> None:
    other = msgspec.structs.replace(options, names=msgspec.structs.replace(account.names, name="batch"))

    shared = {each.key for each in wanted(options)} & {each.key for each in wanted(other)}

    assert shared == {Key(Kind.SERVICE_ROLE, SERVICE_ROLE)}
