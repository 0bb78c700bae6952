"""docs/install.md lists the permissions that `spillway aws` needs: just those of the calls that it makes."""

import re
from pathlib import Path

import boto3  # type: ignore[import-untyped]  # it ships no types
import msgspec
import pytest
from botocore import xform_name

from app.aws.account import account as package
from app.aws.account.account import Account
from app.aws.account.calls import Calls
from app.aws.account.checks.examiner import Examiner
from app.aws.account.leftovers import Sweeper
from app.aws.account.options import Options
from app.aws.account.plan import Refuse
from app.aws.account.wish import Wish
from app.aws.connection import Connection
from app.aws.offers import AwsOffers
from app.ports.failures import Conflict
from app.wiring.account import Prepared
from tests.aws.account.conftest import SERVICES
from tests.aws.account.fakes import HastyClock
from tests.aws.account.moto_server import Front, Reply, environment, json_error, query_error
from tests.aws.account.test_check import associated, endpoints, with_nat
from tests.aws.account.test_destroy import FAMILY, PERFORMANCE, a_secret, a_task, definition, silent
from tests.aws.account.test_init import closed_group, more_targets, opened_group, other_trust

PAGE = Path(__file__).resolve().parents[3] / "docs" / "install.md"
ROW = re.compile(r"^\| `(init|check|destroy)` \|[^|]*\|([^|]*)\|", re.MULTILINE)
ACTION = re.compile(r"`([a-z0-9]+:\w+)`")
TAGGED = {
    "CreateCluster": "ecs:TagResource",
    "CreateLogGroup": "logs:TagResource",
    "CreateQueue": "sqs:TagQueue",
    "CreateRole": "iam:TagRole",
    "CreateSecurityGroup": "ec2:CreateTags",
    "PutRule": "events:TagResource",
}
"""What a request with tags needs besides.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""
PATHS = {
    "GET /clusters/prod": "DescribeCluster",
    "GET /clusters/prod/pod-identity-associations": "ListPodIdentityAssociations",
    "GET /clusters/prod/pod-identity-associations/a-1": "DescribePodIdentityAssociation",
}
ISSUER = Reply('{"cluster": {"identity": {"oidc": {"issuer": "https://oidc.example.com/id/1"}}}}')
DOCUMENT = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}}'
FREE = "sts:GetCallerIdentity"
"""No policy can deny it: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html."""


def needed(front: Front) -> set[str]:
    """The permissions of all that was asked since the last look."""
    asked, front.signed = front.signed, set()
    own = {f"{service}:{PATHS.get(operation, operation)}" for service, operation, _ in asked}
    more = {TAGGED[operation] for _, operation, tagged in asked if tagged and operation in TAGGED}
    return (own | more) - {FREE}


def listed() -> dict[str, set[str]]:
    """The page's permissions, by command."""
    rows = ROW.findall(PAGE.read_text())
    return {
        command: {action for name, cell in rows if name == command for action in ACTION.findall(cell)}
        for command in ("init", "check", "destroy")
    }


class Commands:
    """Each command begins with an account that it knows nothing of."""

    def __init__(self, connection: Connection, calls: Calls, time: HastyClock) -> None:
        self._connection = connection
        self._calls = calls
        self._time = time

    async def begun(self) -> Prepared:
        """What a command works with."""
        calls, time = self._calls, self._time
        account = await Account.found(calls, name="spillway")
        examiner = Examiner(calls, account, offers=AwsOffers(self._connection))
        return Prepared(account, Sweeper(calls, account.names, clock=time), examiner, clock=time)


@pytest.fixture
def commands(
    connected: Connection, front: Front, calls: Calls, time: HastyClock, monkeypatch: pytest.MonkeyPatch
) -> Commands:
    for name, value in environment(front).items():
        monkeypatch.setenv(name, value)
    return Commands(connected, calls, time)


def unheard(step: object) -> None:
    """A step that nobody hears of."""


async def init(commands: Commands, wish: Wish) -> None:
    prepared = await commands.begun()
    steps = await prepared.account.plan(await prepared.options(wish))
    assert not [each for each in steps if isinstance(each, Refuse)]
    await prepared.account.apply(steps, told=unheard)
    await prepared.made()


