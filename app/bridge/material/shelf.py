"""The entries that this process put into the vault: each stored once, and who uses it."""

import asyncio
from collections.abc import Collection, Mapping
from weakref import WeakValueDictionary

import msgspec

from app.model.names import PodUid
from app.ports.clock import Clock
from app.ports.vault import Kept, Vault


class _Stored(msgspec.Struct):
    arn: str
    used_at: float


class Shelf:
    """Name → ARN, asked for once at a time. All of it is lost with the process, and then asked for again."""

    def __init__(self, vault: Vault, *, clock: Clock) -> None:
        self._vault = vault
        self._clock = clock
        self._stored: dict[str, _Stored] = {}
        self._storing: dict[str, asyncio.Future[str]] = {}
        self._uses: dict[PodUid, frozenset[str]] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def put(self, name: str, content: Mapping[str, str]) -> str:
        """The entry's ARN; it is stored where the vault has none of this name.

        Those who ask together share the answer, and the failure too.

        Raises:
            PortFailure: as `Vault.keep`.
        """
        stored = self._stored.get(name)
        if stored is None:
            # Whoever is cancelled while waiting must not take the answer from the others.
            arn = await asyncio.shield(self._storing.get(name) or self._begin(name, content))
            stored = self._stored.setdefault(name, _Stored(arn, 0.0))
        stored.used_at = self._clock.steady()
        return stored.arn

    def _begin(self, name: str, content: Mapping[str, str]) -> "asyncio.Future[str]":
        storing = asyncio.ensure_future(self._store(name, content))
        self._storing[name] = storing
        storing.add_done_callback(lambda _: self._settle(name, storing))
        return storing

    async def _store(self, name: str, content: Mapping[str, str]) -> str:
        async with self._turn(name):
            return await self._vault.keep(name, content)

    def _settle(self, name: str, storing: "asyncio.Future[str]") -> None:
        """Nobody may be left to hear of a failure: whoever waited may have given up."""
        del self._storing[name]
        if not storing.cancelled():
            storing.exception()

    def uses(self, pod: PodUid, names: Collection[str]) -> None:
        """Say which entries a pod needs now, in place of those that it needed before."""
        self._uses[pod] = frozenset(names)

    def needed(self, live: Collection[PodUid], *, within: float) -> frozenset[str]:
        """The entries that the live pods need, and those that were asked for in the last `within` seconds.

        What is known of other pods is forgotten.
        """
        self._uses = {uid: names for uid, names in self._uses.items() if uid in live}
        recent = (name for name, each in self._stored.items() if self._is_recent(each, within))
        return frozenset(recent).union(*self._uses.values())

    def listed(self, names: Collection[str]) -> None:
        """A complete listing: what somebody else removed is stored again when it is asked for."""
        self._stored = {name: each for name, each in self._stored.items() if name in names}

    async def remove(self, entry: Kept, *, unused_for: float) -> bool:
        """Remove the entry, unless somebody asked for it lately; whoever asks meanwhile stores it anew.

        Raises:
            PortFailure: as `Vault.forget`.
        """
        async with self._turn(entry.name):
            stored = self._stored.get(entry.name)
            if stored is not None and self._is_recent(stored, unused_for):
                return False
            self._stored.pop(entry.name, None)
            await self._vault.forget(entry.arn)
            return True

    def _is_recent(self, stored: _Stored, seconds: float) -> bool:
        return self._clock.steady() - stored.used_at < seconds

    def _turn(self, name: str) -> asyncio.Lock:
        """The lock of a name, kept for as long as somebody holds it or waits for it."""
        return self._turns.setdefault(name, asyncio.Lock())
