"""The gates of all virtual nodes, for one term of the leader: a keeper for each node that it met."""

import asyncio
from collections.abc import Iterable, Mapping

from app.extender.decision.decisions import Opening
from app.extender.gatekeeper import Gatekeeper, Pace
from app.extender.metrics import GateMetrics
from app.extender.tolerator import Granted
from app.model.grant import Grant
from app.model.names import PodUid
from app.model.node import Node
from app.model.pod import Pod
from app.ports.clock import Clock
from app.ports.kubernetes import Nodes


class Gates:
    """Brings nodes to their openings, and knows what was written before the watch shows it.

    A node that is gone keeps its keeper to the end of the term: whoever holds an older look may still ask.

    Args:
        nodes: where it is written.
        clock: paces the writes.
        metrics: counts them.
        pace: how often.
    """

    def __init__(self, nodes: Nodes, *, clock: Clock, metrics: GateMetrics, pace: Pace) -> None:
        self._nodes = nodes
        self._clock = clock
        self._metrics = metrics
        self._pace = pace
        self._keepers: dict[str, Gatekeeper] = {}

    def newest(self, watched: Iterable[Node]) -> dict[str, Node]:
        """The nodes by name, each the newer of the watched one and the one that our last write returned."""
        return {node.name: self._keeper(node.name).newest(node) for node in watched}

    def is_own_write(self, watched: Node) -> bool:
        """Whether the watch shows what we wrote last, and nobody has written since."""
        return self._keeper(watched.name).is_own_write(watched)

    def grants(self, shown: Mapping[str, Node]) -> dict[str, tuple[Grant, ...]]:
        """The grants on each of the nodes."""
        return {name: self._keeper(name).grants(node) for name, node in shown.items()}

    async def bring(self, openings: Iterable[Opening], shown: Mapping[str, Node]) -> dict[str, float]:
        """Bring every node to its opening, all at once; one that fails holds up no other.

        Returns:
            For each node that is not there yet, the seconds until it is worth another try.
        """
        wanted = tuple(openings)
        pauses = await asyncio.gather(
            *(self._keeper(each.node).bring(shown[each.node], each) for each in wanted)
        )
        for opening in wanted:
            self._metrics.open.labels(opening.node).set(len(opening.grants))
        return {
            opening.node: pause for opening, pause in zip(wanted, pauses, strict=True) if pause is not None
        }

    def granted(
        self, openings: Iterable[Opening], shown: Mapping[str, Node], unbound: Mapping[PodUid, Pod]
    ) -> list[Granted]:
        """The pods whose grant and room are written."""
        return [
            (unbound[grant.uid], grant)
            for opening in openings
            if self._keeper(opening.node).shows(shown[opening.node], opening)
            for grant in opening.grants
            if grant.uid in unbound
        ]

    def _keeper(self, name: str) -> Gatekeeper:
        if name not in self._keepers:
            self._keepers[name] = Gatekeeper(
                name, self._nodes, clock=self._clock, metrics=self._metrics, pace=self._pace
            )
        return self._keepers[name]