async def inits(commands: Commands, front: Front, wish: Wish) -> set[str]:
    """What inits need that make everything, change everything, and take a boundary back."""
    irsa = msgspec.structs.replace(wish, trust="irsa", boundary="arn:aws:iam::123456789012:policy/boundary")
    front.script("GET /clusters/prod", ISSUER)
    await init(commands, wish)
    for tamper in (more_targets, opened_group, closed_group, other_trust):
        tamper(front)
    opened_out(front)
    await init(commands, irsa)
    await init(commands, wish)
    return needed(front)


def opened_out(front: Front) -> None:
    filters = [{"Name": "group-name", "Values": ["spillway-tasks"]}]
    group = front.client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"]
    rule = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    front.client("ec2").authorize_security_group_egress(GroupId=group, IpPermissions=[rule])


async def checks(commands: Commands, front: Front, wish: Wish) -> set[str]:
    """What checks need of either trust, in a VPC that has everything."""
    prepared = await commands.begun()
    associated(front)
    front.script("GetServiceQuota", json_error("NoSuchResourceException"))
    front.script("GetAWSDefaultServiceQuota", Reply('{"Quota": {"Value": 6}}'))
    irsa = msgspec.structs.replace(
        wish, trust="irsa", oidc_provider="arn:aws:iam::123456789012:oidc-provider/x"
    )
    asking = msgspec.structs.replace(wish, trust="irsa")
    front.script("GET /clusters/prod", ISSUER)
    for each in (wish, irsa, asking):
        await prepared.findings(each)
    return needed(front)


async def destroys(commands: Commands, front: Front) -> set[str]:
    """What destroys need that find everything, and a group that interfaces hold."""
    role = {"RoleName": "spillway-task"}
    policy = front.client("iam").create_policy(PolicyName="p", PolicyDocument=DOCUMENT)["Policy"]["Arn"]
    front.client("iam").attach_role_policy(**role, PolicyArn=policy)
    prepared = await commands.begun()
    leaving = await prepared.departure(keep_logs=False)
    front.script("DeleteSecurityGroup", *[query_error("DependencyViolation", "has a dependent object")] * 7)
    with pytest.raises(Conflict, match="dependent object"):
        await prepared.remove(leaving, told=unheard, counted=silent)
    leaving = await prepared.departure(keep_logs=False)
    await prepared.remove(leaving, told=unheard, counted=silent)
    await prepared.remains(keep_logs=False)
    return needed(front)


async def test_the_page_lists_the_permissions_of_the_calls_and_no_others(
    commands: Commands, front: Front, options: Options, vpc: str
) -> None:
    wish = Wish(vpc=vpc, pod_cidrs=options.pod_cidrs, eks_cluster="prod")
    front.signed.clear()

    made = await inits(commands, front, wish)
    subnet = with_nat(front, vpc)
    endpoints(front, vpc, "logs")
    nodes = front.client("ec2").describe_security_groups()["SecurityGroups"][0]["GroupId"]
    looked = msgspec.structs.replace(wish, subnets=(subnet,), node_security_groups=(nodes,))
    examined = await checks(commands, front, looked)
    definition(front, FAMILY)
    a_task(front, vpc)
    a_secret(front, "spillway/0/fargate/shop_password")
    front.client("logs").create_log_group(logGroupName=PERFORMANCE)
    removed = await destroys(commands, front)

    assert {"init": made, "check": examined, "destroy": removed} == listed()


def test_the_page_lists_every_operation_that_the_code_names() -> None:
    folder = Path(package.__file__).parent
    words = set(re.findall(r'"([a-z]+(?:_[a-z]+)+)"', "".join(map(Path.read_text, folder.rglob("*.py")))))
    operations = {
        xform_name(each): each
        for service in SERVICES
        for each in boto3.client(service, region_name="eu-west-1").meta.service_model.operation_names
    }
    on_the_page = {action.partition(":")[2] for actions in listed().values() for action in actions}

    named = {operations[each] for each in words if each in operations}

    assert named - on_the_page == {"GetCallerIdentity"}
