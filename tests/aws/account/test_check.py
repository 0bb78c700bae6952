"""`check`: what is examined, and how it is judged."""

import json
from typing import Any

import msgspec
import pytest

from app.aws.account.account import Account
from app.aws.account.calls import Calls
from app.aws.account.checks.examiner import Examiner
from app.aws.account.checks.finding import Finding, Level
from app.aws.account.checks.judgement import judged, worst
from app.aws.account.options import Irsa, Options
from app.aws.account.wish import Wish
from app.model.offer import VcpuQuota
from app.ports.failures import PortFailure, Refused
from app.ports.offers import Offers
from tests.aws.account.moto_server import Front, Reply, json_error, query_error
from tests.aws.account.test_init import PROVIDER, applied, lost_target, no_spot, other_trust, their_cluster

ASSOCIATIONS = "GET /clusters/prod/pod-identity-associations"
ASSOCIATION = f"{ASSOCIATIONS}/a-1"
BRIDGE = "arn:aws:iam::123456789012:role/spillway-bridge"


class FakeOffers(Offers):
    """Quotas as the test says; moto knows none."""

    def __init__(self, quota: VcpuQuota | PortFailure) -> None:
        self._quota = quota

    async def rates(self) -> Any:
        raise NotImplementedError

    async def quota(self) -> VcpuQuota:
        if isinstance(self._quota, PortFailure):
            raise self._quota
        return self._quota


ENOUGH = VcpuQuota(on_demand=1000.0, spot=1000.0)


class Checked:
    """An account that is checked."""

    def __init__(self, calls: Calls, account: Account, options: Options) -> None:
        self.calls = calls
        self.account = account
        self.options = options
        self.wish = Wish(vpc=options.vpc, pod_cidrs=options.pod_cidrs, eks_cluster=options.eks_cluster)
        self.quota: VcpuQuota | PortFailure = ENOUGH

    async def findings(self) -> tuple[Finding, ...]:
        examiner = Examiner(self.calls, self.account, offers=FakeOffers(self.quota))
        facts = await examiner.facts(self.options, self.wish)
        return judged(facts, options=self.options, wish=self.wish)

    async def bad(self) -> dict[str, tuple[Level, str]]:
        """What is not well, by its subject."""
        return {
            each.subject: (each.level, f"{each.said} -> {each.mend}")
            for each in await self.findings()
            if each.level is not Level.OK
        }


def associated(front: Front, role: str = BRIDGE) -> None:
    """EKS Pod Identity gives the bridge a role."""
    front.always(ASSOCIATIONS, Reply(json.dumps({"associations": [{"associationId": "a-1"}]})))
    front.always(ASSOCIATION, Reply(json.dumps({"association": {"roleArn": role}})))


def routed(front: Front, vpc: str, **target: str) -> str:
    """A subnet whose way out leads there."""
    ec2 = front.client("ec2")
    there = len(ec2.describe_subnets()["Subnets"])
    cidr = f"172.31.{128 + there}.0/24"
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=cidr)["Subnet"]["SubnetId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    if target:
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **target)
    return str(subnet)


def with_nat(front: Front, vpc: str) -> str:
    """A private subnet."""
    ec2 = front.client("ec2")
    public = with_internet_gateway(front, vpc)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    gateway = ec2.create_nat_gateway(SubnetId=public, AllocationId=address)["NatGateway"]["NatGatewayId"]
    return routed(front, vpc, NatGatewayId=gateway)


def with_internet_gateway(front: Front, vpc: str) -> str:
    """A public subnet."""
    ec2 = front.client("ec2")
    there = ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [vpc]}])
    gateways = there["InternetGateways"] or [ec2.create_internet_gateway()["InternetGateway"]]
    gateway = gateways[0]["InternetGatewayId"]
    if not there["InternetGateways"]:
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    return routed(front, vpc, GatewayId=gateway)


def endpoints(front: Front, vpc: str, *services: str) -> None:
    """Interface endpoints with private DNS."""
    for each in services:
        front.client("ec2").create_vpc_endpoint(
            VpcId=vpc,
            VpcEndpointType="Interface",
            ServiceName=f"com.amazonaws.eu-west-1.{each}",
            PrivateDnsEnabled=True,
        )


