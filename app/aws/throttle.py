"""Token buckets as AWS's throttles are shaped: arithmetic on frozen values, `now` in steady seconds. Pure.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/request-throttling.html
"""

from typing import Final

import msgspec

SLOWDOWN: Final = 0.5
"""What a throttled answer does to the pace."""

LOWEST_PACE: Final = 1 / 16
"""The pace never falls below this share of the published rate."""

RECOVERY_SECONDS: Final = 60.0
"""How long the pace takes from nothing to the published rate; it grows evenly."""

QUIET_SECONDS: Final = 1.0
"""Calls that were in flight together are throttled together: they slow the bucket once."""

_WHOLE: Final = 1 - 1e-6
"""As good as one token: sums of floats miss it by a hair."""


class Quota(msgspec.Struct, frozen=True):
    """A published throttle: calls at once, and calls per second."""

    burst: float
    rate: float


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """A quota and what is left of it.

    Attributes:
        quota: what is never exceeded.
        tokens: calls that may be made at `at`.
        pace: tokens per second at `at`; below `quota.rate` after throttling, growing evenly back to it.
        at: when this was so.
        slowed_at: when the pace was last cut.
    """

    quota: Quota
    tokens: float
    pace: float
    at: float
    slowed_at: float = float("-inf")


def full(quota: Quota, *, now: float) -> Bucket:
    """A bucket that nobody used yet."""
    return Bucket(quota=quota, tokens=quota.burst, pace=quota.rate, at=now)


def refilled(bucket: Bucket, *, now: float) -> Bucket:
    """The bucket at `now`; a `now` that lies before its own time changes nothing."""
    elapsed = now - bucket.at
    if elapsed <= 0:
        return bucket
    growth = bucket.quota.rate / RECOVERY_SECONDS
    climbing = min(elapsed, (bucket.quota.rate - bucket.pace) / growth)
    gained = bucket.pace * climbing + growth * climbing**2 / 2 + bucket.quota.rate * (elapsed - climbing)
    return msgspec.structs.replace(
        bucket,
        tokens=min(bucket.quota.burst, bucket.tokens + gained),
        pace=min(bucket.quota.rate, bucket.pace + growth * climbing),
        at=now,
    )


def wait(bucket: Bucket, *, now: float) -> float:
    """Seconds from `now` until one call may be made: 0 where it may be made now."""
    current = refilled(bucket, now=now)
    if current.tokens >= _WHOLE:
        return 0.0
    return (1 - current.tokens) / current.pace


def taken(bucket: Bucket, *, now: float) -> Bucket:
    """The bucket after one call at `now`, for which `wait` said 0."""
    current = refilled(bucket, now=now)
    return msgspec.structs.replace(current, tokens=current.tokens - 1)


def slowed(bucket: Bucket, *, now: float) -> Bucket:
    """The bucket after AWS said that we are too fast: emptied, at half the pace."""
    current = refilled(bucket, now=now)
    if now - current.slowed_at < QUIET_SECONDS:
        return current
    return msgspec.structs.replace(
        current,
        tokens=min(current.tokens, 0.0),
        pace=max(current.pace * SLOWDOWN, current.quota.rate * LOWEST_PACE),
        slowed_at=now,
    )
