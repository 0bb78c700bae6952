"""Addresses of a local stack's tasks: a block of loopback that no other stack on this machine uses."""

import contextlib
from collections.abc import Iterator

import msgspec

from app.local.fargate.config import FargateConfig
from app.local.loopback import NoBlockLeft, held_block
from app.wiring.local.options import LocalStackError


@contextlib.contextmanager
def with_own_addresses(config: FargateConfig) -> Iterator[FargateConfig]:
    """The configuration with a block of its own; as it is where its subnets were chosen.

    Raises:
        LocalStackError: no block is left.
    """
    if config.subnets != FargateConfig().subnets:
        yield config
        return
    with contextlib.ExitStack() as held:
        try:
            block = held.enter_context(held_block())
        except NoBlockLeft as why:
            raise LocalStackError(str(why)) from why
        subnets = tuple(msgspec.structs.replace(each, cidr=block) for each in config.subnets)
        yield msgspec.structs.replace(config, subnets=subnets)