@pytest.fixture
async def checked(account: Account, calls: Calls, options: Options, front: Front) -> Checked:
    """An account that `init` has prepared, with a private subnet."""
    await applied(account, options)
    associated(front)
    ready = Checked(calls, account, options)
    ready.wish = msgspec.structs.replace(ready.wish, subnets=(with_nat(front, options.vpc),))
    front.asked.clear()
    return ready


async def test_all_is_well_after_init(checked: Checked, front: Front) -> None:
    findings = await checked.findings()

    assert [each for each in findings if each.level is not Level.OK] == []
    assert worst(findings) is Level.OK
    assert front.changes == []


async def test_every_permission_is_asked_for(checked: Checked) -> None:
    said = {each.subject: each.said for each in await checked.findings()}

    assert said["permissions of spillway-bridge"] == "all 34 are allowed, says IAM's simulator"
    assert said["permissions of spillway-execution"] == "all 7 are allowed, says IAM's simulator"


async def test_an_empty_account_fails(account: Account, calls: Calls, options: Options) -> None:
    bad = await Checked(calls, account, options).bad()

    assert bad["ECS cluster spillway"] == (
        Level.FAIL,
        "is not there -> run spillway aws init with the same flags",
    )
    assert bad["SQS queue spillway-task-events"][0] is Level.WARN
    assert "permissions of spillway-bridge" not in bad


async def test_a_missing_permission_is_named_by_its_purpose(checked: Checked, front: Front) -> None:
    other = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [other]})
    front.client("iam").put_role_policy(
        RoleName="spillway-task", PolicyName="spillway", PolicyDocument=document
    )

    bad = await checked.bad()

    level, said = bad["permissions of spillway-task"]
    assert level is Level.FAIL
    assert said.startswith("kubectl exec and cp: ssmmessages:CreateControlChannel on *, ssmmessages:")
    assert "is not allowed -> run spillway aws init" in said


async def test_an_explicit_deny_is_told_apart(checked: Checked, front: Front) -> None:
    deny = {"Effect": "Deny", "Action": "ecs:RunTask", "Resource": "*"}
    front.client("iam").put_role_policy(
        RoleName="spillway-bridge",
        PolicyName="guard",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [deny]}),
    )

    bad = await checked.bad()

    level, said = bad["permissions of spillway-bridge"]
    assert level is Level.FAIL
    assert "launch tasks: ecs:RunTask on" in said
    assert "denied by a policy, a boundary or the organization" in said
    assert "the inline policy guard" in bad["IAM role spillway-bridge"][1]


async def test_without_the_simulator_the_policy_is_compared(checked: Checked, front: Front) -> None:
    front.always("SimulatePrincipalPolicy", query_error("AccessDenied", "no", status=403))

    level, said = (await checked.bad())["permissions of spillway-bridge"]

    assert level is Level.WARN
    assert "the policy is the one that init writes" in said
    assert "your identity needs the permission iam:SimulatePrincipalPolicy" in said


async def test_without_the_simulator_another_policy_fails(checked: Checked, front: Front) -> None:
    front.always("SimulatePrincipalPolicy", query_error("AccessDenied", "no", status=403))
    front.client("iam").delete_role_policy(RoleName="spillway-bridge", PolicyName="spillway")

    level, said = (await checked.bad())["permissions of spillway-bridge"]

    assert level is Level.FAIL
    assert "the policy is not the one of these flags" in said


@pytest.mark.parametrize(
    ("tamper", "subject", "level"),
    [
        pytest.param(no_spot, "ECS cluster spillway", Level.FAIL, id="no Spot"),
        pytest.param(lost_target, "EventBridge rule spillway-task-events", Level.WARN, id="no target"),
        pytest.param(other_trust, "trust of spillway-task", Level.FAIL, id="trust"),
    ],
)
async def test_drift_is_told_of(
    checked: Checked, front: Front, tamper: Any, subject: str, level: Level
) -> None:
    tamper(front)

    bad = await checked.bad()

    assert list(bad) == [subject]
    assert bad[subject][0] is level


async def test_what_is_not_ours_fails(account: Account, calls: Calls, options: Options, front: Front) -> None:
    their_cluster(front)

    level, said = (await Checked(calls, account, options).bad())["ECS cluster spillway"]

    assert (level, said.partition(" -> ")[0]) == (Level.FAIL, "is not ours")


