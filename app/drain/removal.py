"""Removes our objects once nothing runs any more: Nodes, Leases, placeholder pods, entries of the vault.

A bridge that still runs makes its Node anew within seconds. So its Lease is taken first: a bridge whose
Lease is another's keeps off the node (`app.bridge.node.lease`), and so does every bridge that starts
meanwhile. The Lease stays until the bridges are gone; then a second call removes it. Where the bridges stay
after all, it goes stale within the hour and they go on. A bridge that runs though it was said to be gone
shows itself within a round of its own: then node and Lease are taken from it again, and it is named.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from app.drain.config import DrainConfig
from app.drain.facts import Left
from app.drain.outside import Outside, Tell
from app.model.names import GATE_LEASE
from app.model.node import Node
from app.ports.failures import PortFailure, Refused

NODE_LEASES: Final = "kube-node-lease"
"""Namespace of the nodes' Leases."""
HOLDER: Final = "spillway-drain"
"""Who holds the Lease of a node that is not to come back."""
_HOLD_SECONDS: Final = 3600
_ROUNDS: Final = 20


class RemovalConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What is removed.

    Attributes:
        namespace: Spillway's own.
        priority_class: of placeholder pods.
        bridges_are_gone: also remove Leases and PriorityClass, which programs that run would make anew.
        settle: seconds for which a node must stay away.
        back: seconds within which a bridge that still runs has made its Lease anew; its rounds are 10 apart.
    """

    namespace: str
    priority_class: str = "spillway-placeholder"
    bridges_are_gone: bool = False
    settle: float = 3.0
    back: float = 12.0


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """What was removed, by name, and what still stands."""

    nodes: tuple[str, ...] = ()
    leases: tuple[str, ...] = ()
    placeholders: int = 0
    entries: int = 0
    left: tuple[Left, ...] = ()


class Removal:
    """One removal; it may be cut off anywhere, and begun again."""

    def __init__(self, outside: Outside, *, drained: DrainConfig, config: RemovalConfig, tell: Tell) -> None:
        self._outside = outside
        self._drained = drained
        self._config = config
        self._tell = tell
        self._nodes: set[str] = set()
        self._left: list[Left] = []

    async def run(self) -> Removed:
        """Remove everything that can be.

        Raises:
            PortFailure: Kubernetes does not answer, or does not let us.
        """
        await self._remove_nodes()
        placeholders, entries = await self._remove_placeholders(), await self._remove_entries()
        leases = await self._remove_what_programs_make_anew() if self._config.bridges_are_gone else ()
        return Removed(
            placeholders=placeholders,
            entries=entries,
            leases=leases,
            nodes=tuple(sorted(self._nodes)),
            left=tuple(self._left),
        )

    async def look(self) -> tuple[Left, ...]:
        """What would be removed; nothing is changed. Raises PortFailure as `run`."""
        nodes = await self._meant()
        words = "it is to be removed"
        return (
            *(Left("node", each.name, "ToBeRemoved", words) for each in nodes),
            *(
                Left("placeholder", each.key, "ToBeRemoved", words)
                for each in await self._outside.standing.placeholders()
            ),
        )

    async def _remove_nodes(self) -> None:
        """Take the Leases, remove the Nodes, and see that they stay away."""
        for _ in range(_ROUNDS):
            if await self._round():
                return
            await self._outside.clock.sleep(self._config.settle)
        for name in sorted(self._nodes):
            words = "it comes back: stop the bridge that keeps it, then drain again"
            self._left.append(Left("node", name, "ComesBack", words))

    async def _remove_what_programs_make_anew(self) -> tuple[str, ...]:
        """The Leases that were taken, and what the extenders keep; the Leases that are gone for good."""
        nodes = await self._remove_node_leases()
        extenders = await self._remove_of_extenders() if not self._drained.nodes else ()
        back = await self._back(nodes) if nodes else {}
        if back:
            await self._take_again(back)
        return (*(f"{NODE_LEASES}/{name}" for name in sorted(nodes - back.keys())), *extenders)

    async def _take_again(self, back: Mapping[str, str]) -> None:
        """The Leases are ours again, the Nodes are gone again, and who brought them back is named."""
        self._nodes |= back.keys()
        await self._remove_nodes()
        for name, holder in sorted(back.items()):
            self._tell(f"node {name}: {holder} brought it back; removed again")
            words = (
                f"{holder} brought node and Lease back, so it still runs: stop it, then run this again; "
                "meanwhile the Lease keeps it off for an hour"
            )
            self._left.append(Left("lease", f"{NODE_LEASES}/{name}", "ComesBack", words))

    async def _back(self, nodes: set[str]) -> dict[str, str]:
        """Which of these nodes, or their Leases, are made anew, and who holds them then."""
        self._tell(
            f"looking for {self._config.back:.0f} s whether a bridge that still runs brings nodes back"
        )
        await self._outside.clock.sleep(self._config.back)
        there = {each.name for each in await self._outside.standing.nodes()}
        holders = {each.node: each.holder for each in await self._outside.standing.claims()}
        return {name: holders.get(name) or "somebody" for name in nodes & (there | holders.keys())}

    async def _round(self) -> bool:
        """Whether all Leases are ours and no Node was there; otherwise that was mended just now."""
        nodes = await self._meant()
        held = {each.node for each in await self._outside.standing.claims() if each.holder == HOLDER}
        self._nodes |= {node.name for node in nodes}
        missing = sorted(self._nodes - held)
        for name in missing:
            await self._outside.departures.claim(name, holder=HOLDER, seconds=_HOLD_SECONDS)
        if missing:
            # A bridge in the middle of its round may write once more; only what stays ours is ours.
            return False
        for node in nodes:
            await self._outside.departures.remove_node(node)
            self._tell(f"node {node.name}: removed")
        return not nodes

    async def _remove_placeholders(self) -> int:
        pods = await self._outside.standing.placeholders()
        for pod in pods:
            await self._outside.departures.delete(pod, at_once=True)
            self._tell(f"placeholder {pod.key}: removed")
        return len(pods)

    async def _remove_entries(self) -> int:
        """All entries of the cluster; where nodes were named theirs alone, and not the seal they share."""
        aws = self._outside.aws
        if aws is None:
            return 0
        try:
            entries = [each for each in await aws.vault.kept() if self._is_ours(each.name)]
            for entry in entries:
                await aws.vault.forget(entry.arn)
        except PortFailure as failure:
            words = f"{failure}; entries of AWS Secrets Manager are billed: remove those that begin so"
            self._left.append(Left("entry", f"spillway/{self._drained.cluster}/", "NotRemoved", words))
            return 0
        if entries:
            self._tell(f"{len(entries)} entries of AWS Secrets Manager: removed")
        return len(entries)

    def _is_ours(self, name: str) -> bool:
        if not self._drained.nodes:
            return True
        root = f"spillway/{self._drained.cluster}"
        return any(name.startswith(f"{root}/{node}/") for node in self._drained.nodes)

    async def _remove_node_leases(self) -> set[str]:
        """The nodes whose Leases were ours, and are removed."""
        claims = await self._outside.standing.claims()
        ours = {each.node for each in claims if each.holder == HOLDER and self._is_meant(each.node)}
        for name in sorted(ours):
            await self._remove_lease(NODE_LEASES, name)
        return ours

    async def _remove_of_extenders(self) -> tuple[str, ...]:
        """The gate's Lease, which is returned, and the PriorityClass: all nodes share them."""
        await self._remove_lease(self._config.namespace, GATE_LEASE)
        await self._remove_priority()
        return (f"{self._config.namespace}/{GATE_LEASE}",)

    async def _remove_lease(self, namespace: str, name: str) -> None:
        await self._outside.departures.remove_lease(namespace, name)
        self._tell(f"lease {namespace}/{name}: removed")

    async def _remove_priority(self) -> None:
        name = self._config.priority_class
        try:
            removed = await self._outside.departures.remove_priority(name)
        except Refused as failure:
            # It costs nothing and does nothing, and perhaps there is none.
            self._tell(f"priority class {name}: stays, if there is one: {failure}")
        else:
            if removed:
                self._tell(f"priority class {name}: removed")

    async def _meant(self) -> list[Node]:
        return [each for each in await self._outside.standing.nodes() if self._is_meant(each.name)]

    def _is_meant(self, node: str) -> bool:
        return not self._drained.nodes or node in self._drained.nodes
