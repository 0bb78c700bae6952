"""When overflow pods come home: the policy."""

from datetime import timedelta

import msgspec


class ReturnConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The policy of returns.

    Attributes:
        after: how long a pod must have fitted onto real nodes without a break, and been Ready.
        batch: how many evictions at once.
        jobs: whether pods of Jobs may be moved, too.
        early: whether pods that allow it burst early: then they stay as long as the nodes that they could
            use are full beyond the high watermark.
        least_ready: replicas that must be Ready before one is taken.
        hold_off: how long a controller is left alone after its first return that failed; then twice as long.
        longest: the longest hold-off.
        settling: beyond its grace period, how long an evicted pod's successor may take to be Ready.
    """

    after: timedelta = timedelta(minutes=5)
    batch: int = 2
    jobs: bool = False
    early: bool = False
    least_ready: int = 2
    hold_off: timedelta = timedelta(minutes=10)
    longest: timedelta = timedelta(hours=24)
    settling: timedelta = timedelta(minutes=10)