@pytest.mark.parametrize("role", [pytest.param(f"{BRIDGE}-old", id="another"), pytest.param("", id="none")])
async def test_the_service_account_needs_the_bridges_role(checked: Checked, front: Front, role: str) -> None:
    associated(front, role)

    level, said = (await checked.bad())["Pod Identity"]

    assert level is Level.FAIL
    assert f"gets {role or 'no role'}" in said


async def test_without_an_association_there_is_no_role(checked: Checked, front: Front) -> None:
    front.always(ASSOCIATIONS, Reply(json.dumps({"associations": []})))

    level, said = (await checked.bad())["Pod Identity"]

    assert level is Level.FAIL
    assert said.endswith(
        "aws eks create-pod-identity-association --cluster-name prod --namespace spillway "
        f"--service-account spillway-bridge --role-arn {BRIDGE}"
    )


async def test_a_refusal_of_any_length_names_the_permission(checked: Checked, front: Front) -> None:
    said = (
        f"You are not authorized. User: arn:aws:sts::123456789012:assumed-role/{'x' * 300} is not authorized"
    )
    front.always("DescribeSubnets", query_error("UnauthorizedOperation", said, status=403))

    assert "your identity needs the permission ec2:DescribeSubnets" in (await checked.bad())["network"][1]


async def test_irsa_needs_the_provider(checked: Checked, account: Account) -> None:
    checked.options = msgspec.structs.replace(checked.options, trust=Irsa(provider=PROVIDER))
    await applied(account, checked.options)

    level, said = (await checked.bad())["OpenID provider"]

    assert level is Level.FAIL
    assert "associate-iam-oidc-provider" in said


def provided(front: Front, audience: str) -> None:
    """IAM knows the cluster's OpenID provider."""
    front.client("iam").create_open_id_connect_provider(
        Url="https://oidc.eks.eu-west-1.amazonaws.com/id/0A1B",
        ThumbprintList=["0" * 40],
        ClientIDList=[audience],
    )


async def test_the_provider_is_found(checked: Checked, account: Account, front: Front) -> None:
    provided(front, "sts.amazonaws.com")
    checked.options = msgspec.structs.replace(checked.options, trust=Irsa(provider=PROVIDER))
    await applied(account, checked.options)

    assert await checked.bad() == {}


async def test_a_provider_that_takes_no_tokens_of_eks_fails(
    checked: Checked, account: Account, front: Front
) -> None:
    provided(front, "sts.amazonaws.com.cn")
    checked.options = msgspec.structs.replace(checked.options, trust=Irsa(provider=PROVIDER))
    await applied(account, checked.options)

    level, said = (await checked.bad())["OpenID provider"]

    assert level is Level.FAIL
    assert said.endswith(f"--open-id-connect-provider-arn {PROVIDER} --client-id sts.amazonaws.com")


async def test_an_association_that_nobody_could_look_for_is_told_of(
    checked: Checked, account: Account
) -> None:
    checked.options = msgspec.structs.replace(checked.options, eks_cluster="")
    await applied(account, checked.options)

    level, said = (await checked.bad())["Pod Identity"]

    assert level is Level.WARN
    assert "--cluster-name EKS-CLUSTER --namespace spillway --service-account spillway-bridge" in said


async def test_a_public_subnet_needs_public_addresses(checked: Checked, front: Front) -> None:
    subnet = with_internet_gateway(front, checked.options.vpc)
    checked.wish = msgspec.structs.replace(checked.wish, subnets=(subnet,))

    bad = await checked.bad()
    checked.wish = msgspec.structs.replace(checked.wish, public_ip=True)

    assert bad[f"way out of {subnet}"][0] is Level.FAIL
    assert "tasks have no public address" in bad[f"way out of {subnet}"][1]
    assert await checked.bad() == {}


async def test_a_subnet_without_a_way_out_needs_endpoints(checked: Checked, front: Front) -> None:
    subnet = routed(front, checked.options.vpc)
    checked.wish = msgspec.structs.replace(checked.wish, subnets=(subnet,))
    subject = f"way out of {subnet}"

    alone = await checked.bad()
    endpoints(front, checked.options.vpc, "ecr.api", "ecr.dkr", "s3", "logs")
    bare = await checked.bad()
    endpoints(front, checked.options.vpc, "secretsmanager", "ssmmessages")

    assert alone[subject][0] is Level.FAIL
    assert "no VPC endpoint of ecr.api, ecr.dkr, s3, logs" in alone[subject][1]
    assert bare[subject][0] is Level.WARN
    assert await checked.bad() == {}


