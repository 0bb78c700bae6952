"""The permissions that each role needs, one by one, as IAM's policy simulator is asked for them. Pure.

Written apart from the policies, from what `app/aws` calls and what it calls it with.
https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from app.aws.account.names import FAMILIES, SECRETS, Names
from app.aws.account.options import Options

_ID: Final = "0" * 32
_FAMILY: Final = f"{FAMILIES}{'0' * 40}"
_CREATED: Final = "ecs:CreateAction"
_PASSED: Final = "iam:PassedToService"


class Permission(msgspec.Struct, frozen=True, kw_only=True):
    """One permission.

    Attributes:
        action: as IAM writes it.
        resource: an ARN that it has to hold for; `*` for actions that know no resources.
        context: the condition keys of the request, each with its value.
        purpose: what cannot be done without it.
    """

    action: str
    resource: str = "*"
    context: tuple[tuple[str, str], ...] = ()
    purpose: str


def bridge_permissions(options: Options) -> tuple[Permission, ...]:
    """What the bridge needs."""
    names = options.names
    return (
        *_tasks(names),
        *_passing(options),
        *_sessions(options),
        *_logs(names),
        *_events(names),
        *_secrets(names),
        *_looking_up(options),
    )


def _tasks(names: Names) -> Iterator[Permission]:
    definition = names.arn("ecs", f"task-definition/{_FAMILY}:1")
    task, here = names.arn("ecs", f"task/{names.cluster}/{_ID}"), {"ecs:cluster": names.cluster_arn}
    launch, follow = "launch tasks", "follow tasks"
    yield _of("ecs:RegisterTaskDefinition", definition, launch)
    yield _of("ecs:TagResource", definition, launch, {_CREATED: "RegisterTaskDefinition"})
    yield _of("ecs:DescribeTaskDefinition", "*", launch)
    yield _of("ecs:RunTask", definition, launch, here)
    yield _of("ecs:TagResource", task, launch, {_CREATED: "RunTask"})
    yield _of("ecs:DescribeTasks", task, follow)
    yield _of("ecs:ListTasks", "*", follow, here)
    yield _of("ecs:StopTask", task, "stop tasks")


def _passing(options: Options) -> Iterator[Permission]:
    names = options.names
    own = (names.role_arn(names.execution_role), names.role_arn(names.task_role))
    for role in (*own, *(each.replace("*", "x") for each in options.task_roles)):
        yield _of("iam:PassRole", role, "give tasks their roles", {_PASSED: "ecs-tasks.amazonaws.com"})
    if options.ebs_role:
        volumes = {_PASSED: "ecs.amazonaws.com"}
        yield _of("iam:PassRole", options.ebs_role, "give tasks EBS volumes", volumes)


def _sessions(options: Options) -> Iterator[Permission]:
    names, purpose = options.names, "kubectl exec and cp"
    session = names.arn("ssm", f"session/ecs-execute-command-{_ID[:17]}")
    yield _of("ecs:ExecuteCommand", names.cluster_arn, purpose)
    yield _of("ecs:ExecuteCommand", names.arn("ecs", f"task/{names.cluster}/{_ID}"), purpose)
    yield _of("ssm:ResumeSession", session, purpose)
    yield _of("ssm:TerminateSession", session, purpose)
    if options.kms_key:
        yield _of("kms:GenerateDataKey", options.kms_key, "encrypted sessions")


def _logs(names: Names) -> Iterator[Permission]:
    stream = names.arn("logs", f"log-group:{names.log_group}:log-stream:spillway/app/{_ID}")
    yield _of("logs:GetLogEvents", stream, "kubectl logs")
    for group in (names.log_group, names.performance_log):
        yield _of("logs:FilterLogEvents", names.arn("logs", f"log-group:{group}:*"), "kubectl top and HPA")


def _events(names: Names) -> Iterator[Permission]:
    yield _of("sqs:ReceiveMessage", names.queue_arn, "hear of tasks at once")
    yield _of("sqs:DeleteMessage", names.queue_arn, "hear of tasks at once")


def _secrets(names: Names) -> Iterator[Permission]:
    secret, purpose = names.arn("secretsmanager", f"secret:{SECRETS}0/node/entry-AbCdEf"), "Secrets in pods"
    for action in (
        "CreateSecret",
        "TagResource",
        "DescribeSecret",
        "RestoreSecret",
        "GetSecretValue",
        "DeleteSecret",
    ):
        yield _of(f"secretsmanager:{action}", secret, purpose)
    yield _of("secretsmanager:ListSecrets", "*", purpose)


def _looking_up(options: Options) -> Iterator[Permission]:
    names = options.names
    repository, images = names.arn("ecr", "repository/app"), "entry points of images in ECR"
    yield _of("ecr:GetAuthorizationToken", "*", images)
    yield _of("ecr:BatchGetImage", repository, images)
    yield _of("ecr:GetDownloadUrlForLayer", repository, images)
    if options.eks_cluster:
        cluster = names.arn("eks", f"cluster/{options.eks_cluster}")
        association = names.arn("eks", f"podidentityassociation/{options.eks_cluster}/a-0")
        yield _of("eks:ListPodIdentityAssociations", cluster, "roles of Pod Identity")
        yield _of("eks:DescribePodIdentityAssociation", association, "roles of Pod Identity")
    yield _of("pricing:GetProducts", "*", "live prices")
    yield _of("servicequotas:GetServiceQuota", "*", "the vCPU quota in budgets")
    yield _of("servicequotas:GetAWSDefaultServiceQuota", "*", "the vCPU quota in budgets")


def execution_permissions(options: Options) -> tuple[Permission, ...]:
    """What ECS needs to start a task."""
    names = options.names
    repository, pull = names.arn("ecr", "repository/app"), "pull images from ECR"
    stream = names.arn("logs", f"log-group:{names.log_group}:log-stream:spillway/app/{_ID}")
    secret = names.arn("secretsmanager", f"secret:{SECRETS}0/node/entry-AbCdEf")
    return (
        _of("ecr:GetAuthorizationToken", "*", pull),
        _of("ecr:BatchCheckLayerAvailability", repository, pull),
        _of("ecr:BatchGetImage", repository, pull),
        _of("ecr:GetDownloadUrlForLayer", repository, pull),
        _of("logs:CreateLogStream", stream, "write logs"),
        _of("logs:PutLogEvents", stream, "write logs"),
        _of("secretsmanager:GetSecretValue", secret, "Secrets in pods"),
    )


def task_permissions(options: Options) -> tuple[Permission, ...]:
    """What a task needs to be entered."""
    channels = ("CreateControlChannel", "CreateDataChannel", "OpenControlChannel", "OpenDataChannel")
    key = [_of("kms:Decrypt", options.kms_key, "encrypted sessions")] if options.kms_key else []
    return (*(_of(f"ssmmessages:{each}", "*", "kubectl exec and cp") for each in channels), *key)


def _of(action: str, resource: str, purpose: str, context: Mapping[str, str] | None = None) -> Permission:
    told = tuple((context or {}).items())
    return Permission(action=action, resource=resource, context=told, purpose=purpose)
