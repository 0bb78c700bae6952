"""The ports of a drain, and what is told of it while it runs."""

from collections.abc import Callable

import msgspec

from app.ports.clock import Clock
from app.ports.kubernetes import Evictions
from app.ports.leaving import Departures, Standing
from app.ports.tasks import Tasks
from app.ports.vault import Vault


class Aws(msgspec.Struct, frozen=True, kw_only=True):
    """ECS and Secrets Manager, as far as they are asked."""

    tasks: Tasks
    vault: Vault


class Outside(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a drain speaks to.

    Attributes:
        standing: reads.
        departures: writes.
        evictions: evicts, and asks controllers how their replicas stand.
        clock: time.
        aws: None where it is not to be asked, or cannot be.
        no_aws: why it cannot be; empty otherwise.
    """

    standing: Standing
    departures: Departures
    evictions: Evictions
    clock: Clock
    aws: Aws | None = None
    no_aws: str = ""


Tell = Callable[[str], None]
"""Hears, line by line, what is being done."""