async def test_a_subnet_that_is_not_there_fails(checked: Checked) -> None:
    checked.wish = msgspec.structs.replace(checked.wish, subnets=("subnet-00000000",))

    assert (await checked.bad())["subnet subnet-00000000"][0] is Level.FAIL


async def test_subnets_of_another_vpc_than_the_group_fail(checked: Checked, front: Front) -> None:
    other = front.client("ec2").create_vpc(CidrBlock="172.31.0.0/16")["Vpc"]["VpcId"]
    checked.wish = msgspec.structs.replace(checked.wish, subnets=(with_nat(front, other),))

    level, said = (await checked.bad())["subnets"]

    assert level is Level.FAIL
    assert f"are of {other}, and security group" in said


async def test_a_vpc_without_dns_fails(checked: Checked, front: Front) -> None:
    front.client("ec2").modify_vpc_attribute(VpcId=checked.options.vpc, EnableDnsSupport={"Value": False})

    assert (await checked.bad())[f"VPC {checked.options.vpc}"][0] is Level.FAIL


async def test_without_subnets_it_is_said_that_none_were_examined(checked: Checked) -> None:
    checked.wish = msgspec.structs.replace(checked.wish, subnets=())

    assert (await checked.bad())["subnets"][0] is Level.WARN


async def test_the_nodes_have_to_let_the_tasks_in(checked: Checked, front: Front) -> None:
    ec2 = front.client("ec2")
    nodes = ec2.create_security_group(GroupName="nodes", Description="nodes", VpcId=checked.options.vpc)
    nodes_id = str(nodes["GroupId"])
    [ours] = await checked.account.security_groups()
    checked.wish = msgspec.structs.replace(checked.wish, node_security_groups=(nodes_id,))

    bad = await checked.bad()
    admitted = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": ours}]}
    ec2.authorize_security_group_ingress(GroupId=nodes_id, IpPermissions=[admitted])
    after = await checked.bad()

    assert bad[f"nodes' group {nodes_id}"][0] is Level.WARN
    assert f"--group-id {nodes_id} --protocol=-1 --source-group {ours}" in bad[f"nodes' group {nodes_id}"][1]
    assert bad["ingress of spillway-tasks"][0] is Level.FAIL
    assert f"nodes' group {nodes_id}" not in after


async def test_a_group_that_lets_no_node_in_is_told_of(checked: Checked, account: Account) -> None:
    checked.options = msgspec.structs.replace(checked.options, pod_cidrs=())
    checked.wish = msgspec.structs.replace(checked.wish, pod_cidrs=())
    await applied(account, checked.options)

    level, said = (await checked.bad())["ingress of spillway-tasks"]

    assert level is Level.WARN
    assert "lets no node in" in said


async def test_the_group_is_found_without_its_vpc(checked: Checked) -> None:
    checked.options = msgspec.structs.replace(checked.options, vpc="")
    checked.wish = msgspec.structs.replace(checked.wish, vpc="", pod_cidrs=())

    assert await checked.bad() == {}


async def test_the_quota_of_a_new_account_is_told_of(checked: Checked) -> None:
    checked.quota = VcpuQuota(on_demand=6.0, spot=None)

    bad = await checked.bad()

    assert list(bad) == ["Fargate on-demand vCPU quota"]
    assert "at most 24 of the smallest pods" in bad["Fargate on-demand vCPU quota"][1]


async def test_what_may_not_be_seen_is_told_of_in_one_line(checked: Checked, front: Front) -> None:
    checked.quota = Refused("GetServiceQuota: AccessDeniedException:\nno")
    front.always("DescribeSubnets", query_error("UnauthorizedOperation", "no", status=403))
    front.always(ASSOCIATIONS, json_error("AccessDeniedException", "no", status=403))

    bad = await checked.bad()

    assert set(bad) == {"Fargate vCPU quota", "network", "Pod Identity"}
    assert {level for level, _ in bad.values()} == {Level.WARN}
    assert not any("\n" in said for _, said in bad.values())
    assert "your identity needs the permission ec2:DescribeSubnets" in bad["network"][1]


