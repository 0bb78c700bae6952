"""`destroy`: everything that is ours goes, whoever made it, and nothing else."""

import json

import msgspec
import pytest

from app.aws.account.account import Account
from app.aws.account.calls import Calls
from app.aws.account.checks.examiner import Examiner
from app.aws.account.departure import Departure, Leftovers, departure, owns_cluster
from app.aws.account.leftovers import Sweeper
from app.aws.account.options import Options
from app.aws.account.plan import Absent, Create, Delete, Removal
from app.aws.account.wanted import Key, Kind, wanted
from app.aws.offers import AwsOffers
from app.ports.failures import Conflict, Unavailable
from app.wiring.account import Prepared
from tests.aws.account.fakes import HastyClock
from tests.aws.account.moto_server import Front, Reply, query_error
from tests.aws.account.test_init import applied, their_cluster, their_role

FAMILY = f"spillway-{'0' * 40}"
PERFORMANCE = "/aws/ecs/containerinsights/spillway/performance"


def silent(what: str, done: int, of: int) -> None:
    """Progress that nobody hears of."""


async def leaving(account: Account, sweeper: Sweeper, *, keep_logs: bool = False) -> Departure:
    steps = await account.plan_removal()
    tasks = await sweeper.tasks() if owns_cluster(steps) else ()
    left = await sweeper.look(tasks)
    return departure(steps, left, others=await account.others(), keep_logs=keep_logs)


async def destroyed(account: Account, sweeper: Sweeper, *, keep_logs: bool = False) -> Departure:
    """A destroy that stops tasks."""
    going = await leaving(account, sweeper, keep_logs=keep_logs)
    done: list[Removal] = []
    await sweeper.stop(going.left.tasks, counted=silent)
    await account.remove(going.steps, told=done.append)  # type: ignore[arg-type]  # applies no plan
    await sweeper.remove(going.left, counted=silent)
    return going


def everything(options: Options) -> set[Key]:
    """What an init makes that is ours alone."""
    return {each.key for each in wanted(options) if each.key.kind is not Kind.SERVICE_ROLE}


async def not_there(account: Account, options: Options) -> set[Key]:
    """What an init would make."""
    return {each.resource.key for each in await account.plan(options) if isinstance(each, Create)}


def role_paths(front: Front) -> list[str]:
    """The paths of all roles of the account; AWS's own have one each."""
    return [str(each["Path"]) for each in front.client("iam").list_roles()["Roles"]]


def definition(front: Front, family: str) -> str:
    """A task definition."""
    made = front.client("ecs").register_task_definition(
        family=family,
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "app", "image": "app", "cpu": 256, "memory": 512}],
    )
    return str(made["taskDefinition"]["taskDefinitionArn"])


def a_task(front: Front, vpc: str) -> str:
    """A task of our cluster, as a bridge launches it."""
    ec2 = front.client("ec2")
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    subnet = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"][0]["SubnetId"]
    filters = [{"Name": "group-name", "Values": ["spillway-tasks"]}]
    group = ec2.describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"]
    network = {"awsvpcConfiguration": {"subnets": [subnet], "securityGroups": [group]}}
    ran = front.client("ecs").run_task(
        cluster="spillway", taskDefinition=FAMILY, launchType="FARGATE", networkConfiguration=network
    )
    return str(ran["tasks"][0]["taskArn"])


def a_secret(front: Front, name: str, *, tagged: bool = True) -> str:
    tags = [{"Key": "spillway:managed-by", "Value": "spillway"}] if tagged else []
    made = front.client("secretsmanager").create_secret(Name=name, SecretString="{}", Tags=tags)
    return str(made["ARN"])


async def test_nothing_is_left_of_what_init_and_bridges_made(
    account: Account, sweeper: Sweeper, options: Options, front: Front
) -> None:
    await applied(account, options)
    definition(front, FAMILY)
    definition(front, FAMILY)
    a_secret(front, "spillway/0/fargate/shop_password")
    front.client("logs").create_log_group(logGroupName=PERFORMANCE)

    going = await destroyed(account, sweeper)

    assert (going.left.definitions, len(going.left.secrets)) == (2, 1)
    assert await not_there(account, options) == everything(options)
    assert await sweeper.look(()) == Leftovers()
    assert front.client("logs").describe_log_groups()["logGroups"] == []
    assert role_paths(front) == ["/aws-service-role/ecs.amazonaws.com/"]


