"""Whether the parts of a local stack are up, and the wait until they are."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from app.local.http_client import HttpClient, HttpError
from app.model import node
from app.model.names import GATE_LEASE
from app.ports.clock import Clock
from app.ports.failures import NotFound
from app.wiring.kubernetes import Parts
from app.wiring.local.options import LocalStackError

_WITHIN: Final = 60.0
_LOOK: Final = 0.05


class Patience:
    """Waits for what is coming, as long as every part runs.

    Args:
        check: raises where a part has ended by itself.
        logs: where the parts' logs are.
        clock: paces the looks.
    """

    def __init__(self, check: Callable[[], None], *, logs: Path, clock: Clock) -> None:
        self._check = check
        self._logs = logs
        self._clock = clock

    async def until(self, what: str, holds: Callable[[], Awaitable[bool]]) -> None:
        """Wait until it holds.

        Raises:
            LocalStackError: a part ended, or a minute passed.
        """
        deadline = self._clock.steady() + _WITHIN
        while not await holds():
            self._check()
            if self._clock.steady() > deadline:
                raise LocalStackError(f"waited {_WITHIN:.0f} s for {what}; see the logs in {self._logs}")
            await self._clock.sleep(_LOOK)


async def is_ready(client: HttpClient) -> bool:
    """Whether the program that the client speaks to says so."""
    try:
        return (await client.request("GET", "/readyz")).status == 200  # noqa: PLR2004
    except HttpError:
        return False


async def is_led(parts: Parts, *, namespace: str) -> bool:
    """Whether some extender holds the gate's Lease."""
    try:
        return bool((await parts.leases.read(namespace, GATE_LEASE)).holder)
    except NotFound:
        return False


async def node_is_ready(parts: Parts, name: str) -> bool:
    """Whether the node is there, ready, and no longer tainted as new nodes are."""
    try:
        found = await parts.nodes.get(name)
    except NotFound:
        return False
    return node.is_ready(found) and not any(
        taint.key == "node.kubernetes.io/not-ready" for taint in found.spec.taints
    )
