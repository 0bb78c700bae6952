"""The permissions of the three roles and of the queue, and whom the roles trust. Pure.

The bridge's are what `app/aws` calls and no more; a test compares both. Which resources and conditions an
action takes: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
and its siblings.
"""

from collections.abc import Sequence
from typing import Final

from app.aws.account.documents import allow, document, trust
from app.aws.account.names import FAMILIES, SECRETS, Names
from app.aws.account.options import Irsa, NodeRole, Options, PodIdentity, ServiceAccount
from app.model.wire import Json

TASKS: Final = "ecs-tasks.amazonaws.com"
AUDIENCE: Final = "sts.amazonaws.com"
"""For whom EKS writes tokens of service accounts, in every partition; the OpenID provider has to know it.

https://docs.aws.amazon.com/eks/latest/userguide/enable-iam-roles-for-service-accounts.html
"""

_ANY: Final = ["*"]
_CHANNELS: Final = ("CreateControlChannel", "CreateDataChannel", "OpenControlChannel", "OpenDataChannel")


def bridge_policy(options: Options) -> Json:
    """What the bridge may do."""
    return document(
        *_tasks(options.names),
        *_passed(options),
        *_reading(options.names),
        *_secrets(options.names),
        *_sessions(options),
        *_looking_up(options),
    )


def _tasks(names: Names) -> list[Json]:
    cluster, tasks = names.cluster_arn, names.arn("ecs", f"task/{names.cluster}/*")
    definitions = names.arn("ecs", f"task-definition/{FAMILIES}*:*")
    here = {"ArnEquals": {"ecs:cluster": [cluster]}}
    created = {"StringEquals": {"ecs:CreateAction": ["RunTask", "RegisterTaskDefinition"]}}
    return [
        allow("Register", ["ecs:RegisterTaskDefinition"], [definitions]),
        allow("FindDefinitions", ["ecs:DescribeTaskDefinition"], _ANY),
        allow("Launch", ["ecs:RunTask"], [definitions], condition=here),
        allow("Tag", ["ecs:TagResource"], [definitions, tasks], condition=created),
        allow("Tasks", ["ecs:DescribeTasks", "ecs:StopTask"], [tasks]),
        allow("ListTasks", ["ecs:ListTasks"], _ANY, condition=here),
        allow("Enter", ["ecs:ExecuteCommand"], [cluster, tasks]),
    ]


def _passed(options: Options) -> list[Json]:
    names = options.names
    own = [names.role_arn(names.execution_role), names.role_arn(names.task_role)]
    return [
        _pass("PassRoles", own, to=TASKS),
        _pass("PassTaskRoles", options.task_roles, to=TASKS),
        _pass("PassVolumeRole", [options.ebs_role] if options.ebs_role else [], to="ecs.amazonaws.com"),
    ]


def _pass(sid: str, roles: Sequence[str], *, to: str) -> Json:
    """A role that may be passed to one service; None where there is no such role."""
    condition = {"StringEquals": {"iam:PassedToService": [to]}}
    return allow(sid, ["iam:PassRole"], roles, condition=condition) if roles else None


def _reading(names: Names) -> list[Json]:
    streams = names.arn("logs", f"log-group:{names.log_group}:log-stream:*")
    searched = [names.arn("logs", f"log-group:{each}:*") for each in (names.log_group, names.performance_log)]
    return [
        allow("ReadLogs", ["logs:GetLogEvents"], [streams]),
        allow("ReadUsage", ["logs:FilterLogEvents"], searched),
        allow("TakeEvents", ["sqs:DeleteMessage", "sqs:ReceiveMessage"], [names.queue_arn]),
    ]


def _secrets(names: Names) -> list[Json]:
    actions = ("CreateSecret", "DeleteSecret", "DescribeSecret", "GetSecretValue", "RestoreSecret")
    kept = [f"secretsmanager:{each}" for each in (*actions, "TagResource")]
    return [
        allow("KeepSecrets", kept, [_kept_secrets(names)]),
        allow("ListSecrets", ["secretsmanager:ListSecrets"], _ANY),
    ]


