"""What the account is wanted to be like: everything that the flags of `spillway aws` say. Pure."""

from typing import Literal

import msgspec

from app.aws.account.names import Names


class ServiceAccount(msgspec.Struct, frozen=True, kw_only=True):
    """The bridge's account in Kubernetes."""

    namespace: str = "spillway"
    name: str = "spillway-bridge"


class Irsa(msgspec.Struct, frozen=True, kw_only=True):
    """The bridge becomes its role by its service account's token.

    Attributes:
        provider: ARN of the cluster's OpenID Connect provider in IAM.
        account: whose token.

    https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html
    """

    provider: str
    account: ServiceAccount = ServiceAccount()


class PodIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """EKS's agent on the node hands out the role, as an association of the EKS cluster says.

    https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html
    """

    account: ServiceAccount = ServiceAccount()


class NodeRole(msgspec.Struct, frozen=True, kw_only=True):
    """The nodes' own role may become the bridge's: kube2iam, kiam.

    Attributes:
        role: ARN of the nodes' role.
        account: of the bridge.
    """

    role: str
    account: ServiceAccount = ServiceAccount()


Trust = Irsa | PodIdentity | NodeRole
"""Who may become the bridge."""

Insights = Literal["enabled", "enhanced", "disabled"]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """One installation.

    Attributes:
        names: what it is called, and where.
        trust: who may become the bridge.
        vpc: where tasks run; empty makes no security group.
        node_security_groups: the nodes' groups, whose members may reach the tasks.
        pod_cidrs: address ranges that may reach the tasks, as 10.0.0.0/16.
        retention_days: of the containers' logs.
        insights: Container Insights, on which `kubectl top` and HPA rest.
        eks_cluster: the EKS cluster's name, where the bridge looks Pod Identity roles up; empty: it does not.
        kms_key: ARN of the key that encrypts sessions of `kubectl exec`; empty: TLS alone.
        task_roles: ARNs of further roles that pods may be given; `*` stands for any part.
        ebs_role: ARN of the role with which ECS manages EBS volumes; empty: none.
        boundary: ARN of the permissions boundary of all roles; empty: none.
    """

    names: Names
    trust: Trust = PodIdentity()
    vpc: str = ""
    node_security_groups: tuple[str, ...] = ()
    pod_cidrs: tuple[str, ...] = ()
    retention_days: int = 30
    insights: Insights = "enabled"
    eks_cluster: str = ""
    kms_key: str = ""
    task_roles: tuple[str, ...] = ()
    ebs_role: str = ""
    boundary: str = ""
