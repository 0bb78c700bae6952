"""What AWS does that no emulator does by itself: a death at any moment, refusals, things that come late."""

import json
from typing import Any

import msgspec
import pytest

from app.aws.account.account import Account
from app.aws.account.calls import Calls
from app.aws.account.leftovers import Sweeper
from app.aws.account.options import Options
from app.aws.account.plan import Keep, Refuse
from app.aws.account.wanted import SERVICE_ROLE
from app.model.wire import Json
from app.ports.failures import Conflict, PortFailure, Unavailable
from tests.aws.account.fakes import HastyClock
from tests.aws.account.moto_server import Front, Reply, json_error, query_error
from tests.aws.account.test_destroy import (
    FAMILY,
    a_secret,
    definition,
    destroyed,
    everything,
    not_there,
    silent,
)
from tests.aws.account.test_init import applied

INIT_WRITES = 21
DESTROY_WRITES = 16
READS = ("get_", "list_", "describe_")


class Killed(BaseException):
    """The process was ended by SIGKILL: nothing of ours runs any more."""


class MortalCalls(Calls):
    """Dies right after a change was carried out, before anybody could hear of it."""

    changes_left = 0

    async def ask(self, service: str, operation: str, **parameters: Any) -> dict[str, Json]:
        answer = await super().ask(service, operation, **parameters)
        if not operation.startswith(READS):
            self.changes_left -= 1
            if not self.changes_left:
                raise Killed
        return answer


@pytest.fixture
def mortal(calls: Calls, time: HastyClock) -> MortalCalls:
    return MortalCalls(calls._connection, clock=time)


@pytest.mark.parametrize("number", range(1, INIT_WRITES + 1))
async def test_an_init_that_was_killed_is_continued(
    account: Account, options: Options, front: Front, mortal: MortalCalls, number: int
) -> None:
    mortal.changes_left = number

    with pytest.raises(Killed):
        await applied(Account(mortal, account.names), options)
    steps = await applied(account, options)

    assert not any(isinstance(each, Refuse) for each in steps)
    assert {type(each) for each in await account.plan(options)} == {Keep}
    assert len(front.client("iam").list_roles()["Roles"]) == 4


async def test_an_init_changes_no_more_often_than_it_is_killed_above(
    account: Account, options: Options, front: Front
) -> None:
    await applied(account, options)

    assert len(front.changes) == INIT_WRITES


@pytest.mark.parametrize("number", range(1, DESTROY_WRITES + 1))
async def test_a_destroy_that_was_killed_is_continued(
    account: Account, sweeper: Sweeper, options: Options, front: Front, mortal: MortalCalls, number: int
) -> None:
    await applied(account, options)
    definition(front, FAMILY)
    a_secret(front, "spillway/0/fargate/shop_password")
    mortal.changes_left = number

    with pytest.raises(Killed):
        await destroyed(Account(mortal, account.names), Sweeper(mortal, account.names, clock=HastyClock()))
    await destroyed(account, sweeper)

    assert await not_there(account, options) == everything(options)
    assert (await sweeper.look(())).definitions == 0
    assert front.client("secretsmanager").list_secrets()["SecretList"] == []


async def test_a_destroy_changes_no_more_often_than_it_is_killed_above(
    account: Account, sweeper: Sweeper, options: Options, front: Front
) -> None:
    await applied(account, options)
    definition(front, FAMILY)
    a_secret(front, "spillway/0/fargate/shop_password")
    front.asked.clear()

    await destroyed(account, sweeper)

    assert len(front.changes) == DESTROY_WRITES


JSON_NO = json_error("AccessDeniedException", "no", status=403)
QUERY_NO = query_error("AccessDenied", "no", status=403)
EC2_NO = query_error("UnauthorizedOperation", "You are not authorized to perform this operation.", status=403)