async def test_a_second_destroy_does_nothing(
    account: Account, sweeper: Sweeper, options: Options, front: Front
) -> None:
    await applied(account, options)
    await destroyed(account, sweeper)
    front.asked.clear()

    again = await destroyed(account, sweeper)

    assert again.is_nothing
    assert {type(each) for each in again.steps} == {Absent}
    assert front.changes == []


async def test_what_stands_on_others_goes_first(account: Account, options: Options) -> None:
    await applied(account, options)

    kinds = [each.found.key.kind.value for each in await account.plan_removal() if isinstance(each, Delete)]

    assert kinds.index("EventBridge rule") < kinds.index("SQS queue")
    assert kinds[-2:] == ["log group", "security group"]


async def test_it_can_be_made_again_after_it_was_removed(
    account: Account, sweeper: Sweeper, options: Options
) -> None:
    await applied(account, options)
    await destroyed(account, sweeper)

    again = await applied(account, options)

    assert {each.resource.key for each in again if isinstance(each, Create)} == everything(options)


async def test_it_is_looked_at_until_aws_has_forgotten_it(
    account: Account, sweeper: Sweeper, calls: Calls, options: Options, front: Front, time: HastyClock
) -> None:
    prepared = _prepared(account, sweeper, calls, time)
    await applied(account, options)
    secret = {"ARN": "arn:x", "Name": "spillway/0", "Tags": [{"Key": "spillway:managed-by", "Value": "x"}]}

    await prepared.remove(await prepared.departure(keep_logs=False), told=lambda _: None, counted=silent)
    front.script("ListSecrets", *[told({"SecretList": [secret]})] * 3)
    remains = await prepared.remains(keep_logs=False)

    assert remains.is_nothing
    assert time.slept.count(5.0) == 3


async def test_what_aws_does_not_forget_is_told_of(
    account: Account, sweeper: Sweeper, calls: Calls, options: Options, time: HastyClock
) -> None:
    await applied(account, options)
    began = time.steady()

    remains = await _prepared(account, sweeper, calls, time).remains(keep_logs=False)

    assert not remains.is_nothing
    assert time.steady() - began >= 60


def _prepared(account: Account, sweeper: Sweeper, calls: Calls, time: HastyClock) -> Prepared:
    examiner = Examiner(calls, account, offers=AwsOffers(calls._connection))
    return Prepared(account, sweeper, examiner, clock=time)


async def test_groups_of_every_vpc_go(
    account: Account, sweeper: Sweeper, options: Options, front: Front
) -> None:
    other = front.client("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    await applied(account, options)
    await applied(account, msgspec.structs.replace(options, vpc=other))

    await destroyed(account, sweeper)

    assert await account.security_groups() == ()


async def test_a_role_that_somebody_gave_more_goes_all_the_same(
    account: Account, sweeper: Sweeper, options: Options, front: Front
) -> None:
    await applied(account, options)
    iam = front.client("iam")
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
    iam.put_role_policy(RoleName="spillway-bridge", PolicyName="more", PolicyDocument=document)
    policy = iam.create_policy(PolicyName="theirs", PolicyDocument=document)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="spillway-bridge", PolicyArn=policy)

    await destroyed(account, sweeper)

    assert role_paths(front) == ["/aws-service-role/ecs.amazonaws.com/"]
    assert [each["Arn"] for each in iam.list_policies(Scope="Local")["Policies"]] == [policy]


async def test_what_only_looks_like_ours_stays(
    account: Account, sweeper: Sweeper, options: Options, front: Front
) -> None:
    await applied(account, options)
    theirs = [definition(front, "spillway-web"), definition(front, "shop")]
    secret = a_secret(front, "spillway/theirs", tagged=False)

    await destroyed(account, sweeper)

    assert front.client("ecs").list_task_definitions(status="ACTIVE")["taskDefinitionArns"] == theirs
    assert [each["ARN"] for each in front.client("secretsmanager").list_secrets()["SecretList"]] == [secret]


