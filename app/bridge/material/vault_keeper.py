"""Removes entries of the vault that nobody needs any more.

A task reads its entries once, when it starts. So an entry may go when no live pod of this node was given it,
nobody asked for it lately, and that has been so for a while under this very process: a task that an earlier
bridge launched has started by then, or is launched anew, and then what it needs is stored anew.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

import msgspec

from app.bridge.material.shelf import Shelf
from app.model.pod import Pod, is_terminal
from app.ports.clock import Clock
from app.ports.failures import PortFailure
from app.ports.vault import Kept, Vault
from app.ports.watched import Watched
from app.telemetry import logs

_log = logs.get(__name__)

UNUSED_SECONDS: Final = 900.0
"""No task takes so long from its launch to reading its entries."""


class KeeperConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What to keep in order, and how often.

    Attributes:
        prefix: of this node's entries (`app.bridge.material.entries.prefix_of`); others are never touched.
        unused: seconds for which an entry is kept though nobody needs it.
        period: seconds between two rounds.
    """

    prefix: str
    unused: float = UNUSED_SECONDS
    period: float = 300.0


class VaultKeeper:
    """One round after another; a listing that fails ends its round, and nothing is removed by it."""

    def __init__(
        self,
        vault: Vault,
        shelf: Shelf,
        *,
        pods: Watched[Pod],
        clock: Clock,
        config: KeeperConfig,
        is_ours: Callable[[], Awaitable[bool]],
    ) -> None:
        """Ask nothing yet.

        Args:
            vault: whose entries to keep in order.
            shelf: which of them are in use (`Gatherer.shelf`).
            pods: those bound to this node.
            clock: time.
            config: whose entries, and how long.
            is_ours: whether this process surely holds the node's Lease now; another's pods are not known.
        """
        self._vault = vault
        self._shelf = shelf
        self._pods = pods
        self._clock = clock
        self._config = config
        self._is_ours = is_ours
        self._idle_since: dict[str, float] = {}

    async def run(self) -> None:
        """Tidy up until cancelled; a failure of AWS delays."""
        await self._pods.synced()
        while True:
            try:
                await self.tidy()
            except PortFailure as failure:
                _log.warning("entries of the vault are not tidied", error=str(failure))
            await self._clock.sleep(self._config.period)

    async def tidy(self) -> int:
        """One round; how many entries were removed.

        Raises:
            PortFailure: the listing or a removal failed; what was removed before that stays so.
        """
        if not await self._is_ours():
            self._idle_since = {}
            return 0
        listed = tuple(each for each in await self._vault.kept() if each.name.startswith(self._config.prefix))
        self._shelf.listed({each.name for each in listed})
        needed = self._needed()
        idle = [each for each in listed if self._is_idle(each, needed)]
        now = self._clock.steady()
        self._idle_since = {each.name: self._idle_since.get(each.name, now) for each in idle}
        due = [each for each in idle if now - self._idle_since[each.name] >= self._config.unused]
        return sum([await self._remove(each) for each in due])

    def _needed(self) -> frozenset[str]:
        live = {pod.uid for pod in self._pods.all() if not is_terminal(pod)}
        return self._shelf.needed(live, within=self._config.unused)

    def _is_idle(self, entry: Kept, needed: frozenset[str]) -> bool:
        age = self._clock.now() - entry.created_at
        return entry.name not in needed and age >= timedelta(seconds=self._config.unused)

    async def _remove(self, entry: Kept) -> bool:
        # The Lease may have gone to another bridge while the last one was removed.
        if not await self._is_ours():
            return False
        removed = await self._shelf.remove(entry, unused_for=self._config.unused)
        if removed:
            _log.info("entry of the vault removed", name=entry.name)
        return removed