@pytest.mark.parametrize(
    ("operation", "reply", "named"),
    [
        pytest.param("DescribeLogGroups", JSON_NO, "logs:DescribeLogGroups for /spillway", id="see logs"),
        pytest.param("CreateLogGroup", JSON_NO, "logs:CreateLogGroup for /spillway/pods", id="logs"),
        pytest.param("PutRetentionPolicy", JSON_NO, "logs:PutRetentionPolicy for /spillway", id="retention"),
        pytest.param("DescribeClusters", JSON_NO, "ecs:DescribeClusters for spillway", id="see cluster"),
        pytest.param("CreateCluster", JSON_NO, "ecs:CreateCluster for spillway", id="cluster"),
        pytest.param(
            "PutClusterCapacityProviders", JSON_NO, "ecs:PutClusterCapacityProviders for spill", id="Spot"
        ),
        pytest.param("UpdateCluster", JSON_NO, "ecs:UpdateCluster for spillway", id="Insights"),
        pytest.param("CreateRole", QUERY_NO, "iam:CreateRole for spillway-execution", id="role"),
        pytest.param("PutRolePolicy", QUERY_NO, "iam:PutRolePolicy for spillway-execution", id="policy"),
        pytest.param(
            "CreateServiceLinkedRole", QUERY_NO, "iam:CreateServiceLinkedRole for ecs.amazonaws.com", id="SLR"
        ),
        pytest.param(
            "DescribeSecurityGroups", EC2_NO, "security group spillway-tasks: ", id="see security group"
        ),
        pytest.param(
            "CreateSecurityGroup", EC2_NO, "ec2:CreateSecurityGroup for spillway-tasks", id="security group"
        ),
        pytest.param(
            "AuthorizeSecurityGroupIngress", EC2_NO, "ec2:AuthorizeSecurityGroupIngress for sg-", id="rules"
        ),
        pytest.param("GetQueueUrl", JSON_NO, "sqs:GetQueueUrl for spillway-task-events", id="see queue"),
        pytest.param("CreateQueue", JSON_NO, "sqs:CreateQueue for spillway-task-events", id="queue"),
        pytest.param("SetQueueAttributes", JSON_NO, "sqs:SetQueueAttributes for http", id="queue's settings"),
        pytest.param("DescribeRule", JSON_NO, "events:DescribeRule for spillway-task-events", id="see rule"),
        pytest.param("PutRule", JSON_NO, "events:PutRule for spillway-task-events", id="rule"),
        pytest.param("PutTargets", JSON_NO, "events:PutTargets for spillway-task-events", id="target"),
    ],
)
async def test_a_refusal_names_the_permission_and_the_resource(
    account: Account, options: Options, front: Front, operation: str, reply: Reply, named: str
) -> None:
    front.script(operation, reply)

    with pytest.raises(PortFailure) as refused:
        await applied(account, options)

    assert f"your identity needs the permission {named}" in str(refused.value) or named in str(refused.value)
    assert str(refused.value).partition(": ")[0].split(" ")[0] in {
        *("log", "ECS", "IAM", "security", "SQS", "EventBridge", "service-linked")
    }
    assert front.asked.count(operation) == 1
    await applied(account, options)


async def test_the_permission_that_aws_names_goes_before_the_operations(
    account: Account, options: Options, front: Front
) -> None:
    arn = "arn:aws:ecs:eu-west-1:123456789012:cluster/spillway"
    said = f"User: arn:aws:iam::1:user/ann is not authorized to perform: ecs:TagResource on resource: {arn}"
    front.script("CreateCluster", json_error("AccessDeniedException", said))

    with pytest.raises(PortFailure, match=f"needs the permission ecs:TagResource for {arn}"):
        await applied(account, options)


async def test_an_accounts_first_cluster_waits_for_ecss_own_role(
    account: Account, options: Options, front: Front, time: HastyClock
) -> None:
    said = "Unable to assume the service linked role. Please verify that the ECS service linked role exists."
    front.script("PutClusterCapacityProviders", *[json_error("InvalidParameterException", said)] * 4)

    await applied(account, options)

    assert front.asked.count("PutClusterCapacityProviders") == 5
    assert front.asked.index("CreateServiceLinkedRole") < front.asked.index("CreateCluster")
    assert 8.0 in time.slept


