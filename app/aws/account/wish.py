"""What a person asks for, checked, and as the options of one installation. Pure."""

import ipaddress
import re
from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from app.aws.account.names import Names
from app.aws.account.options import Insights, Irsa, NodeRole, Options, PodIdentity, ServiceAccount, Trust

TrustKind = Literal["pod-identity", "irsa", "node-role"]

RETENTIONS: Final = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""Days: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html."""

_GROUP: Final = re.compile(r"sg-[0-9a-f]{8,17}", re.ASCII)
_SUBNET: Final = re.compile(r"subnet-[0-9a-f]{8,17}", re.ASCII)
_VPC: Final = re.compile(r"vpc-[0-9a-f]{8,17}", re.ASCII)
_ROLE: Final = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/*-]+", re.ASCII)
_POLICY: Final = re.compile(r"arn:aws[a-z-]*:iam::(?:[0-9]{12}|aws):policy/[\w+=,.@/-]+", re.ASCII)
_PROVIDER: Final = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider/[\w./-]+", re.ASCII)
_KEY: Final = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[\w-]+", re.ASCII)


class WishFault(ValueError):
    """The flags cannot be met; one line for each fault."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """The flags of `spillway aws`; `Options` says what each means.

    Attributes:
        trust: how the bridge becomes its role.
        namespace: of the bridge's service account.
        service_account: the bridge's.
        oidc_provider: its ARN; empty: that of `eks_cluster`.
        node_role: ARN of the role that kube2iam's nodes have.
        subnets: for the tasks; `init` writes them into the Helm values, `check` examines them.
        public_ip: whether tasks get public addresses.
    """

    trust: TrustKind = "pod-identity"
    namespace: str = "spillway"
    service_account: str = "spillway-bridge"
    oidc_provider: str = ""
    node_role: str = ""
    vpc: str = ""
    subnets: tuple[str, ...] = ()
    public_ip: bool = False
    node_security_groups: tuple[str, ...] = ()
    pod_cidrs: tuple[str, ...] = ()
    retention_days: int = 30
    insights: Insights = "enabled"
    eks_cluster: str = ""
    kms_key: str = ""
    task_roles: tuple[str, ...] = ()
    ebs_role: str = ""
    boundary: str = ""


def checked(wish: Wish) -> Wish:
    """The wish, where it can be met.

    Raises:
        WishFault: with every fault.
    """
    faults = [*_trust_faults(wish), *_network_faults(wish), *_other_faults(wish)]
    if faults:
        raise WishFault("\n".join(faults))
    return wish


def options_of(wish: Wish, names: Names, *, provider: str) -> Options:
    """The options of a checked wish.

    Args:
        wish: what was asked for.
        names: how the installation's parts are called.
        provider: ARN of the OpenID Connect provider, where the trust is IRSA.
    """
    return Options(
        names=names,
        trust=_trust(wish, provider),
        vpc=wish.vpc,
        node_security_groups=wish.node_security_groups,
        pod_cidrs=tuple(dict.fromkeys(str(ipaddress.ip_network(each)) for each in wish.pod_cidrs)),
        retention_days=wish.retention_days,
        insights=wish.insights,
        eks_cluster=wish.eks_cluster,
        kms_key=wish.kms_key,
        task_roles=wish.task_roles,
        ebs_role=wish.ebs_role,
        boundary=wish.boundary,
    )


def _trust(wish: Wish, provider: str) -> Trust:
    account = ServiceAccount(namespace=wish.namespace, name=wish.service_account)
    match wish.trust:
        case "irsa":
            return Irsa(provider=provider, account=account)
        case "node-role":
            return NodeRole(role=wish.node_role, account=account)
        case "pod-identity":
            return PodIdentity(account=account)


def _trust_faults(wish: Wish) -> Iterator[str]:
    if wish.trust == "irsa" and not (wish.oidc_provider or wish.eks_cluster):
        yield "--trust irsa needs the cluster's OpenID provider: give --oidc-provider or --eks-cluster"
    if wish.trust == "node-role" and not wish.node_role:
        yield "--trust node-role needs the role that the nodes have: give --node-role"
    yield from _unlike(_PROVIDER, "--oidc-provider", wish.oidc_provider)
    yield from _unlike(_ROLE, "--node-role", wish.node_role)
    if "*" in wish.node_role:
        yield "--node-role: a role is trusted by its whole ARN, without *"


def _network_faults(wish: Wish) -> Iterator[str]:
    yield from _unlike(_VPC, "--vpc", wish.vpc)
    yield from _unlike(_GROUP, "--node-security-group", *wish.node_security_groups)
    yield from _unlike(_SUBNET, "--subnets", *wish.subnets)
    if (wish.node_security_groups or wish.pod_cidrs) and not wish.vpc:
        yield "--node-security-group and --pod-cidr are for the tasks' security group: give --vpc as well"
    for each in wish.pod_cidrs:
        try:
            ipaddress.ip_network(each)
        except ValueError as error:
            yield f"--pod-cidr {each}: {error}"


def _other_faults(wish: Wish) -> Iterator[str]:
    yield from _unlike(_ROLE, "--task-role", *wish.task_roles)
    yield from _unlike(_ROLE, "--ebs-role", wish.ebs_role)
    yield from _unlike(_KEY, "--kms-key", wish.kms_key)
    yield from _unlike(_POLICY, "--permissions-boundary", wish.boundary)
    if wish.retention_days not in RETENTIONS:
        days = ", ".join(map(str, RETENTIONS))
        yield f"--log-retention {wish.retention_days}: CloudWatch Logs knows {days} days"


def _unlike(pattern: re.Pattern[str], flag: str, *values: str) -> Iterator[str]:
    for each in values:
        if each and not pattern.fullmatch(each):
            yield f"{flag} {each}: it does not look like one; write for instance {_EXAMPLES[flag]}"


_EXAMPLES: Final = {
    "--oidc-provider": "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0A1B",
    "--node-role": "arn:aws:iam::123456789012:role/nodes",
    "--vpc": "vpc-0123456789abcdef0",
    "--node-security-group": "sg-0123456789abcdef0",
    "--subnets": "subnet-0123456789abcdef0",
    "--task-role": "arn:aws:iam::123456789012:role/team-*",
    "--ebs-role": "arn:aws:iam::123456789012:role/ecs-volumes",
    "--kms-key": "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "--permissions-boundary": "arn:aws:iam::123456789012:policy/boundary",
}
