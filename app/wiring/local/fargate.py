"""The embedded Fargate of a local stack: tasks have addresses of their own, and the in-task helper."""

import contextlib
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from app.local.fargate.config import FargateConfig
from app.local.fargate.embedded import EmbeddedFargate
from app.ports.clock import Clock
from app.wiring.local import helper
from app.wiring.local.addresses import with_own_addresses
from app.wiring.local.options import LocalOptions


@dataclass(frozen=True, slots=True)
class LocalFargate:
    """A Fargate that runs.

    Attributes:
        embedded: itself.
        url: where it listens.
        has_helper: whether pods can have the in-task helper.
    """

    embedded: EmbeddedFargate
    url: str
    has_helper: bool


@contextlib.asynccontextmanager
async def running_fargate(
    options: LocalOptions, *, clock: Clock, progress: Callable[[str], None]
) -> AsyncIterator[LocalFargate]:
    """A Fargate from start to stop.

    Raises:
        LocalStackError: this machine has no addresses left for its tasks.
    """
    with with_own_addresses(options.fargate) as config:
        helped = await _with_helper(config, options, progress) if options.helper else None
        embedded = EmbeddedFargate(helped or config, clock=clock, ids=lambda: uuid.uuid4().hex)
        try:
            yield LocalFargate(embedded, await embedded.start(), has_helper=helped is not None)
        finally:
            await embedded.stop()


async def _with_helper(
    config: FargateConfig, options: LocalOptions, progress: Callable[[str], None]
) -> FargateConfig | None:
    """The configuration that knows the helper; None where it cannot be built here, which is told."""
    try:
        binary = await helper.built(options.directory)
    except helper.NoHelper as why:
        progress(f"the in-task helper is left out: {why}")
        return None
    return helper.knowing(config, binary)