async def test_ecss_own_role_may_be_made_by_somebody_quicker(
    account: Account, options: Options, front: Front
) -> None:
    said = f"Service role name {SERVICE_ROLE} has been taken in this account"
    front.script("CreateServiceLinkedRole", query_error("InvalidInput", said))

    await applied(account, options)

    assert front.asked.count("CreateServiceLinkedRole") == 1


async def test_ecss_own_role_is_taken_to_be_there_where_it_may_not_be_seen(
    account: Account, options: Options, front: Front
) -> None:
    front.script("ListRoles", QUERY_NO)

    await applied(account, options)

    assert "CreateServiceLinkedRole" not in front.asked


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        pytest.param("PutRetentionPolicy", "ResourceNotFoundException", id="log group"),
        pytest.param("PutClusterCapacityProviders", "ClusterNotFoundException", id="cluster"),
        pytest.param("UpdateCluster", "UpdateInProgressException", id="cluster at work"),
        pytest.param("SetQueueAttributes", "AWS.SimpleQueueService.NonExistentQueue", id="queue"),
        pytest.param("PutTargets", "ResourceNotFoundException", id="rule"),
        pytest.param("ListTargetsByRule", "ResourceNotFoundException", id="rule's targets"),
    ],
)
async def test_what_was_made_just_now_and_is_not_known_yet_is_waited_for(
    account: Account, options: Options, front: Front, operation: str, code: str
) -> None:
    front.script(operation, *[json_error(code, "not yet")] * 3)

    await applied(account, options)

    assert {type(each) for each in await account.plan(options)} == {Keep}


async def test_what_the_chart_is_told_is_known_before_aws_lists_it(
    account: Account, options: Options, front: Front
) -> None:
    await applied(account, options)
    front.always("GetQueueUrl", json_error("AWS.SimpleQueueService.NonExistentQueue"))
    front.always("DescribeSecurityGroups", Reply("<DescribeSecurityGroupsResponse/>"))

    assert (await account.queue_url()).endswith("/spillway-task-events")
    assert len(await account.security_groups()) == 1


async def test_a_person_hears_why_nothing_happens(calls: Calls, front: Front, time: HastyClock) -> None:
    heard: list[tuple[str, float]] = []
    said = "You must wait 60 seconds after deleting a queue before you can create another with the same name."
    code = "AWS.SimpleQueueService.QueueDeletedRecently"
    front.script("CreateQueue", *[json_error(code, said)] * 5)
    patient = Calls(calls._connection, clock=time, waiting=lambda why, pause: heard.append((why, pause)))

    await patient.ask("sqs", "create_queue", settling=True, QueueName="spillway-task-events")

    assert [pause for _, pause in heard] == [4.0, 8.0, 16.0]
    assert said in heard[0][0]


async def test_a_queues_name_is_waited_for_longer_than_sqs_keeps_it(
    account: Account, options: Options, front: Front, time: HastyClock
) -> None:
    front.always("CreateQueue", json_error("AWS.SimpleQueueService.QueueDeletedRecently", "60 seconds"))
    began = time.steady()

    with pytest.raises(Conflict, match=r"SQS queue spillway-task-events-dead-letters: .*60 seconds"):
        await applied(account, options)

    assert time.steady() - began > 60


async def test_throttling_is_outlived_and_in_the_end_told_of(
    account: Account, options: Options, front: Front, time: HastyClock
) -> None:
    front.always("DescribeRule", json_error("ThrottlingException", "Rate exceeded"))

    with pytest.raises(PortFailure, match=r"EventBridge rule spillway-task-events: .*Rate exceeded"):
        await account.plan(options)

    assert front.asked.count("DescribeRule") == 7


async def test_services_are_paced_apart_from_each_other(calls: Calls, front: Front, time: HastyClock) -> None:
    front.always("DescribeRule", Reply("{}"))
    front.always("DescribeLogGroups", Reply("{}"))
    began = time.steady()

    for _ in range(40):
        await calls.ask("events", "describe_rule", Name="x")
    paced = time.steady() - began
    await calls.ask("logs", "describe_log_groups")

    assert paced == pytest.approx(2.0, abs=0.2)
    assert time.steady() - began == paced


