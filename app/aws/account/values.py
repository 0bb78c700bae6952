"""What the Helm chart has to be told of an account that `init` has prepared. Pure."""

import msgspec

from app.aws.account.options import Irsa, NodeRole, Options, PodIdentity
from app.model.wire import Json


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What nobody can know before it is made.

    Attributes:
        queue_url: of the task events.
        security_groups: ids of our groups.
    """

    queue_url: str = ""
    security_groups: tuple[str, ...] = ()


def helm_values(options: Options, made: Made, *, subnets: tuple[str, ...], public_ip: bool) -> Json:
    """Values of charts/spillway; what is empty there stays as the chart has it."""
    names = options.names
    settings: dict[str, Json] = {
        "region": names.region,
        "ecsCluster": names.cluster,
        "subnets": list(subnets),
        "securityGroups": list(made.security_groups),
        "assignPublicIp": public_ip,
        "executionRole": names.role_arn(names.execution_role),
        "taskRole": names.role_arn(names.task_role),
        "logGroup": names.log_group,
        "eventsQueue": made.queue_url,
        "eksCluster": options.eks_cluster,
        "ebsRole": options.ebs_role,
    }
    bridge = {"settings": {name: value for name, value in settings.items() if value}}
    return {"bridge": {**bridge, **_identity(options)}}


def _identity(options: Options) -> dict[str, Json]:
    role = options.names.role_arn(options.names.bridge_role)
    account: dict[str, Json] = {"name": options.trust.account.name}
    match options.trust:
        case Irsa():
            return {"serviceAccount": {**account, "annotations": {"eks.amazonaws.com/role-arn": role}}}
        case NodeRole():
            return {"serviceAccount": account, "podAnnotations": {"iam.amazonaws.com/role": role}}
        case PodIdentity():
            return {"serviceAccount": account}


def next_steps(options: Options, made: Made, *, subnets: tuple[str, ...]) -> tuple[str, ...]:
    """What is left for a person to do."""
    steps = []
    if not subnets:
        steps.append(
            "set bridge.settings.subnets to the list of the subnets for the tasks, or give --subnets"
        )
    if not options.vpc:
        steps.append("give --vpc, or set bridge.settings.securityGroups; else it is the VPC's default group")
    if isinstance(options.trust, PodIdentity):
        steps.append(f"give the bridge its role: {association_command(options)}")
    nodes = options.node_security_groups or ("NODES-GROUP",)
    admitted = (_admission(node, group) for node in nodes for group in made.security_groups)
    steps += [f"let the tasks reach Services and DNS on nodes: {each}" for each in admitted]
    return (*steps, _installation(options))


def _installation(options: Options) -> str:
    return (
        f"helm upgrade --install spillway charts/spillway --namespace {options.trust.account.namespace} "
        "--create-namespace --values this-file.yaml"
    )


def _admission(nodes: str, tasks: str) -> str:
    return f"aws ec2 authorize-security-group-ingress --group-id {nodes} --protocol=-1 --source-group {tasks}"


def association_command(options: Options) -> str:
    """What gives the bridge's service account its role by EKS Pod Identity."""
    account, role = options.trust.account, options.names.role_arn(options.names.bridge_role)
    cluster = options.eks_cluster or "EKS-CLUSTER"
    return (
        f"aws eks create-pod-identity-association --cluster-name {cluster} "
        f"--namespace {account.namespace} --service-account {account.name} --role-arn {role}"
    )
