"""AWS's published request limits, as token buckets on the server's side.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/request-throttling.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
https://docs.aws.amazon.com/general/latest/gr/ssm.html
"""

from collections.abc import Sequence
from typing import Final

import msgspec


class Limit(msgspec.Struct, frozen=True):
    """A bucket of `burst` tokens that gains `rate` per second."""

    burst: float
    rate: float


LIMITS: Final = {
    "cluster-modify": Limit(100, 40),
    "run-task": Limit(20, 20),
    "launch-on-demand": Limit(100, 20),
    "launch-spot": Limit(100, 20),
    "cluster-read": Limit(100, 20),
    "definition-modify": Limit(20, 1),
    "definition-read": Limit(50, 20),
    "definition-delete": Limit(5, 1),
    "tags-read": Limit(50, 20),
    "clusters": Limit(50, 20),
    "create-log-group": Limit(10, 10),
    "create-log-stream": Limit(50, 50),
    "get-log-events": Limit(25, 25),
    "filter-log-events": Limit(5, 5),
    "describe-log-streams": Limit(25, 25),
    "describe-log-groups": Limit(10, 10),
    "create-secret": Limit(50, 50),
    "put-secret-value": Limit(50, 50),
    "delete-secret": Limit(50, 50),
    "restore-secret": Limit(50, 50),
    "describe-secret": Limit(40_000, 40_000),
    "get-secret-value": Limit(10_000, 10_000),
    "list-secrets": Limit(100, 100),
    "put-parameter": Limit(3, 3),
    "get-parameters": Limit(40, 40),
    "delete-parameter": Limit(5, 5),
}

BUCKETS_OF: Final[dict[str, tuple[str, ...]]] = {
    "RunTask": ("cluster-modify", "run-task"),
    "StopTask": ("cluster-modify",),
    "DescribeTasks": ("cluster-read",),
    "ListTasks": ("cluster-read",),
    "RegisterTaskDefinition": ("definition-modify",),
    "DeregisterTaskDefinition": ("definition-modify",),
    "DescribeTaskDefinition": ("definition-read",),
    "ListTaskDefinitions": ("definition-read",),
    "ListTaskDefinitionFamilies": ("definition-read",),
    "DeleteTaskDefinitions": ("definition-delete",),
    "ListTagsForResource": ("tags-read",),
    "DescribeClusters": ("clusters",),
    "CreateCluster": ("clusters",),
    "PutClusterCapacityProviders": ("clusters",),
    "CreateLogGroup": ("create-log-group",),
    "CreateLogStream": ("create-log-stream",),
    "GetLogEvents": ("get-log-events",),
    "FilterLogEvents": ("filter-log-events",),
    "DescribeLogStreams": ("describe-log-streams",),
    "DescribeLogGroups": ("describe-log-groups",),
    "CreateSecret": ("create-secret",),
    "PutSecretValue": ("put-secret-value",),
    "DeleteSecret": ("delete-secret",),
    "RestoreSecret": ("restore-secret",),
    "DescribeSecret": ("describe-secret",),
    "GetSecretValue": ("get-secret-value",),
    "ListSecrets": ("list-secrets",),
    "PutParameter": ("put-parameter",),
    "GetParameters": ("get-parameters",),
    "DeleteParameter": ("delete-parameter",),
}
"""The buckets that each operation draws one token from; a launch draws from its own bucket besides."""


class TokenBucket:
    """One bucket. Full at first; times are steady seconds."""

    def __init__(self, limit: Limit, *, now: float) -> None:
        self._limit = limit
        self._tokens = limit.burst
        self._at = now

    def has(self, count: int, *, now: float) -> bool:
        """Whether `count` tokens are there."""
        gained = (now - self._at) * self._limit.rate
        self._tokens = min(self._limit.burst, self._tokens + gained)
        self._at = now
        return self._tokens + _ROUNDING >= count

    def draw(self, count: int) -> None:
        """Take tokens that `has` just found."""
        self._tokens -= count


_ROUNDING: Final = 1e-9
"""Twenty gains of 0.05 are one token."""


class Throttles:
    """All buckets of one account and region."""

    def __init__(self, *, now: float, on: bool = True, scale: float = 1.0) -> None:
        self._on = on
        self._buckets = {
            name: TokenBucket(Limit(limit.burst * scale, limit.rate * scale), now=now)
            for name, limit in LIMITS.items()
        }

    def admit(self, operation: str, *, now: float) -> bool:
        """Draw a token from each bucket of an operation; False, and none drawn, where one is empty."""
        return self.draw(BUCKETS_OF.get(operation, ()), count=1, now=now)

    def draw(self, names: Sequence[str], *, count: int, now: float) -> bool:
        """Draw `count` tokens from each named bucket; False, and none drawn, where one has too few."""
        if not self._on:
            return True
        buckets = [self._buckets[name] for name in names]
        if not all(bucket.has(count, now=now) for bucket in buckets):
            return False
        for bucket in buckets:
            bucket.draw(count)
        return True