async def test_an_inactive_cluster_is_made_anew(account: Account, options: Options, front: Front) -> None:
    old = {"clusterArn": account.names.cluster_arn, "clusterName": "spillway", "status": "INACTIVE"}
    front.script("DescribeClusters", Reply(json.dumps({"clusters": [old], "failures": []})))

    await applied(account, options)

    assert front.asked.count("CreateCluster") == 1
    assert {type(each) for each in await account.plan(options)} == {Keep}


async def test_the_way_out_that_ec2_gives_where_there_is_ipv6_is_kept(
    account: Account, options: Options, front: Front
) -> None:
    ec2 = front.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.8.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]["VpcId"]
    dual = msgspec.structs.replace(options, vpc=vpc)

    await applied(account, dual)
    again = await account.plan(dual)
    [group] = ec2.describe_security_groups(GroupIds=list(await account.security_groups()))["SecurityGroups"]

    assert {type(each) for each in again} == {Keep}
    assert [each["CidrIpv6"] for rule in group["IpPermissionsEgress"] for each in rule["Ipv6Ranges"]] == [
        "::/0"
    ]


async def test_interfaces_that_hold_the_group_are_named(
    account: Account, sweeper: Sweeper, options: Options, front: Front
) -> None:
    await applied(account, options)
    [group] = await account.security_groups()
    ec2 = front.client("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    said = "arn:aws:ecs:eu-west-1:123456789012:attachment/0a1b"
    made = ec2.create_network_interface(SubnetId=subnet, Groups=[group], Description=said)
    interface = made["NetworkInterface"]["NetworkInterfaceId"]
    front.always("DeleteSecurityGroup", query_error("DependencyViolation", "has a dependent object"))

    with pytest.raises(Conflict, match=rf"security group spillway-tasks: .*in it are {interface} \({said}\)"):
        await destroyed(account, sweeper)


async def test_tasks_that_end_already_are_waited_for(
    sweeper: Sweeper, front: Front, time: HastyClock
) -> None:
    arn = f"arn:aws:ecs:eu-west-1:123456789012:task/spillway/{'0' * 32}"
    ending = Reply(json.dumps({"tasks": [{"taskArn": arn, "lastStatus": "STOPPING"}]}))
    ended = Reply(json.dumps({"tasks": [{"taskArn": arn, "lastStatus": "STOPPED"}]}))
    front.script("ListTasks", Reply(json.dumps({"taskArns": [arn]})))
    front.script("DescribeTasks", ending, ending, ended)

    await sweeper.ended(counted=silent)

    assert time.slept.count(5.0) == 2
    assert front.changes == []


async def test_a_listing_of_several_pages_is_read_to_its_end(
    account: Account, sweeper: Sweeper, front: Front
) -> None:
    family = f"arn:aws:ecs:eu-west-1:123456789012:task-definition/{FAMILY}"
    first = {"taskDefinitionArns": [f"{family}:1"], "nextToken": "more"}
    front.script(
        "ListTaskDefinitions",
        Reply(json.dumps(first)),
        Reply(json.dumps({"taskDefinitionArns": [f"{family}:2"]})),
        Reply(json.dumps({"taskDefinitionArns": []})),
    )
    front.script(
        "ListClusters", Reply(json.dumps({"clusterArns": ["arn:x/a"], "nextToken": "more"})), Reply("{}")
    )
    group = {"logGroupName": "/spillway/pods-of-others", "arn": "arn:x"}
    front.script(
        "DescribeLogGroups", Reply(json.dumps({"logGroups": [group], "nextToken": "more"})), Reply("{}")
    )

    left = await sweeper.look(())
    others = await account.others()

    assert len(left.active) == 2
    assert left.performance_log is False
    assert others == ()
    assert (front.asked.count("ListClusters"), front.asked.count("DescribeLogGroups")) == (2, 2)


async def test_credentials_that_the_region_does_not_know_are_told_of(
    account: Account, calls: Calls, front: Front
) -> None:
    front.always("GetCallerIdentity", query_error("InvalidClientTokenId", "is invalid", status=403))

    with pytest.raises(Unavailable, match="check the AWS credentials"):
        await Account.found(calls, name="spillway")