async def test_what_is_somebody_elses_stays_and_it_is_said_why(
    account: Account, sweeper: Sweeper, front: Front
) -> None:
    their_role(front)

    going = await destroyed(account, sweeper)

    assert len(going.kept) == 1
    assert "IAM role spillway-bridge: it has no tag spillway.dev/name" in going.kept[0]
    assert [each["RoleName"] for each in front.client("iam").list_roles()["Roles"]] == ["spillway-bridge"]


async def test_tasks_of_somebody_elses_cluster_are_not_looked_at(
    account: Account, sweeper: Sweeper, front: Front
) -> None:
    their_cluster(front)
    front.client("logs").create_log_group(logGroupName=PERFORMANCE)

    going = await destroyed(account, sweeper)

    assert "ListTasks" not in front.asked
    assert going.left.performance_log is False


async def test_the_bridge_of_somebody_elses_cluster_keeps_what_may_be_its_own(
    account: Account, sweeper: Sweeper, front: Front
) -> None:
    their_cluster(front)
    arn, secret = definition(front, FAMILY), a_secret(front, "spillway/0/fargate/shop_password")

    going = await destroyed(account, sweeper)

    assert "the bridge of the ECS cluster, which is not ours, may need them" in going.kept[-1]
    assert front.client("ecs").list_task_definitions(status="ACTIVE")["taskDefinitionArns"] == [arn]
    assert [each["ARN"] for each in front.client("secretsmanager").list_secrets()["SecretList"]] == [secret]


async def test_another_installations_bridges_keep_what_may_be_theirs(
    account: Account, sweeper: Sweeper, options: Options, front: Front
) -> None:
    await applied(account, options)
    arn = definition(front, FAMILY)
    tags = [{"key": "spillway.dev/name", "value": "batch"}]
    front.client("ecs").create_cluster(clusterName="batch", tags=tags)

    going = await destroyed(account, sweeper)

    assert "the bridges of installation batch may need them" in going.kept[0]
    assert front.client("ecs").list_task_definitions(status="ACTIVE")["taskDefinitionArns"] == [arn]


async def test_logs_can_be_kept(account: Account, sweeper: Sweeper, options: Options, front: Front) -> None:
    await applied(account, options)
    front.client("logs").create_log_group(logGroupName=PERFORMANCE)

    going = await destroyed(account, sweeper, keep_logs=True)

    assert going.kept == ("log group /spillway/pods: --keep-logs says so",)
    groups = front.client("logs").describe_log_groups()["logGroups"]
    assert [each["logGroupName"] for each in groups] == [PERFORMANCE, "/spillway/pods"]


async def test_a_half_done_destroy_is_continued(
    account: Account, sweeper: Sweeper, options: Options, front: Front
) -> None:
    await applied(account, options)
    front.script("DeleteRole", query_error("ServiceFailure", status=500))

    with pytest.raises(Unavailable):
        await destroyed(account, sweeper)
    await destroyed(account, sweeper)

    assert await not_there(account, options) == everything(options)


async def test_a_group_that_interfaces_still_stand_in_is_waited_for(
    account: Account, sweeper: Sweeper, options: Options, front: Front
) -> None:
    await applied(account, options)
    front.script("DeleteSecurityGroup", *[query_error("DependencyViolation", "has a dependent object")] * 3)

    await destroyed(account, sweeper)

    assert front.asked.count("DeleteSecurityGroup") == 4


async def test_a_group_that_the_nodes_let_in_is_told_of_and_goes_the_next_time(
    account: Account, sweeper: Sweeper, calls: Calls, options: Options, front: Front, time: HastyClock
) -> None:
    await applied(account, options)
    ec2 = front.client("ec2")
    [ours] = await account.security_groups()
    nodes = ec2.create_security_group(GroupName="nodes", Description="nodes", VpcId=options.vpc)["GroupId"]
    rule = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": ours}]}]
    ec2.authorize_security_group_ingress(GroupId=nodes, IpPermissions=rule)

    definition(front, FAMILY)
    prepared = _prepared(account, sweeper, calls, time)

    with pytest.raises(Conflict, match=f"revoke-security-group-ingress --group-id {nodes} --protocol=-1"):
        await prepared.remove(await prepared.departure(keep_logs=False), told=lambda _: None, counted=silent)
    left = [each for each in await account.plan_removal() if isinstance(each, Delete)]
    others = await sweeper.look(())
    ec2.revoke_security_group_ingress(GroupId=nodes, IpPermissions=rule)
    await destroyed(account, sweeper)

    assert [str(each.found.key) for each in left] == ["security group spillway-tasks"]
    assert others == Leftovers()
    assert await account.security_groups() == ()