def _sessions(options: Options) -> list[Json]:
    ours = options.names.arn("ssm", "session/ecs-execute-command-*")
    key = options.kms_key
    return [
        allow("Sessions", ["ssm:ResumeSession", "ssm:TerminateSession"], [ours]),
        allow("SealSessions", ["kms:GenerateDataKey"], [key]) if key else None,
    ]


def _looking_up(options: Options) -> list[Json]:
    names, eks = options.names, options.eks_cluster
    clusters = [names.arn("eks", f"cluster/{eks}"), names.arn("eks", f"podidentityassociation/{eks}/*")]
    identities = ["eks:DescribePodIdentityAssociation", "eks:ListPodIdentityAssociations"]
    offers = ["pricing:GetProducts", "servicequotas:GetAWSDefaultServiceQuota"]
    return [
        allow("Registries", ["ecr:GetAuthorizationToken"], _ANY),
        allow("ReadImages", ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], [_repositories(names)]),
        allow("PodIdentities", identities, clusters) if eks else None,
        allow("Offers", [*offers, "servicequotas:GetServiceQuota"], _ANY),
    ]


def execution_policy(names: Names) -> Json:
    """What ECS may do to start a task: pull images, write logs, read the secrets that the bridge keeps.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html
    """
    pulling = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    streams = names.arn("logs", f"log-group:{names.log_group}:log-stream:*")
    return document(
        allow("Registries", ["ecr:GetAuthorizationToken"], _ANY),
        allow("PullImages", pulling, [_repositories(names)]),
        allow("WriteLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], [streams]),
        allow("ReadSecrets", ["secretsmanager:GetSecretValue"], [_kept_secrets(names)]),
    )


def task_policy(options: Options) -> Json:
    """What a task needs to be entered with `kubectl exec`; a pod's own rights are for the team to add.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html
    """
    key = options.kms_key
    return document(
        allow("Exec", [f"ssmmessages:{each}" for each in _CHANNELS], _ANY),
        allow("OpenSessions", ["kms:Decrypt"], [key]) if key else None,
    )


def tasks_trust(names: Names) -> Json:
    """ECS, for tasks of this account and region; ECS cannot say of which cluster."""
    condition = {
        "StringEquals": {"aws:SourceAccount": [names.account]},
        "ArnLike": {"aws:SourceArn": [names.arn("ecs", "*")]},
    }
    return trust({"Service": TASKS}, "sts:AssumeRole", condition=condition)


def bridge_trust(options: Options) -> Json:
    """Who may become the bridge."""
    match options.trust:
        case Irsa(provider=provider, account=account):
            issuer = provider.partition("oidc-provider/")[2]
            told = {f"{issuer}:aud": [AUDIENCE], f"{issuer}:sub": [_subject(account)]}
            principal, actions = {"Federated": provider}, ["sts:AssumeRoleWithWebIdentity"]
        case PodIdentity(account=account):
            told = {
                "aws:SourceAccount": [options.names.account],
                "aws:RequestTag/kubernetes-namespace": [account.namespace],
                "aws:RequestTag/kubernetes-service-account": [account.name],
            }
            principal, actions = {"Service": "pods.eks.amazonaws.com"}, ["sts:AssumeRole", "sts:TagSession"]
        case NodeRole(role=role):
            return trust({"AWS": role}, "sts:AssumeRole")
    return trust(principal, *actions, condition={"StringEquals": told})


def queue_policy(names: Names) -> Json:
    """EventBridge may send what the rule chooses, and nobody else may."""
    send = allow(
        "TaskEvents",
        ["sqs:SendMessage"],
        [names.queue_arn],
        condition={"ArnEquals": {"aws:SourceArn": [names.rule_arn]}},
    )
    return document({**send, "Principal": {"Service": "events.amazonaws.com"}})


def event_pattern(names: Names) -> Json:
    """State changes of this cluster's tasks.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html
    """
    return {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Task State Change"],
        "detail": {"clusterArn": [names.cluster_arn]},
    }


def _subject(account: ServiceAccount) -> str:
    return f"system:serviceaccount:{account.namespace}:{account.name}"


def _kept_secrets(names: Names) -> str:
    return names.arn("secretsmanager", f"secret:{SECRETS}*")


def _repositories(names: Names) -> str:
    """Of every account and region: pods name their images, and the repositories' own policies say who may."""
    return f"arn:{names.partition}:ecr:*:*:repository/*"
