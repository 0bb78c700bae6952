"""Waiting for AWS's throttles before AWS has to refuse: one lane per kind of call, first come first served.

Quotas count per account and region; the published ones stand in
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/request-throttling.html,
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html and
https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html.
"""

import asyncio
import enum
from collections.abc import Callable, Mapping
from typing import Final, Self

import msgspec

from app.aws import throttle
from app.aws.metrics import AwsMetrics
from app.aws.throttle import Bucket, Quota
from app.ports.clock import Clock


class Lane(enum.Enum):
    """Calls that wait for each other; calls of different lanes never do."""

    LAUNCH = "RunTask"
    STOP = "StopTask"
    READ = "DescribeTasks, ListTasks"
    REGISTER = "RegisterTaskDefinition"
    FIND = "DescribeTaskDefinition"
    LOGS = "GetLogEvents for people"
    RECORDS = "GetLogEvents for the bridge"
    INSIGHTS = "FilterLogEvents"
    VAULT = "CreateSecret, RestoreSecret, DeleteSecret"
    VAULT_READ = "DescribeSecret, GetSecretValue, ListSecrets"
    IDENTITY = "ListPodIdentityAssociations, DescribePodIdentityAssociation"
    REGISTRY = "GetAuthorizationToken"
    EXEC = "ExecuteCommand"
    SESSIONS = "ResumeSession, TerminateSession, GenerateDataKey"


class Quotas(msgspec.Struct, frozen=True, kw_only=True):
    """What AWS allows. RunTask, StopTask and ExecuteCommand draw on `modify` besides their own.

    Both lanes of GetLogEvents draw on `logs`; the bridge's own reading leaves the larger part to people.
    Fargate's own quota of launches (100 at once, 20 per second) is implied by `launch`, since every call
    launches one task. RunTask alone cannot use up `modify`: what it leaves belongs to StopTask, and a quarter
    at most to people's sessions. EKS publishes none for Pod Identity, nor Session Manager for its own calls;
    `identity` and `sessions` are modest.
    """

    launch: Quota = Quota(20, 20)
    modify: Quota = Quota(100, 40)
    read: Quota = Quota(100, 20)
    register: Quota = Quota(20, 1)
    find: Quota = Quota(50, 20)
    logs: Quota = Quota(25, 25)
    insights: Quota = Quota(5, 5)
    vault: Quota = Quota(50, 50)
    vault_read: Quota = Quota(100, 100)
    identity: Quota = Quota(10, 5)
    registry: Quota = Quota(20, 20)
    sessions: Quota = Quota(20, 10)

    @classmethod
    def of_region(cls, region: str) -> Self:
        """The published quotas; those of GetLogEvents differ by region."""
        rate = _LOG_RATES.get(region, 25)
        return cls(logs=Quota(rate, rate))


_LOG_RATES: Final[Mapping[str, float]] = {
    "us-west-2": 10,
    "eu-west-1": 10,
    "eu-central-1": 10,
    "eu-west-3": 30,
}

_EXEC_SHARE: Final = 0.25
"""Of what launches and stops leave."""

_RECORDS_SHARE: Final = 0.4
"""Of GetLogEvents' quota for what helpers recorded and for termination messages."""

_BURST_SHARE: Final = 0.75
"""The first calls wait for their connections while later ones are granted, and arrive with them at once."""

_RATE_SHARE: Final = 0.98
"""A little less than allowed: calls that left evenly arrive bunched, and clocks have grain."""


class Limiter:
    """Grants calls one by one, and learns from those that AWS throttled all the same."""

    def __init__(self, quotas: Quotas, *, clock: Clock, metrics: AwsMetrics) -> None:
        self._clock = clock
        self._throttled = metrics.throttled
        for lane in Lane:
            self._throttled.labels(lane.name.lower())
        self._turns = {lane: asyncio.Lock() for lane in Lane}
        now = clock.steady()
        self._own = {
            Lane.LAUNCH: _careful(quotas.launch, now=now),
            Lane.STOP: _careful(quotas.modify, now=now),
            Lane.READ: _careful(quotas.read, now=now),
            Lane.REGISTER: _careful(quotas.register, now=now),
            Lane.FIND: _careful(quotas.find, now=now),
            Lane.LOGS: _careful(quotas.logs, now=now),
            Lane.RECORDS: _careful(_part(quotas.logs, _RECORDS_SHARE), now=now),
            Lane.INSIGHTS: _careful(quotas.insights, now=now),
            Lane.VAULT: _careful(quotas.vault, now=now),
            Lane.VAULT_READ: _careful(quotas.vault_read, now=now),
            Lane.IDENTITY: _careful(quotas.identity, now=now),
            Lane.REGISTRY: _careful(quotas.registry, now=now),
            Lane.EXEC: _careful(_part(quotas.modify, _EXEC_SHARE), now=now),
            Lane.SESSIONS: _careful(quotas.sessions, now=now),
        }
        self._shared = {
            _Shared.MODIFY: _careful(quotas.modify, now=now),
            _Shared.LOGS: _careful(quotas.logs, now=now),
        }
        self._shared_turns = {each: asyncio.Lock() for each in _Shared}

    async def grant(self, lane: Lane) -> None:
        """Return when one call of this lane may be made; whoever asked first goes first."""
        async with self._turns[lane]:
            await self._fill(lambda: self._own[lane])
            if lane in _SHARED:
                await self._draw_on(_SHARED[lane])
            self._own[lane] = throttle.taken(self._own[lane], now=self._clock.steady())

    async def _draw_on(self, shared: "_Shared") -> None:
        # The heads of both lanes take turns: neither a storm of stops nor one of launches starves the other.
        async with self._shared_turns[shared]:
            await self._fill(lambda: self._shared[shared])
            self._shared[shared] = throttle.taken(self._shared[shared], now=self._clock.steady())

    async def _fill(self, bucket: Callable[[], Bucket]) -> None:
        while (seconds := throttle.wait(bucket(), now=self._clock.steady())) > 0:
            await self._clock.sleep(seconds)

    def throttled(self, lane: Lane) -> None:
        """Say that AWS throttled a call: this lane alone slows down, so that launches never slow stops."""
        self._throttled.labels(lane.name.lower()).inc()
        self._own[lane] = throttle.slowed(self._own[lane], now=self._clock.steady())


class _Shared(enum.Enum):
    """Quotas that several lanes draw on besides their own."""

    MODIFY = enum.auto()
    LOGS = enum.auto()


_SHARED: Final = {
    Lane.LAUNCH: _Shared.MODIFY,
    Lane.STOP: _Shared.MODIFY,
    Lane.EXEC: _Shared.MODIFY,
    Lane.LOGS: _Shared.LOGS,
    Lane.RECORDS: _Shared.LOGS,
}


def _part(quota: Quota, share: float) -> Quota:
    return Quota(quota.burst * share, quota.rate * share)


def _careful(quota: Quota, *, now: float) -> Bucket:
    # Half a token is no call: a bucket always holds at least one.
    burst = max(1.0, quota.burst * _BURST_SHARE)
    return throttle.full(Quota(burst, quota.rate * _RATE_SHARE), now=now)
