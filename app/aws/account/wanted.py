"""Options as the list of resources that an account should hold, in the order of making them. Pure."""

import enum
from collections.abc import Mapping
from typing import Final

import msgspec

from app.aws.account import policies
from app.aws.account.names import Names
from app.aws.account.options import Options
from app.model.wire import Json


class Kind(enum.Enum):
    """Kinds of resources, in people's words."""

    SERVICE_ROLE = "service-linked role"
    LOG_GROUP = "log group"
    CLUSTER = "ECS cluster"
    ROLE = "IAM role"
    SECURITY_GROUP = "security group"
    QUEUE = "SQS queue"
    RULE = "EventBridge rule"


class Key(msgspec.Struct, frozen=True):
    """One resource. `place` is the VPC of a security group, and empty for others."""

    kind: Kind
    name: str
    place: str = ""

    def __str__(self) -> str:
        return f"{self.kind.value} {self.name}"


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """A resource and how it should be.

    Attributes:
        key: which.
        aspects: what is compared with what is found, by a name for people.
    """

    key: Key
    aspects: Mapping[str, Json]


RETENTION: Final = "retention in days"
PROVIDERS: Final = "capacity providers"
INSIGHTS: Final = "Container Insights"
SESSION_KEY: Final = "key of sessions"
TRUST: Final = "trust"
POLICY: Final = "policy"
BOUNDARY: Final = "permissions boundary"
INGRESS: Final = "ingress"
EGRESS: Final = "egress"
SETTINGS: Final = "settings"
PATTERN: Final = "event pattern"
STATE: Final = "state"
TARGETS: Final = "targets"

SERVICE_ROLE: Final = "AWSServiceRoleForECS"
"""With which ECS attaches tasks' interfaces: the account's, one for all clusters and regions, and never ours.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using-service-linked-roles.html
"""

ANYWHERE: Final = "0.0.0.0/0"
ANYWHERE_6: Final = "::/0"
"""EC2 gives this way out to every group of a VPC that has IPv6, and to no other."""

SELF: Final = "the group itself"

_HOUR: Final = 3600
_DAY: Final = 24 * _HOUR


def wanted(options: Options) -> tuple[Resource, ...]:
    """Everything that `init` makes."""
    names = options.names
    return (
        # An account's first cluster cannot have FARGATE before this is there.
        Resource(key=Key(Kind.SERVICE_ROLE, SERVICE_ROLE), aspects={}),
        Resource(key=Key(Kind.LOG_GROUP, names.log_group), aspects={RETENTION: options.retention_days}),
        Resource(
            key=Key(Kind.CLUSTER, names.cluster),
            aspects={
                PROVIDERS: ["FARGATE", "FARGATE_SPOT"],
                INSIGHTS: options.insights,
                SESSION_KEY: options.kms_key,
            },
        ),
        *_roles(options),
        *_security_group(options),
        *_queues(names),
        Resource(
            key=Key(Kind.RULE, names.queue),
            aspects={
                PATTERN: policies.event_pattern(names),
                STATE: "ENABLED",
                TARGETS: [names.queue_arn],
            },
        ),
    )


def _roles(options: Options) -> tuple[Resource, ...]:
    names = options.names
    trust = policies.tasks_trust(names)
    return (
        _role(names.execution_role, trust, policies.execution_policy(names), options),
        _role(names.task_role, trust, policies.task_policy(options), options),
        _role(names.bridge_role, policies.bridge_trust(options), policies.bridge_policy(options), options),
    )


def _role(name: str, trust: Json, policy: Json, options: Options) -> Resource:
    aspects = {TRUST: trust, POLICY: policy, BOUNDARY: options.boundary}
    return Resource(key=Key(Kind.ROLE, name), aspects=aspects)


def _security_group(options: Options) -> tuple[Resource, ...]:
    """Overflow pods reach each other, and pods on nodes reach them, on every port: as pods do."""
    if not options.vpc:
        return ()
    sources = sorted({SELF, *options.node_security_groups, *options.pod_cidrs})
    key = Key(Kind.SECURITY_GROUP, options.names.security_group, options.vpc)
    return (Resource(key=key, aspects={INGRESS: sources, EGRESS: [ANYWHERE]}),)


def _queues(names: Names) -> tuple[Resource, ...]:
    dead = names.arn("sqs", names.dead_letters)
    return (
        Resource(
            key=Key(Kind.QUEUE, names.dead_letters),
            aspects={SETTINGS: {"MessageRetentionPeriod": str(4 * _DAY), "SqsManagedSseEnabled": "true"}},
        ),
        Resource(
            key=Key(Kind.QUEUE, names.queue),
            aspects={
                POLICY: policies.queue_policy(names),
                # Events are hints: what is older than an hour is learned by asking.
                SETTINGS: {
                    "MessageRetentionPeriod": str(_HOUR),
                    "VisibilityTimeout": "30",
                    "RedrivePolicy": {"deadLetterTargetArn": dead, "maxReceiveCount": 5},
                    "SqsManagedSseEnabled": "true",
                },
            },
        ),
    )