def fenced(front: Front, vpc: str, subnet: str, *, out: str) -> str:
    """A network ACL of its own around a subnet: everything may come in, and https may go there."""
    ec2 = front.client("ec2")
    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    there = ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])
    [old] = [
        each["NetworkAclAssociationId"]
        for each in there["NetworkAcls"][0]["Associations"]
        if each["SubnetId"] == subnet
    ]
    ec2.replace_network_acl_association(AssociationId=old, NetworkAclId=acl)
    rule = {"NetworkAclId": acl, "RuleNumber": 100, "RuleAction": "allow"}
    ec2.create_network_acl_entry(**rule, Egress=False, Protocol="-1", CidrBlock="0.0.0.0/0")
    ec2.create_network_acl_entry(
        **rule, Egress=True, Protocol="6", CidrBlock=out, PortRange={"From": 443, "To": 443}
    )
    return str(acl)


async def test_a_network_acl_is_looked_at(checked: Checked, front: Front) -> None:
    [subnet] = checked.wish.subnets
    acl = fenced(front, checked.options.vpc, subnet, out="10.0.0.0/8")

    level, said = (await checked.bad())[f"network ACL {acl}"]

    assert level is Level.WARN
    assert said.startswith(f"lets tcp 443 out of {subnet} to 10.0.0.0/8 alone -> see that AWS")


async def test_a_network_acl_on_the_way_to_an_endpoint_is_looked_at(checked: Checked, front: Front) -> None:
    [subnet], vpc, ec2 = checked.wish.subnets, checked.options.vpc, front.client("ec2")
    network = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["CidrBlock"]
    place = routed(front, vpc)
    acl = fenced(front, vpc, place, out="192.0.2.0/24")
    ec2.create_vpc_endpoint(
        VpcId=vpc,
        VpcEndpointType="Interface",
        ServiceName="com.amazonaws.eu-west-1.logs",
        PrivateDnsEnabled=True,
        SubnetIds=[place],
    )

    level, said = (await checked.bad())[f"network ACL {acl}"]

    assert level is Level.FAIL
    assert said.startswith(f"denies the answers, tcp 32768-60999 out of {place} to {network}")


async def test_network_acls_that_may_not_be_seen_hide_nothing_else(checked: Checked, front: Front) -> None:
    front.always("DescribeNetworkAcls", query_error("UnauthorizedOperation", "no", status=403))

    bad = await checked.bad()

    assert list(bad) == ["network ACLs"]
    assert "your identity needs the permission ec2:DescribeNetworkAcls" in bad["network ACLs"][1]


async def test_the_policy_of_an_endpoint_is_looked_at(checked: Checked, front: Front) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::shop/*",
    }
    [subnet], ec2 = checked.wish.subnets, front.client("ec2")
    filters = [{"Name": "association.subnet-id", "Values": [subnet]}]
    table = ec2.describe_route_tables(Filters=filters)["RouteTables"][0]["RouteTableId"]
    made = ec2.create_vpc_endpoint(
        VpcId=checked.options.vpc,
        ServiceName="com.amazonaws.eu-west-1.s3",
        RouteTableIds=[table],
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    subject = f"VPC endpoint {made['VpcEndpoint']['VpcEndpointId']} of s3"

    bad = await checked.bad()

    assert list(bad) == [subject]
    assert bad[subject][0] is Level.WARN
    assert "arn:aws:s3:::prod-eu-west-1-starport-layer-bucket/*" in bad[subject][1]


async def test_s3s_name_may_be_for_others_than_the_vpc(checked: Checked, front: Front) -> None:
    vpc = checked.options.vpc
    nobody = front.client("ec2").create_security_group(GroupName="none", Description="none", VpcId=vpc)
    told = (
        "<vpcEndpointSet><item><vpcEndpointId>vpce-1</vpcEndpointId><vpcEndpointType>Interface</vpcEndpointType>"
        "<serviceName>com.amazonaws.eu-west-1.s3</serviceName><state>available</state>"
        f"<groupSet><item><groupId>{nobody['GroupId']}</groupId></item></groupSet>"
        "<privateDnsEnabled>true</privateDnsEnabled><dnsOptions>"
        "<privateDnsOnlyForInboundResolverEndpoint>true</privateDnsOnlyForInboundResolverEndpoint>"
        "</dnsOptions></item></vpcEndpointSet>"
    )
    front.script(
        "DescribeVpcEndpoints", Reply(f"<DescribeVpcEndpointsResponse>{told}</DescribeVpcEndpointsResponse>")
    )

    assert await checked.bad() == {}
