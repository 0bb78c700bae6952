"""What leaving a cluster asks of Kubernetes. All of it raises `app.ports.failures` only."""

from typing import Protocol

import msgspec

from app.model.node import Node
from app.model.pod import Pod


class Claimed(msgspec.Struct, frozen=True):
    """A node's Lease, by the node's name, and who holds it; empty where nobody does."""

    node: str
    holder: str


class Standing(Protocol):
    """What stands there of an installation: consistent reads of whole listings."""

    async def nodes(self) -> tuple[Node, ...]:
        """The virtual nodes."""
        ...

    async def gate_writer(self, node: str) -> str:
        """Who wrote the node's gate last, as its managed fields have it; empty where they do not say."""
        ...

    async def pods(self, node: str) -> tuple[Pod, ...]:
        """The pods that are bound to a node."""
        ...

    async def placeholders(self) -> tuple[Pod, ...]:
        """The pods that keep room on real nodes for overflow."""
        ...

    async def claims(self) -> tuple[Claimed, ...]:
        """The Leases of all nodes."""
        ...


class Departures(Protocol):
    """Taking it away. What is gone already is success."""

    async def close(self, node: Node) -> None:
        """Close the node's gate for good, and cordon it. Raises NotFound."""
        ...

    async def delete(self, pod: Pod, *, at_once: bool) -> None:
        """DELETE with the uid as precondition; `at_once` does not wait for its node."""
        ...

    async def claim(self, node: str, *, holder: str, seconds: int) -> None:
        """Take the node's Lease, whoever holds it: it no longer goes with its node."""
        ...

    async def remove_node(self, node: Node) -> None:
        """DELETE with the uid as precondition."""
        ...

    async def remove_lease(self, namespace: str, name: str) -> None:
        """DELETE."""
        ...

    async def remove_priority(self, name: str) -> bool:
        """DELETE the PriorityClass that an extender made; whether there was one. Others' are not touched."""
        ...