@pytest.mark.parametrize(
    ("side", "rule", "command"),
    [
        pytest.param(
            "ingress",
            {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443},
            "revoke-security-group-ingress --group-id {} --protocol=tcp --port 443 --source-group {}",
            id="one port",
        ),
        pytest.param(
            "egress",
            {"IpProtocol": "udp", "FromPort": 53, "ToPort": 54},
            "revoke-security-group-egress --group-id {} --protocol=udp --port 53-54 --source-group {}",
            id="the way out",
        ),
    ],
)
async def test_every_rule_that_names_our_group_is_told_of_by_the_command_that_takes_it_away(
    account: Account,
    sweeper: Sweeper,
    options: Options,
    front: Front,
    side: str,
    rule: dict[str, object],
    command: str,
) -> None:
    await applied(account, options)
    ec2 = front.client("ec2")
    [ours] = await account.security_groups()
    nodes = ec2.create_security_group(GroupName="nodes", Description="nodes", VpcId=options.vpc)["GroupId"]
    naming = [{**rule, "UserIdGroupPairs": [{"GroupId": ours}]}]
    getattr(ec2, f"authorize_security_group_{side}")(GroupId=nodes, IpPermissions=naming)

    with pytest.raises(Conflict, match=command.format(nodes, ours)):
        await destroyed(account, sweeper)


async def test_running_tasks_are_found_stopped_and_waited_for(
    account: Account, sweeper: Sweeper, options: Options, front: Front, time: HastyClock
) -> None:
    await applied(account, options)
    definition(front, FAMILY)
    task = a_task(front, options.vpc)
    running = {"tasks": [{"taskArn": task, "lastStatus": "DEPROVISIONING"}], "failures": []}
    front.script("DescribeTasks", *[told(running)] * 3)

    going = await destroyed(account, sweeper)

    assert going.left.tasks == (task,)
    assert front.asked.count("StopTask") == 1
    assert time.slept.count(5.0) >= 3
    assert front.asked.index("StopTask") < front.asked.index("DeleteRule")


async def test_tasks_that_do_not_end_are_told_of(
    account: Account, sweeper: Sweeper, options: Options, front: Front
) -> None:
    await applied(account, options)
    arn = f"arn:aws:ecs:eu-west-1:123456789012:task/spillway/{'0' * 32}"
    front.always("StopTask", told({}))
    front.always("DescribeTasks", told({"tasks": [{"taskArn": arn, "lastStatus": "RUNNING"}]}))

    with pytest.raises(Unavailable, match=f"still running after 300 s: {arn}"):
        await sweeper.stop([arn], counted=silent)


async def test_definitions_that_ecs_keeps_are_told_of(
    account: Account, sweeper: Sweeper, front: Front
) -> None:
    failures = [{"arn": "arn:x", "reason": "IN_USE"}]
    front.script("DeleteTaskDefinitions", told({"taskDefinitions": [], "failures": failures}))

    with pytest.raises(Conflict, match="IN_USE"):
        await sweeper.remove(Leftovers(inactive=("arn:x",)), counted=silent)


async def test_definitions_go_no_faster_than_ecs_allows(
    account: Account, sweeper: Sweeper, front: Front, time: HastyClock
) -> None:
    arns = tuple(f"arn:{number}" for number in range(40))
    front.always("DeregisterTaskDefinition", told({}))
    front.always("DeleteTaskDefinitions", told({}))
    began = time.steady()

    await sweeper.remove(Leftovers(active=arns), counted=silent)

    assert front.asked.count("DeleteTaskDefinitions") == 4
    assert time.steady() - began >= 29


def told(body: object) -> Reply:
    """An answer of ECS."""
    return Reply(json.dumps(body))
